// Runs the command that prints the rows for `sync`: no shell, its own process group, its output in a file until it has ended.
//
// DIAGNOSTICS: only output that is complete (the end of the pipe, and exit status 0) is handed on. Whatever else happens is Trouble, with
// the last line that the command wrote to standard error. A command that is ended is ended with all that it has started.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Trouble } from '../failure';
import type { Limits } from './limits';

const UNCHANGED = 'nothing was changed';

/** Characters of the last line on standard error. */
const KEPT_ERROR_TEXT = 4096;

/** How long (ms) a command that is being ended has for it, and how long its last words are waited for. */
const GRACE = 1000;

/** The complete output of `argv` as the descriptor of a file without a name, to be read from its beginning and closed. Throws Trouble. */
export async function outputOf(argv: readonly string[], limits: Limits): Promise<number> {
  const descriptor = newFile();
  try {
    const child = await start(argv);
    const lastLine = lastLineOf(child.stderr as Readable);
    const exit = new Promise<void>((done) => child.once('exit', () => done()));
    // A part of a pipeline can outlive the shell that began it: the end of the pipe counts, too.
    const output = fs.createWriteStream('', { fd: descriptor, autoClose: false });
    const complete = Promise.all([exit, pipeline(child.stdout as Readable, output)]);
    try {
      await Promise.race([complete, limits.reached]);
    } catch (error) {
      complete.catch(() => {});
      await end(child, exit);
      throw error instanceof Trouble ? error : noSpace(error as Error);
    }
    const ending =
      child.signalCode === null ? `ended with status ${child.exitCode}` : `was killed by ${child.signalCode}`;
    const words = await lastLine();
    if (child.exitCode === 0) return descriptor;
    const problem = `${path.basename(argv[0] ?? '')} ${ending}${words === '' ? '' : `: ${words}`}`;
    throw new Trouble({ kind: 'refused', problem, hint: UNCHANGED });
  } catch (error) {
    fs.closeSync(descriptor);
    throw error;
  }
}

/** In the folder for temporary files, and gone from it at once. */
function newFile(): number {
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
  const problem = `the output cannot be kept in ${tmpdir()} (${message})`;
  const hint = `${UNCHANGED}; make room in ${tmpdir()}, or set TMPDIR to another folder`;
  return new Trouble({ kind: 'refused', problem, hint });
}

function start(argv: readonly string[]): Promise<ChildProcess> {
  const [command = '', ...args] = argv;
  return new Promise((resolve, reject) => {
    const failed = ({ code, message }: NodeJS.ErrnoException) => {
      const reasons: Readonly<Record<string, string>> = {
        ENOENT: 'there is no such program',
        EACCES: 'no permission',
      };
      const problem = `cannot run ${command}: ${reasons[code ?? ''] ?? code ?? message}`;
      const hint = 'give a program and its arguments after --; what needs a shell: -- sh -c "COMMAND | COMMAND"';
      reject(new Trouble({ kind: 'refused', problem, hint }));
    };
    try {
      // A session of its own: with the number of the group all that it starts can be ended.
      const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
      child.once('error', failed);
      child.once('spawn', () => resolve(child));
    } catch (error) {
      failed(error as NodeJS.ErrnoException);
    }
  });
}

/** Ends the command's process group: SIGTERM, and after a while SIGKILL. */
async function end(child: ChildProcess, exit: Promise<void>): Promise<void> {
  const signal = (name: NodeJS.Signals) => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, name);
    } catch {
      // All of it is gone.
    }
  };
  signal('SIGTERM');
  const grace = setTimeout(() => signal('SIGKILL'), GRACE);
  await exit;
  clearTimeout(grace);
  // What the command had started may have ignored the first signal.
  signal('SIGKILL');
  child.stdout?.destroy();
  child.stderr?.destroy();
}

/** A function that waits for the last line of a stream. Not for ever: a program left in the background can hold it open (ssh does). */
function lastLineOf(stream: Readable): () => Promise<string> {
  let text = '';
  stream.setEncoding('utf8');
  stream.on('data', (more: string) => {
    text = `${text}${more}`.slice(-KEPT_ERROR_TEXT);
  });
  const closed = new Promise<void>((done) => stream.once('close', () => done()));
  stream.once('error', () => {});
  return async () => {
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([
      closed,
      new Promise((done) => {
        timer = setTimeout(done, GRACE);
      }),
    ]);
    clearTimeout(timer);
    stream.destroy();
    return text.trimEnd().split('\n').at(-1)?.trim() ?? '';
  };
}
