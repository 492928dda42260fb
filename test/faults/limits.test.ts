// The program with the least that it needs: no new rights, no network, nothing to write to, little address space. And what it asks the
// kernel for, where no limit is set: no file to write but /dev/null, no network.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, test } from 'node:test';
import { needs, program } from '../requires';
import { writeDatabase } from '../rig/database';
import { converse, PolicyProgram, request } from '../rig/policy-program';
import { PROGRAM } from '../rig/run';
import { makeFolder } from '../rig/scratch';
import { serviceProgram } from '../rig/service-program';

const scratch = makeFolder();
const db = path.join(scratch, 'access.db');
writeDatabase(db, [
  { name: 'test1', network: '127.0.0.1/32' },
  { name: 'test1', network: ' 2001:DB8::/32', byHand: true },
]);
const INPUT = request('test1', '127.0.0.1') + request('test1', '2001:db8::1') + request('test2', '127.0.0.1');
const REJECT = 'action=reject 5.7.1 test2 may not send mail from 127.0.0.1\n\n';
const ANSWERS = `action=dunno\n\naction=dunno\n\n${REJECT}`;

const NOBODY = ['--reuid=65534', '--regid=65534', '--clear-groups'];
/** No rights, no network, every file system read-only, no byte in any file, little memory. */
const LIMITS = [
  ...['unshare', '--mount', '--net', 'sh', '-c'],
  // Each mount by itself, not only the root. A mount that another one hides cannot be changed, and need not be.
  `mount --make-rprivate / && cut -d' ' -f5 /proc/self/mountinfo | while read -r place; do
     mount -o remount,bind,ro "$place" 2> /dev/null; done; touch "$0" 2> /dev/null && exit 99; exec "$@"`,
  path.join(scratch, 'written'),
  ...['prlimit', '--fsize=0', '--core=0', '--nofile=64', '--nproc=1000', `--as=${2 ** 31}`],
  ...['setpriv', ...NOBODY, '--no-new-privs', '--bounding-set=-all', '--inh-caps=-all'],
];

describe('with the least that it needs', needs('root', 'setpriv', 'unshare', 'prlimit', 'mount'), () => {
  const { node, script } = fs.existsSync(PROGRAM) ? serviceProgram(scratch, db) : { node: '', script: '' };
  const command = [...LIMITS, node, script];

  test('all answers, and each line in the log', async () => {
    const running = await PolicyProgram.start(['--persistent', '--db', db], {
      command,
      // A regular file may not grow; what the log really is, a socket, may be written to.
      postlog: 'exec cat > "$FAKE_LOG.fifo"',
    });
    const fifo = path.join(running.place.folder, 'log.fifo');
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
    assert.equal(
      logged.toString('latin1', 0, fs.readSync(log, logged)),
      'verdict=reject user=test2 address=127.0.0.1 subject= entry= reason=no-entry client_name=unknown\n',
    );
    fs.closeSync(log);
  });

  test('trouble ends it with its status', async () => {
    const { bytes, status } = await converse(['--db', `${db}.missing`], INPUT, { command, postlog: 'exit 1' });
    assert.deepEqual([bytes, status], ['', 78]);
  });

  test('the flags for LimitAS= and MemoryDenyWriteExecute=: it answers where Node.js as it is cannot start', async () => {
    const limited = ['prlimit', `--as=${600 * 10 ** 6}`, node];
    const { bytes, status } = await converse(['--persistent', '--db', db], INPUT, {
      command: [...limited, '--jitless', '--no-expose-wasm', script],
    });
    assert.deepEqual([bytes, status], [ANSWERS, 0]);
  });

  test('with less memory than Node.js can start in: nothing that is an answer', async () => {
    for (const megabytes of [400, 600, 750]) {
      // Node itself may hang for ever when it cannot start its threads; smtpd then gives up waiting.
      const command = [
        'timeout',
        '--signal=KILL',
        '20',
        'prlimit',
        `--as=${megabytes * 2 ** 20}`,
        process.execPath,
        PROGRAM,
      ];
      const { bytes, status } = await converse(['--db', db], REJECTED, { command, postlog: 'exit 1' });
      if (status === 0) assert.equal(bytes, REJECT);
      else assert.doesNotMatch(bytes, /^action|=/m);
    }
  });
});
const REJECTED = request('test2', '127.0.0.1');

describe('what it asks the kernel for', needs('strace'), () => {
  for (const mode of [[], ['--persistent']]) {
    test(`no file is opened to be written, no network ${mode}`, async () => {
      const trace = path.join(scratch, `trace${mode}`);
      const calls =
        'open,openat,openat2,creat,socket,connect,bind,listen,mkdir,rename,unlink,chmod,truncate,ftruncate,pwrite64,execve';
      const command = [program('strace'), '-f', '-e', `trace=${calls}`, '-o', trace, process.execPath, PROGRAM];
      const input = mode.length > 0 ? INPUT : REJECTED;
      const { bytes } = await converse([...mode, '--log', 'none', '--db', db], input, { command });
      assert.equal(bytes, mode.length > 0 ? ANSWERS : REJECT);
      const lines = fs
        .readFileSync(trace, 'utf8')
        .split('\n')
        .filter((line) => /^\d+ +\w+\(/.test(line));
      assert.ok(lines.some((line) => line.includes(db)));
      const harmless = /^\d+ +(open(at)?\(.*\bO_RDONLY\b|execve\()|"\/dev\/null", O_(WRONLY|RDWR)/;
      assert.deepEqual(
        lines.filter((line) => !harmless.test(line)),
        [],
      );
      assert.equal(lines.filter((line) => line.includes('execve(')).length, 1);
    });
  }
});
