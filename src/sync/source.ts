// Runs the command that prints the rows for `sync`: no shell, its own process group, all of its output kept aside until it has ended.
//
// Only output that is complete (the end of the pipe, and exit status 0) is handed on. Whatever else happens is Trouble, with the last
// line that the command wrote to standard error. A command that runs for too long is ended with all that it has started.
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import type { Readable } from 'node:stream';
import { Trouble } from '../failure';

/** What sort of failure it was, so that a log can tell a new one from the same one again. */
export type Sort = 'start' | 'status' | 'timeout' | 'space' | 'stopped' | 'rows';

export class SourceTrouble extends Trouble {
  constructor(
    readonly sort: Sort,
    problem: string,
    hint: string,
  ) {
    super({ kind: 'refused', problem, hint });
  }
}

/** The complete output, in a file without a name that is gone after `close`. */
export interface Output {
  /** SHA-256, hexadecimal. */
  readonly digest: string;
  /** From the beginning, as often as it is asked for. */
  chunks(): Iterable<Buffer>;
  close(): void;
}

/** What setTimeout takes (ms), 24 days. */
export const LONGEST_TIMER = 2 ** 31 - 1;

const KEPT_ERROR_TEXT = 4096;

/** How long (ms) a command that is being ended has for it, and how long its last words are waited for. */
const GRACE = 1000;

/**
 * @param argv the program and its arguments
 * @param timeout seconds
 * @param stop ends the command and throws 'stopped'
 * @throws SourceTrouble
 */
export async function outputOf(argv: readonly string[], timeout: number, stop: AbortSignal): Promise<Output> {
  const name = path.basename(argv[0] ?? '');
  const spool = newSpool();
  try {
    const child = await started(argv);
    const said = lastLineOf(child.stderr as Readable);
    const ending = await endOf(child, spool, timeout * 1000, stop);
    if (ending.kind === 'stopped') throw new SourceTrouble('stopped', `${name} was stopped`, STANDS);
    if (ending.kind === 'space') throw noSpace(ending.detail);
    const words = await said();
    const quoted = words === '' ? '' : `: ${words}`;
    if (ending.kind === 'timeout') {
      const hint = `${STANDS}; should it need longer: --timeout ${2 * timeout}s`;
      throw new SourceTrouble(
        'timeout',
        `${name} had not ended after ${timeout} s and was killed${quoted}`,
        hint,
      );
    }
    const { status, signal } = ending;
    if (signal !== null)
      throw new SourceTrouble('status', `${name} was killed by ${signal}${quoted}`, STANDS);
    if (status !== 0)
      throw new SourceTrouble('status', `${name} ended with status ${status}${quoted}`, STANDS);
    return spool.output();
  } catch (error) {
    spool.close();
    throw error;
  }
}

const STANDS = 'nothing was changed';

function newSpool(): Spool {
  try {
    return new Spool();
  } catch (error) {
    throw noSpace((error as Error).message);
  }
}

function noSpace(detail: string): SourceTrouble {
  const hint = `${STANDS}; make room in ${tmpdir()}, or set TMPDIR to another folder`;
  return new SourceTrouble('space', `the output cannot be kept in ${tmpdir()} (${detail})`, hint);
}

type Ending =
  | { readonly kind: 'ended'; readonly status: number | null; readonly signal: NodeJS.Signals | null }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'space'; readonly detail: string };

