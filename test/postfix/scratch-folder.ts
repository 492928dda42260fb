// A folder for one suite that service users can read, and the processes that work in it.
//
// Every process of a private Postfix, of its Dovecot and of the programs that its spawn(8) starts has its current folder below
// the instance's own one, whatever its session or parent. So that is how they are found, and ended when a test fails or is
// interrupted: nothing is left behind but after a SIGKILL of the test itself.
import { chmodSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';

export interface RunningProcess {
  pid: number;
  /** argv joined by spaces; empty when the process has just ended */
  command: string;
}

/** Folder -> what is to be undone before it goes. */
const open = new Map<string, (() => void)[]>();

/** @returns the absolute path of a new empty folder, mode 755, that is removed at the latest when this process ends */
export function makeScratchFolder(name: string): string {
  removeAtTheEnd();
  const folder = mkdtempSync(join(tmpdir(), `allow-nets-${name}-`));
  chmodSync(folder, 0o755);
  open.set(folder, []);
  return folder;
}

/** Has `undo`, which must not wait for anything, run before the folder is removed. */
export function beforeRemoval(folder: string, undo: () => void): void {
  open.get(folder)?.push(undo);
}

/** Ends whatever still runs in the folder and removes it. Safe to call again. */
export function removeScratchFolder(folder: string): void {
  // Again and again, as one may have been starting another.
  for (let round = 0; round < 100; round++) {
    const running = processesIn(folder);
    if (running.length === 0) break;
    for (const { pid } of running) kill(pid, 'SIGKILL');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
  }
  for (const undo of open.get(folder) ?? []) undo();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  open.delete(folder);
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
        return []; // it ended while we looked, or is not ours to look at
      }
    });
}

/** Sends a signal; that the process is gone already is fine. */
export function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

let removedAtTheEnd = false;

function removeAtTheEnd(): void {
  if (removedAtTheEnd) return;
  removedAtTheEnd = true;
  process.once('exit', () => {
    for (const folder of [...open.keys()]) removeScratchFolder(folder);
  });
  // The default action of these would skip the 'exit' event.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => process.exit(128 + constants.signals[signal]));
  }
}
