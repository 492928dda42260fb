// The program with the least that it needs: no new rights, no network, nothing to write to, little address space. And what it asks the
// kernel for, where no limit is set: no file to write but /dev/null, no network.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { needs, program } from '../requires';
import { newDatabase } from '../rig/database';
import { converse, PolicyProgram, request } from '../rig/policy-program';
import { PROGRAM } from '../rig/run';
import { makeFolder, newPath } from '../rig/scratch';
import { serviceProgram } from '../rig/service-program';

const db = newDatabase([
  { name: 'test1', network: '127.0.0.1/32' },
  { name: 'test1', network: ' 2001:DB8::/32', byHand: true },
]);
const REFUSED = request('test2', '127.0.0.1');
const REJECT = 'action=reject 5.7.1 test2 may not send mail from 127.0.0.1\n\n';
const INPUT = request('test1', '127.0.0.1') + request('test1', '2001:db8::1') + REFUSED;
const ANSWERS = `action=dunno\n\naction=dunno\n\n${REJECT}`;
const PERSISTENT = ['--persistent', '--db', db];

/** No rights, no network, every file system read-only, no byte in any file, little memory. */
const LIMITS = [
  ...['unshare', '--mount', '--net', 'sh', '-c'],
  // Each mount by itself, not only the root. A mount that another one hides cannot be changed, and need not be.
  `mount --make-rprivate / && cut -d' ' -f5 /proc/self/mountinfo | while read -r place; do
     mount -o remount,bind,ro "$place" 2> /dev/null; done; touch "$0" 2> /dev/null && exit 99; exec "$@"`,
  newPath('written'),
  ...['prlimit', '--fsize=0', '--core=0', '--nofile=64', '--nproc=1000', `--as=${2 ** 31}`],
  ...'setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all'.split(' '),
];

describe('with the minimum that it needs', needs('root', 'setpriv', 'unshare', 'prlimit', 'mount'), () => {
  const { node, script } = fs.existsSync(PROGRAM) ? serviceProgram(makeFolder(), db) : { node: '', script: '' };
  const command = [...LIMITS, node, script];

  test('all answers, and each line in the log', async () => {
    // A regular file may not grow; what the log really is, a socket, may be written to.
    const running = await PolicyProgram.start(PERSISTENT, { command, postlog: 'exec cat > "$FAKE_LOG.fifo"' });
    const fifo = join(running.place.folder, 'log.fifo');
    execFileSync('mkfifo', ['-m', '666', fifo]);
    const log = fs.openSync(fifo, fs.constants.O_RDWR | fs.constants.O_NONBLOCK);
    running.write(INPUT);
    assert.equal(await running.received(ANSWERS.length), ANSWERS);
    const rights = fs.readFileSync(`/proc/${running.child.pid}/status`, 'utf8');
    for (const line of [/^Uid:\s65534\s/m, /^Groups:\s*$/m, /^NoNewPrivs:\s1$/m, /^CapEff:\s0+$/m, /^CapBnd:\s0+$/m])
      assert.match(rights, line);
    running.end();
    const { status, bytes } = await running.ended;
    assert.deepEqual([status, bytes], [0, ANSWERS]);
    const logged = Buffer.alloc(65536);
    const line = 'verdict=reject user=test2 address=127.0.0.1 subject= entry= reason=no-entry client_name=unknown\n';
    assert.equal(logged.toString('latin1', 0, fs.readSync(log, logged)), line);
    fs.closeSync(log);
  });

  test('trouble ends it with its status', async () => {
    const { bytes, status } = await converse(['--db', newPath()], INPUT, { command, postlog: 'exit 1' });
    assert.deepEqual([bytes, status], ['', 78]);
  });

  test('the flags for LimitAS= and MemoryDenyWriteExecute=: it answers where Node.js as it is cannot start', async () => {
    const limited = ['prlimit', `--as=${600 * 10 ** 6}`, node, '--jitless', '--no-expose-wasm', script];
    const { bytes, status } = await converse(PERSISTENT, INPUT, { command: limited });
    assert.deepEqual([bytes, status], [ANSWERS, 0]);
  });

  test('with too little memory for Node.js to start: no answer', async () => {
    for (const megabytes of [400, 600, 750]) {
      // Node itself may hang for ever when it cannot start its threads; smtpd then gives up waiting.
      const limits = `timeout --signal=KILL 20 prlimit --as=${megabytes * 2 ** 20}`.split(' ');
      const limited = [...limits, process.execPath, PROGRAM];
      const { bytes, status } = await converse(['--db', db], REFUSED, { command: limited, postlog: 'exit 1' });
      if (status === 0) assert.equal(bytes, REJECT);
      else assert.doesNotMatch(bytes, /^action|=/m);
    }
  });
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
