// Reads from and writes to descriptors synchronously.
//
// Only readSync and writeSync are used: process.stdin, process.stdout and console make descriptors 0 to 2
// non-blocking for every program that shares them. If another program has done so, these functions wait and retry.
import { readSync, writeSync } from 'node:fs';

/**
 * Reads some bytes into `buffer` at `at`. Returns 0 at the end of input or if the peer is gone. Throws other errors.
 */
export function readSome(descriptor: number, buffer: Uint8Array, at = 0): number {
  for (let tries = 0; ; tries++) {
    try {
      return readSync(descriptor, buffer, at, buffer.length - at, null);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EOF' || code === 'ECONNRESET') return 0;
      waitIfBlocked(error, tries);
    }
  }
}

/** Writes all bytes. Returns false if the peer is gone. Throws other errors. */
export function writeAll(descriptor: number, bytes: Uint8Array): boolean {
  for (let written = 0, tries = 0; written < bytes.length; tries++) {
    try {
      written += writeSync(descriptor, bytes, written);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EPIPE' || code === 'ECONNRESET') return false;
      waitIfBlocked(error, tries);
    }
  }
  return true;
}

/** After EAGAIN, sleeps 1 ms at first and up to 50 ms later. Rethrows errors that cannot be retried. */
function waitIfBlocked(error: unknown, tries: number): void {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EINTR') return;
  if (code !== 'EAGAIN') throw error;
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Math.min(50, tries + 1));
}
