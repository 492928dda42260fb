// The state of `sync`, in a file beside the database: the source of the rows, the last success, and failures since
// then.
//
// It is a separate JSON file, because a sync without differences must not write to the database. `list --status`,
// `doctor` and the next sync read it.
//
// DIAGNOSTICS: a missing, unreadable or damaged file counts as no state. No answer and no row depends on it.

import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import { asOwner } from '../cli/owner';
import { asLogLine, type Failure, isFailure, refusal } from '../failure';
import type { ImportResult } from '../rules/import';
import { formatInstant, parseInstant } from '../rules/meaning';
import type { Job } from './run';

/** Seconds between two runs, null for single runs; rows in the last good output. */
const NUMBERS = ['every', 'rows'] as const;
/**
 * Times, as formatInstant writes them: `last_change` is when rows were last written, `failing_since` the first failure
 * since the last success. `last_error` is null if the last run succeeded.
 */
const TEXTS = ['last_attempt', 'last_success', 'last_change', 'last_error', 'failing_since'] as const;

/** `list --status --json` prints these fields. `source`: COMMAND and its arguments. */
export type SyncState = { readonly source: readonly string[] } & {
  readonly [key in (typeof NUMBERS)[number]]: number | null;
} & { readonly [key in (typeof TEXTS)[number]]: string | null };

/** The state after a run that began at `begin` (ms since 1970) and ended now. */
export function nextState(
  before: SyncState | null,
  job: Job,
  begin: number,
  outcome: ImportResult | Failure,
): SyncState {
  const { source, every } = job;
  const last_attempt = formatInstant(begin);
  const now = formatInstant(Date.now());
  const never = { last_success: null, last_change: null, rows: null, failing_since: null };
  const known = { ...(before ?? never), source, every, last_attempt };
  if (isFailure(outcome)) {
    return { ...known, last_error: asLogLine(outcome), failing_since: known.failing_since ?? last_attempt };
  }
  const last_change = changesOf(outcome) === 0 ? known.last_change : now;
  const rows = outcome.added + outcome.changed + outcome.unchanged;
  return { ...known, last_success: now, last_change, rows, last_error: null, failing_since: null };
}

export function changesOf({ added, changed, removed }: ImportResult): number {
  return added + changed + removed;
}

export function stateFile(database: string): string {
  return `${database}.sync.json`;
}

/** The largest size in bytes. The command line is the longest part of a state. */
const LARGEST = 256 * 1024;

/** Null if there is no usable state. */
export function readState(database: string): SyncState | null {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
  let descriptor: number | null = null;
  try {
    // Do not wait for a FIFO in place of the file, and do not follow a symbolic link.
    descriptor = fs.openSync(stateFile(database), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    const stats = fs.fstatSync(descriptor);
    if (!stats.isFile() || stats.size > LARGEST) return null;
    const state: unknown = JSON.parse(fs.readFileSync(descriptor, 'utf8'));
    return isState(state) ? state : null;
  } catch {
    return null;
  } finally {
    if (descriptor !== null) fs.closeSync(descriptor);
  }
}

function isState(value: unknown): value is SyncState {
  const state = Object(value) as Record<string, unknown>;
  const isOr = (type: string) => (key: string) => state[key] === null || typeof state[key] === type;
  const isSource = Array.isArray(state['source']) && state['source'].every((word) => typeof word === 'string');
  return isSource && NUMBERS.every(isOr('number')) && TEXTS.every(isOr('string'));
}

/**
 * Replaces the file atomically. It gets the owner of the database and at most its permissions, as COMMAND may contain a
 * password. Throws Trouble.
 */
export function writeState(database: string, state: SyncState): void {
  try {
    asOwner(database, () => replaceFile(database, `${JSON.stringify(state, null, 2)}\n`));
  } catch (error) {
    const problem = `the state of sync cannot be written beside ${database} (${(error as Error).message})`;
    throw refusal(problem, 'the rows were synced all the same; let the user of sync write there');
  }
}

function replaceFile(database: string, text: string): void {
  const next = `${stateFile(database)}.${randomUUID()}`;
  const descriptor = fs.openSync(next, 'wx', 0o600);
  try {
    fs.writeFileSync(descriptor, text);
    const { uid, gid, mode } = fs.statSync(database);
    if (process.geteuid?.() === 0) fs.fchownSync(descriptor, uid, gid);
    fs.fchmodSync(descriptor, mode & 0o640);
    fs.renameSync(next, stateFile(database));
  } catch (error) {
    fs.rmSync(next, { force: true });
    throw error;
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Seconds since a time in the state; null if it is not a time. */
export function secondsSince(time: string | null, now: number): number | null {
  const moment = parseInstant(time ?? '');
  return moment === null ? null : Math.max(0, Math.round((now - moment) / 1000));
}

/** Whether `doctor` warns. With --every a few runs may fail; otherwise the last success may be a day ago. */
export function isOld(state: SyncState, now: number): boolean {
  const limit = state.every === null ? 86_400 : Math.max(3 * state.every, 300);
  return (secondsSince(state.last_success, now) ?? Number.POSITIVE_INFINITY) > limit;
}

/** `45 s`, `12 min`, `5 h`, `3 days`. */
export function ageText(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} days`;
}
