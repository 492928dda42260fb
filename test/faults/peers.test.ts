// A peer that is slow, silent, does not read, or goes in the middle of an answer; a descriptor that does not block; signals; no space.
// The program waits without using CPU time, says all of its answers whole or ends, and its status is that of the design.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeDatabase } from '../policy/database';
import { makePlace, PolicyProgram, PROGRAM, request, run, type Surroundings } from '../policy/program';
import { makeScratch } from '../policy/scratch';
import { waitFor } from '../wait-for';

const db = path.join(makeScratch(), 'access.db');
writeDatabase(db, [{ name: 'test1', network: '127.0.0.1/32' }]);
const ALLOWED = request('test1', '127.0.0.1');
const REFUSED = request('test2', '127.0.0.1');
const DUNNO = 'action=dunno\n\n';
const REJECT = 'action=reject 5.7.1 test2 may not send mail from 127.0.0.1\n\n';

const WORDS = ['--persistent', '--log', 'none', '--db', db];
const BLOCKING: Surroundings = {};
/** The same with O_NONBLOCK set on the socket, by a Node that has touched its process.stdin and was killed before it could set it back. */
const NON_BLOCKING: Surroundings = {
  command: [
    '/bin/sh',
    '-c',
    `{ "$0" -e 'process.stdin; process.kill(process.pid, "SIGKILL")'; } 2> /dev/null; exec "$@"`,
    process.execPath,
    process.execPath,
    PROGRAM,
  ],
};

