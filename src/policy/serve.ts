// The policy program: requests on descriptor 0, answers on descriptor 1 (Postfix SMTPD_POLICY_README; spawn(8)).
//
// DIAGNOSTICS: trouble is answered with no reply, one warning in the mail log and an exit status; Postfix then asks again once and after that
// tells its client to try later. Nothing is written to descriptor 2 while it is a socket: it is the client's side of the policy
// connection too, and a line there could be taken for an answer.
//
// process.stdin, process.stdout and console are not touched: they would make the shared socket non-blocking.
import * as fs from 'node:fs';
import { asErrorLines, asLogLine, type Failure, failureOf, policyStatus } from '../failure';
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
  const log = mailLog('info');

  function serveOn(): void {
    for (;;) {
      const request = requests.next();
      if (request === null) break;
      const verdict = rules.decide(request, Date.now());
      if (!writeReply(1, actionOf(verdict, request, options.rejectText))) break;
      if (isLogged(verdict, options.log)) {
        log().write(logLine(verdict, request, options.log === 'all'));
        // A turn of the event loop, so that the log program's end or trouble is seen.
        if (options.persistent) return void setImmediate(guarded(serveOn));
      }
      if (!options.persistent) break;
    }
    log.close();
  }

  guarded(serveOn)();
}

function isLogged(verdict: Verdict, level: LogLevel): boolean {
  return level === 'all' || (level === 'reject' && verdict.kind === 'refused');
}

/** The mail log, whose code is loaded only for the first line. */
function mailLog(priority: Priority): { (): MailLog; close(): void } {
  let log: MailLog | null = null;
  function opened(): MailLog {
    if (log === null) {
      const { MailLog: Log } = require('../postfix/mail-log') as typeof import('../postfix/mail-log');
      log = new Log(priority);
    }
    return log;
  }
  opened.close = () => log?.close(() => {});
  return opened;
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

/** Ends the program without a reply. */
export function fail(failure: Failure): void {
  process.exitCode = policyStatus(failure);
  if (!isSocket(2)) {
    try {
      fs.writeSync(2, asErrorLines(failure));
    } catch {
      // The mail log has it too.
    }
  }
  const { MailLog: Log } = require('../postfix/mail-log') as typeof import('../postfix/mail-log');
  const log = new Log('warning');
  log.write(asLogLine(failure));
  log.close(() => process.exit());
}

/** Whether a descriptor is a socket: for descriptor 2, whether Postfix runs the program. */
export function isSocket(descriptor: number): boolean {
  try {
    return fs.fstatSync(descriptor).isSocket();
  } catch {
    return false;
  }
}
