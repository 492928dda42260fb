// What is done before any other module is loaded: nothing but answers may reach the policy socket, whatever fails from here on.
//
// spawn(8) makes descriptors 0, 1 and 2 one socket. Node writes warnings, uncaught errors and its last words (no memory left, for
// example) to descriptor 2: under Postfix that is /dev/null from now on. An exception while modules load ends the program with the status
// of a bug and one warning in the mail log, as later on (policy/serve).
import * as fs from 'node:fs';

/** Whether Postfix runs the program: descriptor 2 is the same socket as descriptor 0. */
export const underPostfix = isPolicySocket();

/** What ends the program when nothing catches an error. */
export const uncaught = { end: endWithBug };

// A command has something to say to whoever runs it on a socket; the policy program has only options.
if (underPostfix && !/^[a-z]/.test(process.argv[2] ?? '')) keepSocketClean();

/** From now on nothing but answers reaches the policy socket. */
export function keepSocketClean(): void {
  fs.closeSync(2);
  // The lowest free number is taken, which is 2.
  fs.openSync('/dev/null', 'w');
  process.on('uncaughtException', (error) => uncaught.end(error));
}

function isPolicySocket(): boolean {
  try {
    const errors = fs.fstatSync(2);
    if (!errors.isSocket()) return false;
    const input = fs.fstatSync(0);
    return input.ino === errors.ino && input.dev === errors.dev;
  } catch {
    return false;
  }
}

function endWithBug(error: unknown): void {
  process.exitCode = 70;
  try {
    const { asLogLine } = require('./failure') as typeof import('./failure');
    const { MailLog } = require('./postfix/mail-log') as typeof import('./postfix/mail-log');
    const log = new MailLog('warning');
    log.write(asLogLine({ kind: 'bug', error }));
    log.close(() => process.exit());
  } catch {
    process.exit();
  }
}
