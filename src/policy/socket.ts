// The policy socket: spawn(8) makes descriptors 0, 1 and 2 of the program one and the same socket.
//
// Node.js writes warnings, uncaught errors and its last words to descriptor 2, where Postfix could take them for an answer: under Postfix that
// is /dev/null before any other module is loaded (main.ts imports this file first).
import * as fs from 'node:fs';

/** Whether Postfix runs the program: descriptor 2 is the same socket as descriptor 0. */
export const underPostfix = isPolicySocket();

// A command speaks to whoever runs it over a socket; the policy program has only options.
if (underPostfix && !/^[a-z]/.test(process.argv[2] ?? '')) silenceErrors();

/** From now on nothing but answers reaches the policy socket. */
export function silenceErrors(): void {
  try {
    fs.closeSync(2);
  } catch {
    // It was closed before.
  }
  // The lowest free descriptor is taken, which is 2.
  fs.openSync('/dev/null', 'w');
}

function isPolicySocket(): boolean {
  try {
    const errors = fs.fstatSync(2);
    if (!errors.isSocket()) return false;
    const input = fs.fstatSync(0);
    return input.ino === errors.ino && input.dev === errors.dev;
  } catch {
    // Descriptors that cannot be examined must not be written to.
    return true;
  }
}
