// Writes the log lines of `sync`: one for a change, for the first failure, and for the recovery.
import { flush, printError, printLine } from '../cli/output';
import { asErrorLines, asLogLine, type Failure, isFailure } from '../failure';
import { MailLog, type Priority } from '../policy/mail-log';
import type { ImportResult } from '../rules/import';
import { type Job, nameOf } from './run';
import { ageText, changesOf, type SyncState, secondsSince } from './state';

/**
 * `before`: the state before the run. `took`: seconds. With --every, changes also go to standard output, and the failure
 * to standard error.
 */
export async function logRun(
  job: Job,
  outcome: ImportResult | Failure,
  before: SyncState | null,
  took: number,
): Promise<void> {
  const isFailing = (before?.last_error ?? null) !== null;
  if (isFailure(outcome)) {
    if (isFailing) return;
    if (job.every !== null) printError(asErrorLines(outcome));
    return toMailLog('warning', `sync: ${asLogLine(outcome)}; source=${nameOf(job)}`);
  }
  const { added, removed, changed } = outcome;
  const age = secondsSince(before?.failing_since ?? null, Date.now());
  const texts: string[] = [];
  if (isFailing) texts.push(`works again${age === null ? '' : ` after ${ageText(age)}`}`);
  if (changesOf(outcome) > 0) {
    texts.push(`added=${added} removed=${removed} changed=${changed} took=${took.toFixed(1)}s`);
  }
  for (const line of texts.map((text) => `sync: ${text} source=${nameOf(job)}`)) {
    if (job.every !== null) printLine(line);
    flush();
    await toMailLog('info', line);
  }
}

/** Starts a log program for each line: lines are rare, and a long-running one could miss that the log was rotated. */
function toMailLog(priority: Priority, line: string): Promise<void> {
  const log = new MailLog(priority);
  log.write(line.replace(/[^ -~]/g, '?'));
  return new Promise((resolve) => log.close(resolve));
}