function started(argv: readonly string[]): Promise<ChildProcess> {
  const [command = '', ...args] = argv;
  return new Promise((resolve, reject) => {
    const failed = ({ code, message }: NodeJS.ErrnoException) => {
      const why =
        code === 'ENOENT'
          ? 'there is no such program'
          : code === 'EACCES'
            ? 'no permission'
            : (code ?? message);
      reject(new SourceTrouble('start', `cannot run ${command}: ${why}`, HOW_TO_NAME));
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

const HOW_TO_NAME =
  'give a program and its arguments after --; what needs a shell: -- sh -c "COMMAND | COMMAND"';

/** Waits for the end of the command and of its output: a part of a pipeline can outlive the shell that began it. */
function endOf(child: ChildProcess, spool: Spool, timeout: number, stop: AbortSignal): Promise<Ending> {
  const stdout = child.stdout as Readable;
  return new Promise((resolve) => {
    let exit: Ending | null = null;
    let complete = false;
    const finish = (ending: Ending) => {
      clearTimeout(timer);
      stop.removeEventListener('abort', stopped);
      stdout.destroy();
      resolve(ending);
    };
    const cut = (ending: Ending) => {
      // What it does from now on, ending included, is our doing.
      stdout.removeAllListeners();
      stdout.once('error', () => {});
      child.removeAllListeners('exit');
      void ended(child).then(() => finish(ending));
    };
    const timer = setTimeout(() => cut({ kind: 'timeout' }), Math.min(timeout, LONGEST_TIMER));
    const stopped = () => cut({ kind: 'stopped' });
    stop.addEventListener('abort', stopped);
    child.once('exit', (status, signal) => {
      exit = { kind: 'ended', status, signal };
      if (complete) finish(exit);
    });
    stdout.on('data', (bytes: Buffer) => {
      try {
        spool.add(bytes);
      } catch (error) {
        cut({ kind: 'space', detail: (error as Error).message });
      }
    });
    stdout.once('error', () => {});
    stdout.once('end', () => {
      complete = true;
      if (exit !== null) finish(exit);
    });
    if (stop.aborted) stopped();
  });
}

/** Ends the command's process group, first kindly. */
async function ended(child: ChildProcess): Promise<void> {
  const gone = new Promise<void>((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    else child.once('exit', () => resolve());
  });
  signalGroup(child, 'SIGTERM');
  const grace = setTimeout(() => signalGroup(child, 'SIGKILL'), GRACE);
  await gone;
  clearTimeout(grace);
  // What the command had started may have not listened.
  signalGroup(child, 'SIGKILL');
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal);
  } catch {
    // All of it is gone.
  }
}

/** A function that waits for the last line of a stream. Not for ever: a program left in the background can hold it open (ssh does). */
function lastLineOf(stream: Readable): () => Promise<string> {
  let text = '';
  stream.setEncoding('utf8');
  stream.on('data', (more: string) => {
    text = `${text}${more}`.slice(-KEPT_ERROR_TEXT);
  });
  stream.once('error', () => {});
  return async () => {
    await new Promise<void>((resolve) => {
      if (stream.readableEnded || stream.destroyed) return resolve();
      const timer = setTimeout(resolve, GRACE);
      stream.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
    });
    stream.destroy();
    return text.trimEnd().split('\n').at(-1)?.trim() ?? '';
  };
}

/** A text of this size still lies among V8's small objects; larger ones cost a page fault for every 4 KB. */
const CHUNK = 64 * 1024;

/** A file without a name. */
class Spool {
  private readonly descriptor: number;
  private readonly hash = createHash('sha256');
  private open = true;

  constructor() {
    const file = path.join(tmpdir(), `allow-nets-sync-${randomUUID()}`);
    this.descriptor = fs.openSync(file, 'wx+', 0o600);
    fs.unlinkSync(file);
  }

  add(bytes: Buffer): void {
    this.hash.update(bytes);
    for (let written = 0; written < bytes.length; ) {
      written += fs.writeSync(this.descriptor, bytes, written);
    }
  }

  output(): Output {
    return {
      digest: this.hash.digest('hex'),
      chunks: () => this.chunks(),
      close: () => this.close(),
    };
  }

  close(): void {
    if (this.open) fs.closeSync(this.descriptor);
    this.open = false;
  }

  private *chunks(): Iterable<Buffer> {
    const chunk = Buffer.allocUnsafe(CHUNK);
    for (let at = 0; ; ) {
      const read = fs.readSync(this.descriptor, chunk, 0, CHUNK, at);
      if (read === 0) return;
      at += read;
      yield chunk.subarray(0, read);
    }
  }
}
