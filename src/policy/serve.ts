// The policy program: requests on descriptor 0, answers on descriptor 1 (Postfix SMTPD_POLICY_README; spawn(8)).
//
// DIAGNOSTICS: trouble is answered with no reply, one warning in the mail log and an exit status; Postfix then asks again once and after that
// tells its client to try later. An exception that nothing catches ends the program as any other trouble does.
import * as fs from 'node:fs';
import { writeAll } from '../descriptor';
import { asErrorLines, asLogLine, type Failure, failureOf, outputTrouble, policyStatus } from '../failure';
import type { MailLog, Priority } from '../postfix/mail-log';
import { RuleStore } from '../rules/store';
import { decide, type Verdict } from './decide';
import { logLine } from './log-line';
import type { LogLevel, PolicyOptions } from './options';
import { actionOf, replyBytes } from './reply';
import { RequestReader } from './request';

/** Serves one request, or with `persistent` one after the other until the end of input. The exit status is set when it is done. */
export function serve(options: PolicyOptions): void {
  const requests = new RequestReader(0);
  const store = new RuleStore(options.db);

  function serveOn(): void {
    while (!failed) {
      const request = requests.next();
      if (request === null) break;
      const now = Date.now();
      // Mail from strangers does not depend on the database.
      const verdict: Verdict =
        request.user === '' ? { kind: 'no-user' } : store.read((rules) => decide(request, rules, now));
      if (!reply(actionOf(verdict, request, options.rejectText))) break;
      if (isLogged(verdict, options.log)) {
        logOf('info').write(logLine(verdict, request, options.log === 'all'));
        // A turn of the event loop, so that the end of the log program is seen.
        if (options.persistent) return void setImmediate(guarded(serveOn));
      }
      if (!options.persistent) break;
    }
    endProgram();
  }

  guarded(serveOn)();
}

/** False when the peer is gone. */
function reply(action: string): boolean {
  try {
    return writeAll(1, replyBytes(action));
  } catch (error) {
    throw outputTrouble(error);
  }
}

function isLogged(verdict: Verdict, level: LogLevel): boolean {
  return level === 'all' || (level === 'reject' && verdict.kind === 'refused');
}

const logs = new Map<Priority, MailLog>();

/** The mail log, whose code is loaded only for the first line. */
function logOf(priority: Priority): MailLog {
  let log = logs.get(priority);
  if (log === undefined) {
    const { MailLog: Log } = require('../postfix/mail-log') as typeof import('../postfix/mail-log');
    log = new Log(priority);
    logs.set(priority, log);
  }
  return log;
}

/** Ends the program when the log programs have taken their lines and ended, so that none is left behind. */
function endProgram(): void {
  let open = logs.size;
  // Nothing else is left to do; Node's own way to the end takes longer than the answer took.
  if (open === 0) process.exit();
  for (const log of logs.values()) log.close(() => --open === 0 && process.exit());
}

/** `work`, with whatever it throws made into a warning and an exit status. */
export function guarded(work: () => void): () => void {
  return () => {
    try {
      work();
    } catch (error) {
      fail(failureOf(error));
    }
  };
}

let failed = false;

/** Ends the program without a reply. */
export function fail(failure: Failure): void {
  failed = true;
  process.exitCode = policyStatus(failure);
  try {
    // Under Postfix this is /dev/null (socket.ts).
    fs.writeSync(2, asErrorLines(failure));
  } catch {
    // The mail log has it too.
  }
  logOf('warning').write(asLogLine(failure));
  endProgram();
}

/** What ends the program when an exception is caught nowhere else. */
export function failUncaught(error: unknown): void {
  try {
    fail(failureOf(error));
  } catch {
    // Something that `fail` itself needs does not work: a bug, as a bare status.
    process.exit(70);
  }
}
