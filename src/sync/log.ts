// What a sync tells: one line in the mail log for each change, for the first failure (of each sort), and for the recovery.
//
// The same lines go to standard output and standard error, for a terminal or a journal. A failure that goes on is told once; after that
// it stands in the state (sync-state.ts).

import { flush, printError, printLine } from '../cli/output';
import { asErrorLines, asLogLine, type Failure } from '../failure';
import { MailLog, type Priority } from '../postfix/mail-log';
import { type Changes, isNothing, type Run } from './run';
import { ageText } from './state';

export class SyncLog {
  /** The sorts of failure that were told since the last good run. */
  private readonly told = new Set<string>();
  private failures = 0;
  private since = 0;

  /** `source`: what the rows come from. `failing`: whether the last run, of another process, failed. `single`: there is only one run. */
  constructor(
    private readonly source: string,
    private failing: boolean,
    private readonly single: boolean,
  ) {}

  /** Resolves when the log programs have taken the lines. */
  async tell(run: Run): Promise<void> {
    if (run.kind === 'failed') await this.failed(run.failure, run.sort);
    if (run.kind === 'good') await this.worked(run.changes, run.took);
  }

  /** `sort`: see Run. */
  async failed(failure: Failure, sort: string): Promise<void> {
    if (this.failures++ === 0) this.since = Date.now();
    if (this.told.has(sort)) return;
    this.told.add(sort);
    printError(asErrorLines(failure));
    // Started by cron every minute, single runs are a series too.
    if (!(this.single && this.failing)) await toMailLog('warning', `sync: ${asLogLine(failure)}`);
  }

  private async worked(changes: Changes, took: number): Promise<void> {
    if (this.failures > 0 || this.failing) await this.info(this.recovery());
    this.told.clear();
    this.failing = false;
    this.failures = 0;
    if (isNothing(changes)) return;
    const { added, removed, changed } = changes;
    const figures = `added=${added} removed=${removed} changed=${changed} took=${took.toFixed(1)}s`;
    await this.info(`sync: ${figures} source=${this.source}`);
  }

  private recovery(): string {
    if (this.failures === 0) return `sync: works again source=${this.source}`;
    const age = ageText(Math.round((Date.now() - this.since) / 1000));
    return `sync: works again after failures=${this.failures} in ${age} source=${this.source}`;
  }

  private async info(line: string): Promise<void> {
    if (!this.single) printLine(line);
    flush();
    await toMailLog('info', line);
  }
}

/** With a log program of its own: lines are rare here, and one that waited for hours could miss that the log was rotated. */
export function toMailLog(priority: Priority, line: string): Promise<void> {
  const log = new MailLog(priority);
  log.write(line.replace(/[^ -~]/g, '?'));
  return new Promise((resolve) => log.close(resolve));
}
