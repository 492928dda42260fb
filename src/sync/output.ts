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
import { writeAll } from '../descriptor';
import { Trouble } from '../failure';

/** The number of bytes at the end of standard error in which the last line is looked for. */
const TAIL = 4096;

/** The time (ms) from SIGTERM to SIGKILL. */
const GRACE = 1000;

/**
 * Returns the output of a command as a descriptor, which the caller closes. `limit`: aborting it ends the command; its
 * reason is the Trouble to throw.
 */
export async function outputOf(argv: readonly string[], limit: AbortController): Promise<number> {
  const [output, errors] = [temporaryFile(), temporaryFile()];
  try {
    const child = await start(argv, errors.write);
    const exit = once(child, 'exit');
    child.stdout?.on('data', (bytes: Buffer) => {
      try {
        writeAll(output.write, bytes);
      } catch (error) {
        limit.abort(noSpace(error as Error));
      }
    });
    // Wait for the end of the pipe, not only of the command: part of a shell pipeline can outlive the shell.
    await once(child, 'close', { signal: limit.signal }).catch(() => end(child, exit));
    limit.signal.throwIfAborted();
    if (child.exitCode === 0) return output.read;
    const ending =
      child.signalCode === null ? `ended with status ${child.exitCode}` : `was killed by ${child.signalCode}`;
    const line = lastLine(errors.read);
    throw refused(`${path.basename(argv[0] ?? '')} ${ending}${line === '' ? '' : `: ${line}`}`, 'nothing was changed');
  } catch (error) {
    fs.closeSync(output.read);
    throw error;
  } finally {
    for (const descriptor of [output.write, errors.write, errors.read]) fs.closeSync(descriptor);
  }
}

/** Two descriptors of a new, unlinked file. */
function temporaryFile(): { readonly write: number; readonly read: number } {
  const file = path.join(tmpdir(), `allow-nets-sync-${randomUUID()}`);
  try {
    const descriptors = { write: fs.openSync(file, 'wx', 0o600), read: fs.openSync(file, 'r') };
    fs.unlinkSync(file);
    return descriptors;
  } catch (error) {
    throw noSpace(error as Error);
  }
}

function noSpace({ message }: Error): Trouble {
  const hint = `nothing was changed; make room in ${tmpdir()}, or set TMPDIR to another folder`;
  return refused(`the output cannot be kept in ${tmpdir()} (${message})`, hint);
}

async function start(argv: readonly string[], errors: number): Promise<ChildProcess> {
  const [command = '', ...args] = argv;
  try {
    // `detached` creates a process group with the PID of the command, so that all its children can be killed.
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', errors], detached: true });
    await once(child, 'spawn');
    return child;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reasons: Readonly<Record<string, string>> = { ENOENT: 'there is no such program', EACCES: 'no permission' };
    const hint = 'give a program and its arguments after --; what needs a shell: -- sh -c "COMMAND | COMMAND"';
    throw refused(`cannot run ${command}: ${reasons[code ?? ''] ?? code ?? message}`, hint);
  }
}

/** Ends the command's process group: SIGTERM, and after a while SIGKILL. */
async function end(child: ChildProcess, exit: Promise<unknown>): Promise<void> {
  const signal = (name: NodeJS.Signals) => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, name);
    } catch {
      // No process of the group is left.
    }
  };
  signal('SIGTERM');
  const grace = setTimeout(() => signal('SIGKILL'), GRACE);
  await exit;
  clearTimeout(grace);
  // Children of the command may have ignored SIGTERM.
  signal('SIGKILL');
  child.stdout?.destroy();
}

function lastLine(descriptor: number): string {
  const tail = Buffer.alloc(TAIL);
  const { size } = fs.fstatSync(descriptor);
  const read = fs.readSync(descriptor, tail, 0, TAIL, Math.max(0, size - TAIL));
  return tail.toString('utf8', 0, read).trimEnd().split('\n').at(-1)?.trim() ?? '';
}

function refused(problem: string, hint: string): Trouble {
  return new Trouble({ kind: 'refused', problem, hint });
}
