// One run of `sync`: runs the command, reads its rows and updates the database.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { printable, refusal } from '../failure';
import { blocksOf } from '../formats/lines';
import { type LoadOptions, load } from '../formats/load';
import type { Report } from '../formats/report';
import { type ReadOptions, rowReader } from '../formats/rows';
import type { ImportResult } from '../rules/import';
import { outputOf } from './output';

/** The longest time that setTimeout accepts (ms): 24 days. */
export const LONGEST_TIMER = 2 ** 31 - 1;

export interface Job extends Pick<LoadOptions, 'force' | 'dryRun'>, Pick<ReadOptions, 'format'> {
  readonly db: string;
  /** COMMAND and its arguments. */
  readonly source: readonly string[];
  /** Seconds, for COMMAND and for the reading of its output. */
  readonly timeout: number;
  /** Seconds, or null for a single run. */
  readonly every: number | null;
}

/** The name of the command, for messages. */
export function nameOf({ source }: Pick<Job, 'source'>): string {
  return path.basename(source[0] ?? '');
}

/**
 * Makes the database equal to the command's output. `stop`: its reason is Trouble. After Trouble, nothing has changed.
 */
export async function syncOnce(job: Job, stop: AbortSignal): Promise<ImportResult> {
  const limit = new AbortController();
  const slow = `${nameOf(job)} had not ended after ${job.timeout} s and was killed`;
  const trouble = refusal(slow, `nothing was changed; if it needs longer: --timeout ${2 * job.timeout}s`);
  const timer = setTimeout(() => limit.abort(trouble), Math.min(LONGEST_TIMER, job.timeout * 1000));
  const forward = () => limit.abort(stop.reason);
  stop.addEventListener('abort', forward);
  let descriptor: number | null = null;
  try {
    descriptor = await outputOf(job.source, limit.signal);
    // The time limit applies to reading only: a transaction is never interrupted.
    const check = () => limit.signal.throwIfAborted();
    const read = rowReader({ format: job.format, leaveOutLocal: true, check });
    const { force, dryRun } = job;
    const options = { blocks: blocksOf(descriptor), replace: true, force, dryRun };
    const { report, result } = await load(job.db, options, read);
    if (result === null) throw unreadable(nameOf(job), report);
    if (result.refusal !== null) throw result.refusal;
    return result;
  } finally {
    clearTimeout(timer);
    stop.removeEventListener('abort', forward);
    if (descriptor !== null) fs.closeSync(descriptor);
  }
}

function unreadable(name: string, { problems: [first], count }: Report) {
  const more = count > 1 ? ` (and ${count - 1} more)` : '';
  const problem = `line ${first?.line} of what ${name} printed: ${printable(first?.problem ?? '')}${more}`;
  return refusal(problem, `nothing was changed; ${printable(first?.hint ?? '')}`);
}
