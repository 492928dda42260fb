// One run of `sync`: runs the command, reads its rows and updates the database.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { printable, Trouble } from '../failure';
import { blocksOf } from '../formats/lines';
import { load } from '../formats/load';
import type { Problems } from '../formats/read';
import type { Format } from '../formats/records';
import { databaseFailure } from '../rules/database-failure';
import type { ImportResult } from '../rules/import';
import { outputOf } from './output';

/** The longest time that setTimeout accepts (ms): 24 days. */
export const LONGEST_TIMER = 2 ** 31 - 1;

export interface Job {
  readonly db: string;
  /** COMMAND and its arguments. */
  readonly source: readonly string[];
  readonly format: Format | null;
  readonly force: boolean;
  /** Whether to only print what would change. */
  readonly dryRun: boolean;
  /** Seconds, for COMMAND and for the reading of its output. */
  readonly timeout: number;
  /** Seconds, or null for a single run. */
  readonly every: number | null;
}

/**
 * Makes the database equal to the command's output. `stop`: its reason is Trouble. After Trouble, nothing has changed.
 */
export async function syncOnce(job: Job, stop: AbortSignal): Promise<ImportResult> {
  const { db, source, timeout } = job;
  if (!fs.existsSync(db)) throw new Trouble(databaseFailure('database-missing', db));
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(timeoutTrouble(job)), Math.min(LONGEST_TIMER, timeout * 1000));
  stop.addEventListener('abort', () => limit.abort(stop.reason), { signal: limit.signal });
  try {
    const descriptor = await outputOf(source, limit);
    try {
      return await loadOutput(job, descriptor, limit.signal);
    } finally {
      fs.closeSync(descriptor);
    }
  } finally {
    clearTimeout(timer);
    limit.abort();
  }
}

async function loadOutput(job: Job, descriptor: number, limit: AbortSignal): Promise<ImportResult> {
  const { db, format, dryRun, force } = job;
  const input = { blocks: blocksOf(descriptor), name: '-', format, leaveOutLocal: true };
  const empty = {
    problem: `${nameOf(job)} printed nothing`,
    hint: 'nothing was changed; if the list really is empty, run it once with --force',
  };
  // The time limit applies to reading only: a transaction is never interrupted.
  const check = () => limit.throwIfAborted();
  const { read, result } = await load(db, { ...input, check }, { replace: true, dryRun, force, empty });
  if (result === null) throw unreadable(nameOf(job), read.problems);
  if (result.refusal !== null) throw result.refusal;
  return result;
}

/** The name of the command, for messages. */
export function nameOf({ source }: Pick<Job, 'source'>): string {
  return path.basename(source[0] ?? '');
}

function timeoutTrouble(job: Job): Trouble {
  const problem = `${nameOf(job)} had not ended after ${job.timeout} s and was killed`;
  return refused(problem, `nothing was changed; if it needs longer: --timeout ${2 * job.timeout}s`);
}

function unreadable(name: string, { list: [first], count }: Problems): Trouble {
  const more = count > 1 ? ` (and ${count - 1} more)` : '';
  const problem = `line ${first?.line} of what ${name} printed: ${printable(first?.problem ?? '')}${more}`;
  return refused(problem, `nothing was changed; ${printable(first?.hint ?? '')}`);
}

function refused(problem: string, hint: string): Trouble {
  return new Trouble({ kind: 'refused', problem, hint });
}
