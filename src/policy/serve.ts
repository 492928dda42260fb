// The main loop of the policy program: reads requests on descriptor 0 and answers on descriptor 1
// (SMTPD_POLICY_README, spawn(8)).
//
// DIAGNOSTICS: in trouble the program does not reply, logs one warning and exits. Postfix asks once more and then sends
// its client a temporary error. Uncaught exceptions are handled in the same way.

import { writeSync } from 'node:fs';
import { writeAll } from '../descriptor';
import { asErrorLines, asLogLine, type Failure, failureOf, outputTrouble, policyStatus } from '../failure';
import { RuleStore } from '../rules/database';
import { decide, type Verdict } from './decide';
import { logLine } from './log-line';
import type { MailLog, Priority } from './mail-log';
import type { LogLevel, PolicyOptions } from './options';
import { actionOf, RequestReader } from './protocol';

/** Whether a failure has ended the program. After one, no request may be answered. */
let failed = false;

/** Serves one request, or with `persistent` all requests until the end of input; then ends the program. */
export function serve(options: PolicyOptions): void {
  const requests = new RequestReader(0);
  const store = new RuleStore(options.db);

  function serveOn(): void {
    while (!failed) {
      const request = requests.next();
      if (request === null) break;
      const now = Date.now();
      // Mail from unauthenticated clients must not depend on the database.
      const verdict: Verdict =
        request.user === '' ? { kind: 'no-user' } : store.read((rules) => decide(request, rules, now));
      if (!reply(actionOf(verdict, request, options.rejectText))) break;
      if (isLogged(verdict, options.log)) {
        logOf('info').write(logLine(verdict, request, options.log === 'all'));
        if (options.persistent) {
          // Run the event loop, to notice if the log program has ended.
          setImmediate(reportingFailures(serveOn));
          return;
        }
      }
      if (!options.persistent) break;
    }
    endProgram();
  }

  reportingFailures(serveOn)();
}

/** False when the peer is gone. */
function reply(action: string): boolean {
  try {
    return writeAll(1, Buffer.from(`${action}\n\n`));
  } catch (error) {
    throw outputTrouble(error);
  }
}

function isLogged(verdict: Verdict, level: LogLevel): boolean {
  return level === 'all' || (level === 'reject' && verdict.kind === 'refused');
}

const logs = new Map<Priority, MailLog>();

/** The mail log. Its code is loaded when the first line is logged. */
function logOf(priority: Priority): MailLog {
  let log = logs.get(priority);
  if (log === undefined) {
    const { MailLog: Log } = require('./mail-log') as typeof import('./mail-log');
    log = new Log(priority);
    logs.set(priority, log);
  }
  return log;
}

/** Ends the program after the log programs have read their lines and exited. */
function endProgram(): void {
  let open = logs.size;
  // Node's normal shutdown takes longer than an answer.
  if (open === 0) process.exit();
  for (const log of logs.values()) {
    log.close(() => {
      open--;
      if (open === 0) process.exit();
    });
  }
}

/** Returns a function that runs `work`, and turns what it throws into a warning and an exit status. */
export function reportingFailures(work: () => void): () => void {
  return () => {
    try {
      work();
    } catch (error) {
      fail(failureOf(error));
    }
  };
}

/** Ends the program without a reply. */
function fail(failure: Failure): void {
  failed = true;
  process.exitCode = policyStatus(failure);
  try {
    // Under Postfix this is /dev/null (descriptor.ts).
    writeSync(2, asErrorLines(failure));
  } catch {
    // The mail log has it too.
  }
  logOf('warning').write(asLogLine(failure));
  endProgram();
}

/** The handler of uncaught exceptions. */
export function failUncaught(error: unknown): void {
  try {
    fail(failureOf(error));
  } catch {
    // `fail` itself failed, so only the exit status can report the bug.
    process.exit(70);
  }
}
