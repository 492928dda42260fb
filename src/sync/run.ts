// One run of `sync`: COMMAND, its rows, the database, and what is remembered of it.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { printChange } from '../commands/import';
import { asLogLine, type Failure, failureOf, printable, Trouble } from '../failure';
import { bytesOfFile } from '../formats/chunks';
import type { Format } from '../formats/format';
import { load } from '../formats/load';
import type { Read } from '../formats/read';
import { databaseFailure } from '../rules/database-failure';
import { formatInstant } from '../rules/expiry';
import type { ImportResult } from '../rules/import';
import { limitsOf, Stopped } from './limits';
import { outputOf } from './source';
import type { SyncState } from './state';

export interface Job {
  readonly db: string;
  /** COMMAND and its arguments. */
  readonly source: readonly string[];
  readonly format: Format | null;
  readonly force: boolean;
  /** Print what would change, and change nothing. */
  readonly dryRun: boolean;
  /** Seconds, for COMMAND and for the reading of its output. */
  readonly timeout: number;
  /** Seconds, or null for a single run. */
  readonly every: number | null;
}

export type Run =
  /** `took`: seconds. `state`: what is known now. */
  | { readonly kind: 'good'; readonly result: ImportResult; readonly took: number; readonly state: SyncState }
  | { readonly kind: 'failed'; readonly failure: Failure; readonly state: SyncState }
  | { readonly kind: 'stopped' };

/** `before`: what was known. Throws only a bug. */
export async function runOnce(job: Job, before: SyncState | null, stop: AbortSignal): Promise<Run> {
  const begin = Date.now();
  const { source, every } = job;
  const attempted = formatInstant(begin);
  const { succeeded = null, changed = null, rows = null, failing = null } = before ?? {};
  try {
    const result = await synced(job, stop);
    const now = formatInstant(Date.now());
    const state = {
      source,
      every,
      attempted,
      succeeded: now,
      changed: changesOf(result) === 0 ? changed : now,
      rows: result.unchanged + result.added + result.changed,
      error: null,
      failing: null,
    };
    return { kind: 'good', result, took: (Date.now() - begin) / 1000, state };
  } catch (error) {
    if (error instanceof Stopped) return { kind: 'stopped' };
    const failure = failureOf(error);
    if (failure.kind === 'bug') throw error;
    const words = { error: asLogLine(failure), failing: failing ?? attempted };
    return {
      kind: 'failed',
      failure,
      state: { source, every, attempted, succeeded, changed, rows, ...words },
    };
  }
}

export function changesOf({ added, changed, removed }: ImportResult): number {
  return added + changed + removed;
}

async function synced({ db, source, format, force, dryRun, timeout }: Job, stop: AbortSignal): Promise<ImportResult> {
  if (!fs.existsSync(db)) throw new Trouble(databaseFailure('database-missing', db));
  const name = path.basename(source[0] ?? '');
  const limits = limitsOf(timeout, name, stop);
  try {
    const descriptor = await outputOf(source, limits);
    try {
      const loaded = await load(
        db,
        { chunks: bytesOfFile(descriptor), name: '-', format, leaveOutLocal: true, check: limits.check },
        {
          replace: true,
          dryRun,
          force,
          empty: {
            problem: `${name} printed nothing`,
            hint: 'nothing was changed; if the list really is empty, run it once with --force',
          },
          report: dryRun ? (change) => printChange(change, true) : undefined,
        },
      );
      if (loaded.kind === 'unreadable') throw unreadable(name, loaded.read);
      if (loaded.result.refusal !== null) throw loaded.result.refusal;
      return loaded.result;
    } finally {
      fs.closeSync(descriptor);
    }
  } finally {
    limits.clear();
  }
}

function unreadable(name: string, { problems, problemCount }: Read): Trouble {
  const [first] = problems;
  const more = problemCount > 1 ? ` (and ${problemCount - 1} more)` : '';
  const problem = `line ${first?.line} of what ${name} printed: ${printable(first?.problem ?? '')}${more}`;
  return new Trouble({
    kind: 'refused',
    problem,
    hint: `nothing was changed; ${printable(first?.hint ?? '')}`,
  });
}
