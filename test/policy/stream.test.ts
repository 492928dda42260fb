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

const ONE = ['--db', db];
const PERSISTENT = ['--persistent', '--db', db];
const MODES = [ONE, PERSISTENT];

/** The end of a program that has given these answers. */
const after = (bytes: string) => ({
  bytes,
  status: 0,
  signal: null,
  log: bytes.includes(REJECT) ? [REJECT_LOG] : [],
});

describe('a request', { concurrency: 4 }, () => {
  for (const [name, words, input, bytes] of [
    ['none before the end of input: a program for one request', ONE, '', ''],
    ['none before the end of input: a persistent program', PERSISTENT, '', ''],
    ['two in one packet: a persistent program answers both', PERSISTENT, REFUSED + ALLOWED, REJECT + DUNNO],
    ['two in one packet: a program for one request answers the first', ONE, ALLOWED + REFUSED, DUNNO],
    ['one and a broken one: a program for one request answers the first', ONE, `${ALLOWED}nonsense\n\n`, DUNNO],
  ] as const) {
    test(name, async () => assert.deepEqual(await converse(words, input), after(bytes)));
  }

  for (const words of MODES) {
    test(`byte by byte: ${words[0]}`, async () => {
      const program = await PolicyProgram.start(words);
      program.socket.setNoDelay();
      for (const byte of REFUSED) {
        program.write(byte);
        await new Promise((done) => setImmediate(done));
      }
      assert.equal(await program.received(REJECT.length), REJECT);
      program.end();
      assert.deepEqual(await program.ended, after(REJECT));
    });
  }

  test('one and a half in one packet, the rest later', async () => {
    const program = await PolicyProgram.start(PERSISTENT);
    assert.equal(await program.ask(ALLOWED + REFUSED.slice(0, 50)), DUNNO);
    assert.equal(await program.ask(REFUSED.slice(50)), REJECT);
    program.end();
    assert.deepEqual(await program.ended, after(DUNNO + REJECT));
  });

  test('a program for one request ends after its answer although the peer stays', async () => {
    const program = await PolicyProgram.start(ONE);
    program.write(ALLOWED);
    assert.deepEqual(await program.ended, after(DUNNO));
  });
});

test('a peer that closes without reading the answer: status 0, or a broken request, and nothing else', async () => {
  for (const input of [REFUSED, REFUSED.repeat(100), ALLOWED.slice(0, 40), '']) {
    for (const words of MODES) {
      const program = await PolicyProgram.start(words);
      if (input !== '') await new Promise((done) => program.socket.write(input, done));
      program.socket.destroy();
      const { status, signal } = await program.ended;
      assert.deepEqual([status, signal], [input === ALLOWED.slice(0, 40) ? 65 : 0, null], input);
    }
  }
});
