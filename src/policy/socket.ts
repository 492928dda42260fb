// Protects the policy socket: spawn(8) makes it descriptors 0, 1 and 2 of the program.
//
// Node.js writes warnings, uncaught errors and crash messages to descriptor 2, and Postfix could take them for an
// answer. So under Postfix that descriptor becomes /dev/null before any other module is loaded (main.ts imports this
// file first).
import { closeSync, fstatSync, openSync } from 'node:fs';

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
