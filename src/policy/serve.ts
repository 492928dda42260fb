// The policy program: requests on descriptor 0, answers on descriptor 1 (Postfix SMTPD_POLICY_README; spawn(8)).
//
// DIAGNOSTICS: trouble is answered with no reply, one warning in the mail log and an exit status; Postfix then asks again once and after that
// tells its client to try later. Under Postfix descriptor 2 is the policy socket too, where a line could be taken for an answer: first.ts has
// made it /dev/null.
//
// process.stdin, process.stdout and console are not touched: they would make the shared socket non-blocking.
import * as fs from 'node:fs';
import { asErrorLines, asLogLine, type Failure, failureOf, policyStatus } from '../failure';
import { uncaught, underPostfix } from '../first';
import type { MailLog, Priority } from '../postfix/mail-log';
import { LiveRules } from '../rules/live';
import type { Verdict } from './decide';
import { logLine } from './log-line';
import type { LogLevel, PolicyOptions } from './options';
import { actionOf, writeReply } from './reply';
import { RequestReader } from './request';

/** Serves one request, or with `persistent` one after the other until the end of input. The exit status is set when it is done. */
export function serve(options: PolicyOptions): void {
  const requests = new RequestReader(0);
  const rules = new LiveRules(options.db);

  function serveOn(): void {
    while (!failed) {
      const request = requests.next();
      if (request === null) break;
      const verdict = rules.decide(request, Date.now());
      if (!writeReply(1, actionOf(verdict, request, options.rejectText))) break;
      if (options.persistent) rules.rest();
      if (isLogged(verdict, options.log)) {
        logOf('info').write(logLine(verdict, request, options.log === 'all'));
        // A turn of the event loop, so that the log program's end or trouble is seen.
        if (options.persistent) return void setImmediate(guarded(serveOn));
      }
      if (!options.persistent) break;
    }
    // Nothing is left to do: without Node's own way to the end, which takes longer than the answer took.
    if (logs.size === 0) process.exit();
    closeLogs(() => {});
  }

  guarded(serveOn)();
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

/** Lets the log programs end, so that none is left behind, then calls `done`. */
function closeLogs(done: () => void): void {
  let open = logs.size;
  if (open === 0) done();
  for (const log of logs.values()) log.close(() => --open === 0 && done());
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
  endOnBugs();
  process.exitCode = policyStatus(failure);
  try {
    // Under Postfix to nobody: see first.ts.
    fs.writeSync(2, asErrorLines(failure));
  } catch {
    // The mail log has it too.
  }
  logOf('warning').write(asLogLine(failure));
  closeLogs(() => process.exit());
}

/** An error that nothing catches ends the program as any other trouble does. */
export function endOnBugs(): void {
  if (uncaught.end === endUncaught) return;
  uncaught.end = endUncaught;
  if (!underPostfix) process.on('uncaughtException', endUncaught);
}

function endUncaught(error: unknown): void {
  try {
    fail(failureOf(error));
  } catch {
    // Whatever of this program does not work: a bug, in plain numbers.
    process.exit(70);
  }
}
