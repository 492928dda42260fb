// A lock between processes for a change that takes milliseconds. Synchronous, because it is also needed while a process ends.
// In trouble: the lock of a process that is gone is taken over; one that is held for longer than 10 s throws.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';

/** Runs `work` while this process holds the lock file. */
export function withLock<T>(file: string, work: () => T): T {
  const end = Date.now() + 10_000;
  while (!tryLock(file)) {
    if (Date.now() > end) throw new Error(`${file} is held by process ${readFileSync(file, 'utf8')}`);
    if (holderIsGone(file)) rmSync(file, { force: true });
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
  }
  try {
    return work();
  } finally {
    rmSync(file, { force: true });
  }
}

function tryLock(file: string): boolean {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  }
}

function holderIsGone(file: string): boolean {
  try {
    const pid = Number(readFileSync(file, 'utf8'));
    // Empty for the moment between making and writing it.
    if (pid > 0) process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
