// A peer that is slow, silent, does not read, or goes in the middle of an answer; a descriptor that does not block; signals; no space.
// The program waits without using CPU time, writes each answer whole or ends, and its status is that of the design.
import assert from 'node:assert/strict';
import { constants, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { newDatabase } from '../rig/database';
import { converse, PolicyProgram, request, runByHand, type ServiceOptions } from '../rig/policy-program';
import { PROGRAM } from '../rig/run';
import { newFile, newPath } from '../rig/scratch';
import { waitFor } from '../rig/wait-for';

const db = newDatabase([{ name: 'test1', network: '127.0.0.1/32' }]);
const ALLOWED = request('test1', '127.0.0.1');
const REFUSED = request('test2', '127.0.0.1');
const DUNNO = 'action=dunno\n\n';
const REJECT = 'action=reject 5.7.1 test2 may not send mail from 127.0.0.1\n\n';

/** O_NONBLOCK is set on the socket by a Node that has touched its process.stdin and was killed before it could set it back. */
const SET_NON_BLOCKING = `{ "$0" -e 'process.stdin; process.kill(process.pid, "SIGKILL")'; } 2> /dev/null; exec "$@"`;
const NON_BLOCKING = { command: ['/bin/sh', '-c', SET_NON_BLOCKING, process.execPath, process.execPath, PROGRAM] };

/** A program that has answered once. */
async function start(options: ServiceOptions = {}): Promise<PolicyProgram> {
  const program = await PolicyProgram.start(['--persistent', '--log', 'none', '--db', db], options);
  assert.equal(await program.ask(ALLOWED), DUNNO);
  return program;
}

/** @throws unless it ends with status 0 after these answers, which it has given already */
async function checkEnd(program: PolicyProgram, bytes: string): Promise<void> {
  assert.equal(await program.received(bytes.length), bytes);
  program.end();
  assert.deepEqual(await program.ended, { bytes, status: 0, signal: null, log: [] });
}

/** @throws when the process uses noticeable CPU time in the next 1.5 s, after half a second for what it still had to do */
async function checkIdle({ child }: PolicyProgram): Promise<void> {
  // proc(5): utime and stime, in hundredths of a second.
  const ticks = () => {
    const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return Number(fields[11]) + Number(fields[12]);
  };
  await sleep(500);
  const before = ticks();
  await sleep(1500);
  assert.ok(ticks() - before <= 10, `${(ticks() - before) * 10} ms of CPU time in 1500 ms`);
}

async function disturb({ child }: PolicyProgram): Promise<void> {
  for (const signal of ['SIGWINCH', 'SIGCONT', 'SIGURG', 'SIGCHLD', 'SIGPIPE', 'SIGSTOP', 'SIGCONT'] as const) {
    child.kill(signal);
    await sleep(10);
  }
}

const COUNT = 20_000;

/** Sends more requests than the socket takes answers to, without reading any, and waits until the program stands still. */
async function stuff(program: PolicyProgram): Promise<void> {
  program.socket.pause();
  program.write(REFUSED.repeat(COUNT));
  let last = -1;
  await waitFor('a program that waits for its peer', () => {
    const now = program.socket.bytesWritten - program.socket.writableLength;
    const still = now === last && program.socket.writableLength > 0;
    last = now;
    return still;
  });
}

describe('a peer', { concurrency: 4 }, () => {
  for (const [kind, options] of Object.entries<ServiceOptions>({ blocks: {}, 'does not block': NON_BLOCKING })) {
    test(`that is silent, sends signals, and later does not read its answers, where the socket ${kind}`, async () => {
      const program = await start(options);
      const flags = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/${program.child.pid}/fdinfo/0`, 'utf8'))?.[1];
      assert.equal((Number.parseInt(flags ?? '0', 8) & constants.O_NONBLOCK) === 0, kind === 'blocks');
      await disturb(program);
      await checkIdle(program);
      program.write(REFUSED.slice(0, 100));
      await disturb(program);
      await checkIdle(program);
      program.write(REFUSED.slice(100));
      assert.equal(await program.received(DUNNO.length + REJECT.length), DUNNO + REJECT);
      await stuff(program);
      await disturb(program);
      await checkIdle(program);
      program.socket.resume();
      await checkEnd(program, DUNNO + REJECT.repeat(1 + COUNT));
    });

    test(`that closes the socket in the middle of an answer, where the socket ${kind}`, async () => {
      const program = await start(options);
      await stuff(program);
      program.socket.destroy();
      const { status, signal, log } = await program.ended;
      assert.deepEqual([status, signal, log], [0, null, []]);
    });
  }
});

test('a signal ends the program at once and nothing is written; SIGUSR1 does not start a debugger', async () => {
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGKILL'] as const) {
    const program = await start();
    program.write(REFUSED.slice(0, 50));
    program.child.kill(signal);
    assert.deepEqual(await program.ended, { bytes: DUNNO, status: null, signal, log: [] });
  }
  const program = await start();
  program.child.kill('SIGUSR1');
  await sleep(300);
  assert.equal(await program.ask(REFUSED), REJECT);
  await checkEnd(program, DUNNO + REJECT);
});

for (const mode of [[], ['--persistent']]) {
  test(`no space left for the answer, by hand ${mode}`, () => {
    const command = ['/bin/sh', '-c', '"$@" > /dev/full 2> /dev/full', 'sh', process.execPath, PROGRAM];
    const { status, log } = runByHand(['--db', db, ...mode], ALLOWED, { command });
    const problem = 'the answer cannot be written (ENOSPC: no space left on device, write)';
    assert.deepEqual([status, log], [78, [`warn: ${problem}; free the space or correct the redirection`]]);
  });
}

describe('warnings of Node.js', { concurrency: 4 }, () => {
  const warning = newFile(
    `process.emitWarning('action=ok\\n\\n', 'DeprecationWarning', 'DEP9999');
     new Buffer(1);
     Promise.reject(new Error('action=ok\\n\\n')).catch(() => {});
     setImmediate(() => process.emitWarning('action=ok\\n\\n'));`,
    'warning.js',
  );
  for (const options of [
    '--trace-warnings --pending-deprecation --trace-deprecation',
    '--trace-sync-io --trace-uncaught --trace-exit',
    '--unhandled-rejections=strict --throw-deprecation',
    `--trace-warnings --pending-deprecation --require=${warning}`,
  ]) {
    test(`with ${options.replace(warning, 'a file that warns')}`, async () => {
      const env = { NODE_OPTIONS: options };
      const good = await converse(['--persistent', '--db', db], REFUSED + ALLOWED, { env });
      assert.deepEqual([good.bytes, good.status], [REJECT + DUNNO, 0]);
      const trouble = await converse(['--db', newPath()], REFUSED, { env });
      assert.deepEqual([trouble.bytes, trouble.status, trouble.log.length], ['', 78, 1]);
    });
  }
});
