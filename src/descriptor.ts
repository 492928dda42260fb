// Reads from and writes to descriptors, of which spawn(8) makes 0, 1 and 2 the policy socket.
//
// Node.js writes warnings, uncaught errors and crash messages to descriptor 2, and Postfix could take them for an
// answer. So under Postfix that descriptor becomes /dev/null before any other module is loaded (main.ts imports this
// file first).
//
// Only readSync and writeSync are used: process.stdin, process.stdout and console make descriptors 0 to 2
// non-blocking for every program that shares them. If another program has done so, these functions wait and retry.
import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';

/** Whether Postfix runs the program: then descriptors 0 and 2 are the same socket. */
export const isUnderPostfix = isPolicySocket();

// A command that is run over a socket must be able to print errors. The policy program has only options, no words.
if (isUnderPostfix && !/^[a-z]/.test(process.argv[2] ?? '')) silenceErrors();

/** Redirects descriptor 2 to /dev/null, so that only answers reach the policy socket. */
export function silenceErrors(): void {
  try {
    closeSync(2);
  } catch {
    // It was already closed.
  }
  // open(2) returns the lowest free descriptor, which is 2.
  openSync('/dev/null', 'w');
}

function isPolicySocket(): boolean {
  try {
    const errors = fstatSync(2);
    if (!errors.isSocket()) return false;
    const input = fstatSync(0);
    return input.ino === errors.ino && input.dev === errors.dev;
  } catch {
    // Descriptors that cannot be examined must not be written to.
    return true;
  }
}

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
