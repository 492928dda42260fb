// Little address space, and what the program asks the kernel for: no file to write but /dev/null, no network. postfix/examples runs it with
// the limits of examples/hardened.master.cf.
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { test } from 'node:test';
import { needs, program } from '../requires';
import { newDatabase } from '../rig/database';
import { converse, request } from '../rig/policy-program';
import { PROGRAM } from '../rig/run';
import { newPath } from '../rig/scratch';

const db = newDatabase([
  { name: 'test1', network: '127.0.0.1/32' },
  { name: 'test1', network: ' 2001:DB8::/32', byHand: true },
]);
const REFUSED = request('test2', '127.0.0.1');
const REJECT = 'action=reject 5.7.1 test2 may not send mail from 127.0.0.1\n\n';
const INPUT = request('test1', '127.0.0.1') + request('test1', '2001:db8::1') + REFUSED;
const ANSWERS = `action=dunno\n\naction=dunno\n\n${REJECT}`;
const PERSISTENT = ['--persistent', '--db', db];

test(
  'the flags for LimitAS= and MemoryDenyWriteExecute=: it answers where Node.js as it is cannot start',
  needs('prlimit'),
  async () => {
    const limited = ['prlimit', `--as=${600 * 10 ** 6}`, process.execPath, '--jitless', '--no-expose-wasm', PROGRAM];
    const { bytes, status } = await converse(PERSISTENT, INPUT, { command: limited });
    assert.deepEqual([bytes, status], [ANSWERS, 0]);
  },
);

test('with too little memory for Node.js to start: no answer', needs('prlimit'), async () => {
  for (const megabytes of [400, 600, 750]) {
    // Node itself may hang for ever when it cannot start its threads; smtpd then gives up waiting.
    const limits = `timeout --signal=KILL 20 prlimit --as=${megabytes * 2 ** 20}`.split(' ');
    const limited = [...limits, process.execPath, PROGRAM];
    const { bytes, status } = await converse(['--db', db], REFUSED, { command: limited, postlog: 'exit 1' });
    if (status === 0) assert.equal(bytes, REJECT);
    else assert.doesNotMatch(bytes, /^action|=/m);
  }
});

test('no file is opened for writing, and no network connection', needs('strace'), async () => {
  const trace = newPath('trace');
  const calls =
    'open,openat,openat2,creat,socket,connect,bind,listen,mkdir,rename,unlink,chmod,truncate,ftruncate,pwrite64,execve';
  const command = [program('strace'), '-f', '-e', `trace=${calls}`, '-o', trace, process.execPath, PROGRAM];
  assert.equal((await converse([...PERSISTENT, '--log', 'none'], INPUT, { command })).bytes, ANSWERS);
  const lines = fs.readFileSync(trace, 'utf8').match(/^\d+ +\w+\(.*/gm) ?? [];
  assert.ok(lines.some((line) => line.includes(db)));
  const harmless = /^\d+ +(open(at)?\(.*\bO_RDONLY\b|execve\()|"\/dev\/null", O_(WRONLY|RDWR)/;
  assert.deepEqual(
    lines.filter((line) => !harmless.test(line)),
    [],
  );
  assert.equal(lines.filter((line) => line.includes('execve(')).length, 1);
});
