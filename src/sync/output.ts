// Runs the command that prints the rows for `sync`: without a shell, in its own process group. The output goes to a
// file until the command has ended.
//
// DIAGNOSTICS: only complete output (end of the pipe, exit status 0) is returned. Anything else is Trouble, with the
// last line of standard error. A timeout or signal ends the whole process group.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { refusal, type Trouble } from '../failure';

/** The number of bytes at the end of standard error in which the last line is looked for. */
const TAIL = 4096;

/** The time (ms) from SIGTERM to SIGKILL. */
const GRACE = 1000;

/**
 * Returns the output of a command as a descriptor, which the caller closes. `limit`: aborting it ends the command; its
 * reason is the Trouble to throw.
 */
export async function outputOf(argv: readonly string[], limit: AbortSignal): Promise<number> {
  const output = temporaryFile();
  const errors = temporaryFile();
  try {
    const child = await start(argv, errors);
    const exit = once(child, 'exit');
    // Wait for the end of the pipe, not only of the command: part of a shell pipeline can outlive the shell.
    const ended = [saveOutput(child.stdout ?? [], output), once(child, 'close', { signal: limit })];
    await Promise.all(ended).catch(async (error) => {
      await end(child, exit);
      child.stdout?.destroy();
      limit.throwIfAborted();
      throw noSpace(error);
    });
    if (child.exitCode === 0) return output;
    const ending =
      child.signalCode === null ? `ended with status ${child.exitCode}` : `was killed by ${child.signalCode}`;
    const line = lastLine(errors);
    throw refusal(`${path.basename(argv[0] ?? '')} ${ending}${line === '' ? '' : `: ${line}`}`, 'nothing was changed');
  } catch (error) {
    fs.closeSync(output);
    throw error;
  } finally {
    fs.closeSync(errors);
  }
}

/** Writes at a position, so that the descriptor still reads from the beginning. */
async function saveOutput(output: AsyncIterable<Buffer> | Buffer[], descriptor: number): Promise<void> {
  let at = 0;
  for await (const bytes of output) {
    for (let done = 0; done < bytes.length; ) {
      const written = fs.writeSync(descriptor, bytes, done, bytes.length - done, at);
      done += written;
      at += written;
    }
  }
}

/** A new, unlinked file. */
function temporaryFile(): number {
  const file = path.join(tmpdir(), `allow-nets-sync-${randomUUID()}`);
  try {
    const descriptor = fs.openSync(file, 'wx+', 0o600);
    fs.unlinkSync(file);
    return descriptor;
  } catch (error) {
    throw noSpace(error as Error);
  }
}

function noSpace({ message }: Error): Trouble {
  const hint = `nothing was changed; make room in ${tmpdir()}, or set TMPDIR to another folder`;
  return refusal(`the output cannot be kept in ${tmpdir()} (${message})`, hint);
}

async function start([command = '', ...args]: readonly string[], errors: number): Promise<ChildProcess> {
  try {
    // `detached` creates a process group with the PID of the command, so that all its children can be killed.
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', errors], detached: true });
    await once(child, 'spawn');
    return child;
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    const reasons: Readonly<Record<string, string>> = { ENOENT: 'there is no such program', EACCES: 'no permission' };
    const hint = 'give a program and its arguments after --; what needs a shell: -- sh -c "COMMAND | COMMAND"';
    throw refusal(`cannot run ${command}: ${reasons[code] ?? message}`, hint);
  }
}

/** Ends the command's process group: SIGTERM, and after a while SIGKILL, which its children cannot ignore. */
async function end({ pid }: ChildProcess, exit: Promise<unknown>): Promise<void> {
  for (const [name, time] of [
    ['SIGTERM', GRACE],
    ['SIGKILL', 0],
  ] as const) {
    try {
      if (pid !== undefined) process.kill(-pid, name);
    } catch {
      // No process of the group is left.
    }
    await Promise.race([exit, sleep(time, null, { ref: false })]);
  }
  await exit;
}

function lastLine(descriptor: number): string {
  const tail = Buffer.alloc(TAIL);
  const { size } = fs.fstatSync(descriptor);
  const read = fs.readSync(descriptor, tail, 0, TAIL, Math.max(0, size - TAIL));
  return tail.toString('utf8', 0, read).trimEnd().split('\n').at(-1)?.trim() ?? '';
}
