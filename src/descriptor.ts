// Reading from and writing to descriptors, one call after the other.
//
// Only fs.readSync and fs.writeSync are used: one touch of process.stdin, process.stdout or console makes descriptors 0 to 2 non-blocking,
// for every program that shares them. Another program may have done so before; then these functions wait and retry.
import * as fs from 'node:fs';

/** Reads some bytes into `buffer` from `at` on. 0 at the end of input, also when the peer is gone. Throws all other errors. */
export function readSome(descriptor: number, buffer: Uint8Array, at = 0): number {
  for (let tries = 0; ; tries++) {
    try {
      return fs.readSync(descriptor, buffer, at, buffer.length - at, null);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EOF' || code === 'ECONNRESET') return 0;
      waitIfBlocked(error, tries);
    }
  }
}

/** Writes all bytes. False when the peer is gone. Throws all other errors. */
export function writeAll(descriptor: number, bytes: Uint8Array): boolean {
  for (let written = 0, tries = 0; written < bytes.length; tries++) {
    try {
      written += fs.writeSync(descriptor, bytes, written);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EPIPE' || code === 'ECONNRESET') return false;
      waitIfBlocked(error, tries);
    }
  }
  return true;
}

/** Sleeps 1 ms at the first try and up to 50 ms later on when the descriptor does not block; what it cannot wait for is thrown again. */
function waitIfBlocked(error: unknown, tries: number): void {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EINTR') return;
  if (code !== 'EAGAIN') throw error;
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Math.min(50, tries + 1));
}
