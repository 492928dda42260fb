// The policy program: requests on descriptor 0, answers on descriptor 1 (Postfix SMTPD_POLICY_README; spawn(8)).
//
// DIAGNOSTICS: trouble is answered with no reply, one warning in the mail log and an exit status; Postfix then asks once more,
// and after that tells its client to try later. An exception that nothing catches ends the program as any other trouble does.
import * as fs from 'node:fs';
import { writeAll } from '../descriptor';
import { asErrorLines, asLogLine, type Failure, failureOf, outputTrouble, policyStatus } from '../failure';
import { RuleStore } from '../rules/store';
import { decide, type Verdict } from './decide';
import { logLine } from './log-line';
import type { MailLog, Priority } from './mail-log';
import type { LogLevel, PolicyOptions } from './options';
import { actionOf, replyBytes } from './reply';
import { RequestReader } from './request';

/** Serves one request, or with `persistent` all requests until the end of input; then sets the exit status. */
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
        // Lets the event loop run, which notices that the log program has ended.
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

/** The mail log. Its code is loaded for the first line. */
function logOf(priority: Priority): MailLog {
  let log = logs.get(priority);
  if (log === undefined) {
    const { MailLog: Log } = require('./mail-log') as typeof import('./mail-log');
    log = new Log(priority);
    logs.set(priority, log);
  }
  return log;
}

/** Ends the program when the log programs have taken their lines and ended, so that none is left behind. */
function endProgram(): void {
  let open = logs.size;
  // Node's own shutdown takes longer than the answer did.
  if (open === 0) process.exit();
  for (const log of logs.values()) log.close(() => --open === 0 && process.exit());
}

/** Runs `work`; what it throws becomes a warning and an exit status. */
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
    // `fail` itself does not work: only the status is left to report the bug.
    process.exit(70);
  }
}