/** CPU time of a process so far, in hundredths of a second (proc(5), utime and stime). */
function cpuTicks(pid: number | undefined): number {
  const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

/** @throws when the process uses CPU time worth the name in the next 1.5 s. What it had to do before is let pass. */
async function checkIdle({ child }: PolicyProgram): Promise<void> {
  await sleep(500);
  const before = cpuTicks(child.pid);
  await sleep(1500);
  const used = cpuTicks(child.pid) - before;
  assert.ok(used <= 10, `${used * 10} ms of CPU time in 1500 ms`);
}

function isNonBlocking(pid: number | undefined): boolean {
  const flags = /^flags:\s*(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/fdinfo/0`, 'utf8'))?.[1];
  return (Number.parseInt(flags ?? '0', 8) & fs.constants.O_NONBLOCK) !== 0;
}

describe('a peer', { concurrency: 4 }, () => {
  for (const [kind, surroundings] of [
    ['blocks', BLOCKING],
    ['does not block', NON_BLOCKING],
  ] as const) {
    const start = async () => {
      const program = await PolicyProgram.start(WORDS, surroundings);
      assert.equal(await program.ask(ALLOWED), DUNNO);
      assert.equal(isNonBlocking(program.child.pid), surroundings === NON_BLOCKING);
      return program;
    };

    test(`that is silent, where the socket ${kind}`, async () => {
      const program = await start();
      await checkIdle(program);
      program.write(REFUSED.slice(0, 100));
      await checkIdle(program);
      program.write(REFUSED.slice(100));
      assert.equal(await program.received(DUNNO.length + REJECT.length), DUNNO + REJECT);
      program.end();
      assert.deepEqual(await program.ended, { bytes: DUNNO + REJECT, status: 0, signal: null, log: [] });
    });

    test(`that does not read its answers, and then does, where the socket ${kind}`, async () => {
      const program = await start();
      const count = await stuff(program);
      await checkIdle(program);
      program.socket.resume();
      const whole = DUNNO + REJECT.repeat(count);
      assert.equal(await program.received(whole.length), whole);
      program.end();
      assert.deepEqual(await program.ended, { bytes: whole, status: 0, signal: null, log: [] });
    });

    test(`that goes in the middle of an answer, where the socket ${kind}`, async () => {
      const program = await start();
      await stuff(program);
      program.socket.destroy();
      const { status, signal, log } = await program.ended;
      assert.deepEqual([status, signal, log], [0, null, []]);
    });

    test(`that is interrupted by signals at every stage, where the socket ${kind}`, async () => {
      const program = await start();
      const { child } = program;
      const disturb = async () => {
        for (const signal of ['SIGWINCH', 'SIGCONT', 'SIGURG', 'SIGCHLD', 'SIGPIPE', 'SIGSTOP', 'SIGCONT'] as const) {
          child.kill(signal);
          await sleep(10);
        }
      };
      await disturb();
      program.write(REFUSED.slice(0, 50));
      await disturb();
      program.write(REFUSED.slice(50));
      assert.equal(await program.received(DUNNO.length + REJECT.length), DUNNO + REJECT);
      const count = await stuff(program);
      await disturb();
      program.socket.resume();
      const whole = DUNNO + REJECT.repeat(1 + count);
      assert.equal(await program.received(whole.length), whole);
      await checkIdle(program);
      program.end();
      assert.deepEqual(await program.ended, { bytes: whole, status: 0, signal: null, log: [] });
    });
  }
});

/** Sends more requests than the socket takes answers to, without reading any. @returns their number, once the program stands still */
async function stuff(program: PolicyProgram): Promise<number> {
  const count = 20_000;
  program.socket.pause();
  program.write(REFUSED.repeat(count));
  let last = -1;
  await waitFor('a program that waits for its peer', () => {
    const now = program.socket.bytesWritten - program.socket.writableLength;
    const still = now === last && program.socket.writableLength > 0;
    last = now;
    return still;
  });
  return count;
}

test('by signal, the program ends at once and says nothing', async () => {
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGKILL'] as const) {
    const program = await PolicyProgram.start(WORDS);
    assert.equal(await program.ask(ALLOWED), DUNNO);
    program.write(REFUSED.slice(0, 50));
    program.child.kill(signal);
    assert.deepEqual(await program.ended, { bytes: DUNNO, status: null, signal, log: [] });
  }
});

test('SIGUSR1, at which Node opens its debugger, brings no byte to the socket', async () => {
  const program = await PolicyProgram.start(WORDS);
  assert.equal(await program.ask(ALLOWED), DUNNO);
  program.child.kill('SIGUSR1');
  await sleep(300);
  assert.equal(await program.ask(REFUSED), REJECT);
  program.end();
  assert.deepEqual(await program.ended, { bytes: DUNNO + REJECT, status: 0, signal: null, log: [] });
});

for (const mode of [[], ['--persistent']]) {
  test(`no space left for the answer, by hand ${mode}`, async () => {
    const { env, log } = makePlace({});
    const words = [process.execPath, PROGRAM, '--db', db, ...mode];
    const child = spawn('/bin/sh', ['-c', 'cat | "$@" > /dev/full 2> /dev/full', 'sh', ...words], {
      env,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    child.stdin.end(ALLOWED);
    const status = await new Promise((done) => child.once('exit', done));
    assert.equal(status, 78);
    assert.deepEqual(log(), [
      'warn: the answer cannot be written (ENOSPC: no space left on device, write); free the space or correct the redirection',
    ]);
  });
}

describe("Node's own voice", { concurrency: 4 }, () => {
  const shouting = path.join(path.dirname(db), 'shouting.js');
  fs.writeFileSync(
    shouting,
    `process.emitWarning('action=ok\\n\\n', 'DeprecationWarning', 'DEP9999');
     new Buffer(1);
     Promise.reject(new Error('action=ok\\n\\n')).catch(() => {});
     setImmediate(() => process.emitWarning('action=ok\\n\\n'));`,
  );
  for (const options of [
    '--trace-warnings --pending-deprecation --trace-deprecation',
    '--trace-sync-io --trace-uncaught --trace-exit',
    '--unhandled-rejections=strict --throw-deprecation',
    `--trace-warnings --pending-deprecation --require=${shouting}`,
  ]) {
    for (const mode of [[], ['--persistent']]) {
      test(`with ${options.replace(shouting, 'a file that warns')} ${mode}`, async () => {
        const input = mode.length > 0 ? REFUSED + ALLOWED : REFUSED;
        const { bytes, status } = await run([...mode, '--db', db], input, { env: { NODE_OPTIONS: options } });
        assert.deepEqual([bytes, status], [mode.length > 0 ? REJECT + DUNNO : REJECT, 0]);
        const trouble = await run([...mode, '--db', `${db}.missing`], input, {
          env: { NODE_OPTIONS: options },
        });
        assert.deepEqual([trouble.bytes, trouble.status, trouble.log.length], ['', 78, 1]);
      });
    }
  }
});
