// One run of `sync`: COMMAND, its rows, the database, and what is remembered of it.
//
// When neither the output nor the database file has changed since a run that found no difference, the rows are not even read.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { printDifference } from '../commands/import';
import { asLogLine, type Failure, failureOf, printable, Trouble } from '../failure';
import type { Format } from '../formats/format';
import { load } from '../formats/load';
import type { Read } from '../formats/read';
import { Overtaken } from '../rules/bring-in';
import { formatInstant } from '../rules/expiry';
import { type Output, outputOf, SourceTrouble } from './source';
import { lookOfDatabase, readState, type SyncState, writeState } from './state';

declare const __VERSION__: string;

export interface Job {
  readonly db: string;
  /** COMMAND and its arguments. */
  readonly source: readonly string[];
  readonly format: Format | null;
  readonly force: boolean;
  /** Print what would change, and change nothing. */
  readonly dryRun: boolean;
  /** Seconds. */
  readonly timeout: number;
  /** Seconds, or null for a single run. */
  readonly every: number | null;
}

/** Rows of entries and of sets. `changed`: got another note or another time. */
export interface Changes {
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
}

export type Run =
  /** `took`: seconds. */
  | { readonly kind: 'good'; readonly changes: Changes; readonly rows: number; readonly took: number }
  /** `sort`: a word that tells this failure from one of another sort. */
  | { readonly kind: 'failed'; readonly failure: Failure; readonly sort: string }
  | { readonly kind: 'stopped' };

/** A state that cannot be written is told through `warn`, and the run is good all the same. Throws only a bug. */
export async function syncOnce(job: Job, stop: AbortSignal, warn: (failure: Failure) => void): Promise<Run> {
  const begin = Date.now();
  const state = readState(job.db);
  const before = state === 'forbidden' ? null : state;
  try {
    if (!fs.existsSync(job.db)) throw new Trouble({ kind: 'database-missing', file: job.db });
    const output = await outputOf(job.source, job.timeout, stop);
    try {
      const good = broughtIn(job, output, before);
      const now = formatInstant(Date.now());
      const changed = isNothing(good.changes) ? (before?.changed ?? null) : now;
      const { rows, settled } = good;
      remember(job, begin, warn, { succeeded: now, changed, rows, settled, error: null, failing: null });
      return { kind: 'good', rows, changes: good.changes, took: (Date.now() - begin) / 1000 };
    } finally {
      output.close();
    }
  } catch (error) {
    const sort = error instanceof SourceTrouble ? error.sort : null;
    if (sort === 'stopped') return { kind: 'stopped' };
    const failure = failureOf(error);
    if (failure.kind === 'bug') throw error;
    const { succeeded = null, changed = null, rows = null } = before ?? {};
    const failing = before?.failing ?? formatInstant(begin);
    remember(job, begin, warn, {
      succeeded,
      changed,
      rows,
      settled: null,
      error: asLogLine(failure),
      failing,
    });
    return { kind: 'failed', failure, sort: sort ?? failure.kind };
  }
}

export function isNothing({ added, changed, removed }: Changes): boolean {
  return added + changed + removed === 0;
}

type Good = { changes: Changes } & Pick<SyncState, 'settled'> & { rows: number };

function broughtIn(job: Job, output: Output, before: SyncState | null): Good {
  const digest = `${output.digest} ${job.format ?? 'guess'} ${__VERSION__}`;
  const look = lookOfDatabase(job.db);
  const { settled = null, rows = null } = before ?? {};
  if (
    !job.dryRun &&
    look !== null &&
    rows !== null &&
    settled?.output === digest &&
    settled.database === look
  ) {
    return { changes: { added: 0, changed: 0, removed: 0 }, rows, settled };
  }
  const name = path.basename(job.source[0] ?? '');
  const loaded = notOvertaken(() =>
    load(
      job.db,
      { chunks: output.chunks(), name: '-', format: job.format, leaveOutLocal: true, compare: true },
      { replace: true, dryRun: job.dryRun, force: job.force },
      (read) => {
        if (read.isEmpty && !job.force) throw empty(name);
      },
      (connection) => {
        if (job.dryRun) printDifference(connection);
      },
    ),
  );
  if (loaded.kind === 'unreadable') throw unreadable(name, loaded.read);
  const { access, network_set: sets, unchanged, refusal } = loaded.outcome;
  if (refusal !== null) throw refusal;
  const changes = {
    added: access.added + sets.added,
    changed: access.changed + sets.changed,
    removed: access.removed + sets.removed,
  };
  // Only of a run that wrote nothing is it sure that the file is what was compared.
  const still = look !== null && isNothing(changes) && lookOfDatabase(job.db) === look;
  return {
    changes,
    rows: unchanged + changes.added + changes.changed,
    settled: still ? { output: digest, database: look } : null,
  };
}

/** An administrator's commands come now and then, not time after time. */
function notOvertaken<T>(work: () => T, tries = 3): T {
  try {
    return work();
  } catch (error) {
    if (tries > 1 && error instanceof Overtaken) return notOvertaken(work, tries - 1);
    throw error;
  }
}

function empty(name: string): Trouble {
  const hint = 'nothing was changed; should the list really be empty, run it once with --force';
  return new Trouble({ kind: 'refused', problem: `${name} printed nothing`, hint });
}

function unreadable(name: string, { problems, problemCount }: Read): SourceTrouble {
  const [first] = problems;
  const more = problemCount > 1 ? ` (and ${problemCount - 1} more)` : '';
  const problem = `line ${first?.line} of what ${name} printed: ${printable(first?.problem ?? '')}${more}`;
  return new SourceTrouble('rows', problem, `nothing was changed; ${printable(first?.hint ?? '')}`);
}

type Remembered = Omit<SyncState, 'source' | 'every' | 'attempted'>;

function remember(job: Job, begin: number, warn: (failure: Failure) => void, found: Remembered): void {
  if (job.dryRun || !fs.existsSync(job.db)) return;
  try {
    const { source, every } = job;
    writeState(job.db, { source, every, attempted: formatInstant(begin), ...found });
  } catch (error) {
    const problem = `what is known of sync cannot be written beside ${job.db} (${(error as Error).message})`;
    const hint = 'rows are synced all the same; let the user of sync write in that folder';
    warn({ kind: 'refused', problem, hint });
  }
}
