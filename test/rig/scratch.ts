// The scratch folder of a test file, and the processes that work in it. One folder for a test process, made when it is first asked
// for, and removed when the process ends, with whatever still runs in it: after success, failure, SIGINT, SIGTERM and SIGHUP.
//
// Every process of a private Postfix, of its Dovecot and of the programs that its spawn(8) starts has its current folder below
// the instance's folder, whatever its session or parent: this is how they are found. Only a SIGKILL of the test leaves something.
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';

export interface RunningProcess {
  pid: number;
  /** argv joined by spaces; empty when the process has just ended */
  command: string;
}

let root: string | null = null;
let count = 0;
const undo = new Set<() => void>();

/** @returns the path of a new empty folder that every account can enter (mode 755) */
export function makeFolder(name = 'folder'): string {
  root ??= makeRoot();
  const folder = join(root, `${name}-${count++}`);
  mkdirSync(folder);
  return folder;
}

/** @returns the path of a file that is not there, in a new folder */
export function newPath(name = 'access.db'): string {
  return join(makeFolder(), name);
}

/** @returns the path of a new file with this content, in a new folder */
export function newFile(content: string | Buffer, name = 'mail.log'): string {
  const path = newPath(name);
  writeFileSync(path, content);
  return path;
}

/** Ends whatever runs in the folder and removes it, before the end of the test process. Safe to call again. */
export function removeFolder(folder: string): void {
  // Again and again, because a process may be starting another one.
  for (let round = 0; round < 100; round++) {
    const running = processesIn(folder);
    if (running.length === 0) break;
    for (const { pid } of running) kill(pid, 'SIGKILL');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

/**
 * Has `action`, which must be synchronous, run at the end of the test process, before the folder is removed.
 * @returns a function that does it now instead
 */
export function atEnd(action: () => void): () => void {
  root ??= makeRoot();
  undo.add(action);
  return () => {
    if (undo.delete(action)) action();
  };
}

/** @returns all processes whose current folder is `folder` or below it */
export function processesIn(folder: string): RunningProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const cwd = readlinkSync(`/proc/${name}/cwd`);
        if (cwd !== folder && !cwd.startsWith(`${folder}/`)) return [];
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0').join(' ').trim();
        return [{ pid: Number(name), command }];
      } catch {
        return []; // it has ended, or is not ours to look at
      }
    });
}

/** Sends a signal; a process that is gone already is no error. */
export function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function makeRoot(): string {
  const folder = mkdtempSync(join(tmpdir(), 'allow-nets-test-'));
  chmodSync(folder, 0o755);
  process.once('exit', () => {
    for (const action of [...undo].reverse()) {
      try {
        action();
      } catch (error) {
        process.exitCode = 1;
        console.error(error);
      }
    }
    removeFolder(folder);
  });
  // The default action of these signals would skip the 'exit' event, or end the process in the middle of it: a terminal sends the signal
  // to every process, and the test runner sends it on.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => process.exit(128 + constants.signals[signal]));
  }
  return folder;
}
