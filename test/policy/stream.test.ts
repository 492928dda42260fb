// The request as a stream: byte by byte, two in one packet, the end of input; and a peer that goes away.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { newDatabase } from '../rig/database';
import { converse, PolicyProgram, request } from '../rig/policy-program';

const db = newDatabase([
  { name: 'test1', network: '127.0.0.1/32' },
  { name: 'test2', network: '172.31.27.95/32' },
]);

const ALLOWED = request('test1', '127.0.0.1');
const REFUSED = request('test2', '127.0.0.1');
const DUNNO = 'action=dunno\n\n';
const REJECT = 'action=reject 5.7.1 test2 may not send mail from 127.0.0.1\n\n';
const REJECT_LOG =
  'info: verdict=reject user=test2 address=127.0.0.1 subject=test2 entry= reason=not-covered client_name=unknown';

const MODES = [[], ['--persistent']];

describe('a request', { concurrency: 4 }, () => {
  for (const mode of MODES) {
    test(`byte by byte ${mode}`, async () => {
      const program = await PolicyProgram.start([...mode, '--db', db]);
      program.socket.setNoDelay();
      for (const byte of REFUSED) {
        program.write(byte);
        await new Promise((done) => setImmediate(done));
      }
      assert.equal(await program.received(REJECT.length), REJECT);
      program.end();
      assert.deepEqual(await program.ended, { bytes: REJECT, status: 0, signal: null, log: [REJECT_LOG] });
    });
  }

  test('two in one packet: a persistent program answers both', async () => {
    assert.deepEqual(await converse(['--persistent', '--db', db], REFUSED + ALLOWED), {
      bytes: REJECT + DUNNO,
      status: 0,
      signal: null,
      log: [REJECT_LOG],
    });
  });

  test('two in one packet: a program for one request answers the first', async () => {
    for (const input of [ALLOWED + REFUSED, ALLOWED + ALLOWED, `${ALLOWED}nonsense\n\n`]) {
      assert.deepEqual(await converse(['--db', db], input), { bytes: DUNNO, status: 0, signal: null, log: [] });
    }
  });

  test('one and a half in one packet, the rest later', async () => {
    const program = await PolicyProgram.start(['--persistent', '--db', db]);
    program.write(ALLOWED + REFUSED.slice(0, 50));
    assert.equal(await program.received(DUNNO.length), DUNNO);
    program.write(REFUSED.slice(50));
    assert.equal(await program.received(DUNNO.length + REJECT.length), DUNNO + REJECT);
    program.end();
    assert.equal((await program.ended).status, 0);
  });

  test('a program for one request ends after its answer although the peer stays', async () => {
    const program = await PolicyProgram.start(['--db', db]);
    program.write(ALLOWED);
    assert.deepEqual(await program.ended, { bytes: DUNNO, status: 0, signal: null, log: [] });
  });

  test('a thousand in one packet', async () => {
    const { bytes, status, log } = await converse(
      ['--persistent', '--db', db, '--log', 'none'],
      (ALLOWED + REFUSED).repeat(500),
    );
    assert.equal(bytes, (DUNNO + REJECT).repeat(500));
    assert.equal(status, 0);
    assert.deepEqual(log, []);
  });
});

describe('the end of input', { concurrency: 4 }, () => {
  for (const mode of MODES) {
    test(`before a request: status 0, nothing written ${mode}`, async () => {
      assert.deepEqual(await converse([...mode, '--db', db], ''), { bytes: '', status: 0, signal: null, log: [] });
    });
  }

  test('a peer that closes without reading the answer: status 0, or a broken request, and nothing else', async () => {
    for (const input of [REFUSED, REFUSED.repeat(100), ALLOWED.slice(0, 40), '']) {
      for (const mode of MODES) {
        const program = await PolicyProgram.start([...mode, '--db', db]);
        if (input !== '') await new Promise((done) => program.socket.write(input, done));
        program.socket.destroy();
        const { status, signal } = await program.ended;
        assert.equal(signal, null);
        assert.equal(status, input === ALLOWED.slice(0, 40) ? 65 : 0, input);
      }
    }
  });
});
