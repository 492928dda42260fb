// What `sync` remembers beside the database: where the rows came from, when that last worked, what went wrong since.
//
// A JSON file of its own, because a sync without a difference must not write to the database. It is read by `list --status`, by `doctor`
// and by the next sync. In trouble (missing, unreadable, damaged) nothing is known; no answer and no row depends on it.
import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import { parseInstant } from '../rules/expiry';
import { asOwner } from '../rules/owner';

export interface SyncState {
  /** COMMAND and its arguments. */
  readonly source: readonly string[];
  /** Seconds between two runs; null for single runs. */
  readonly every: number | null;
  /** Times as formatInstant writes them. */
  readonly attempted: string;
  readonly succeeded: string | null;
  /** The last time that rows were written. */
  readonly changed: string | null;
  /** The rows of the last good output. */
  readonly rows: number | null;
  /** Null when the last attempt went well. */
  readonly error: string | null;
  /** The first failure since the last success. */
  readonly failing: string | null;
}

export function stateFile(database: string): string {
  return `${database}.sync.json`;
}

/** Bytes. No state is larger: a command line is the longest part of it. */
const LARGEST = 256 * 1024;

/** `forbidden`: there is one, and this user may not read it. Null: there is none that can be used. */
export function readState(database: string): SyncState | 'forbidden' | null {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
  try {
    // A FIFO in its place must not be waited for, and a link not followed.
    const descriptor = fs.openSync(stateFile(database), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
      const stats = fs.fstatSync(descriptor);
      if (!stats.isFile() || stats.size > LARGEST) return null;
      const state: unknown = JSON.parse(fs.readFileSync(descriptor, 'utf8'));
      return isState(state) ? state : null;
    } finally {
      fs.closeSync(descriptor);
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'EACCES' || code === 'EPERM' ? 'forbidden' : null;
  }
}

function isState(value: unknown): value is SyncState {
  if (typeof value !== 'object' || value === null) return false;
  const state = value as Record<keyof SyncState, unknown>;
  const isOr = (type: 'number' | 'string', ...keys: (keyof SyncState)[]) =>
    keys.every((key) => state[key] === null || typeof state[key] === type);
  return (
    Array.isArray(state.source) &&
    state.source.every((word) => typeof word === 'string') &&
    typeof state.attempted === 'string' &&
    isOr('number', 'every', 'rows') &&
    isOr('string', 'succeeded', 'changed', 'error', 'failing')
  );
}

/**
 * Replaces the file in one step. It has the owner of the database, and no more permissions: COMMAND may hold a password.
 * Throws the error of the file system, and Trouble.
 */
export function writeState(database: string, state: SyncState): void {
  asOwner(database, () => {
    const next = `${stateFile(database)}.${randomUUID()}`;
    const descriptor = fs.openSync(next, 'wx', 0o600);
    try {
      fs.writeFileSync(descriptor, `${JSON.stringify(state, null, 2)}\n`);
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
  });
}

/** Seconds since the last success; null when there was none. */
export function ageOf(state: SyncState, now: number): number | null {
  const moment = state.succeeded === null ? null : parseInstant(state.succeeded);
  return moment === null ? null : Math.max(0, Math.round((now - moment) / 1000));
}

/** How old (seconds) the last success may be before `doctor` warns: a few runs may fail, or one that somebody starts by hand be a day ago. */
export function limitOf(state: SyncState): number {
  return state.every === null ? 86_400 : Math.max(3 * state.every, 300);
}

export interface SyncCheck {
  readonly level: 'ok' | 'warn';
  readonly text: string;
  readonly remedy: string | null;
}

/** For `doctor`: nothing when the database was never synced. `limit`: seconds, in place of limitOf. */
export function syncChecks(database: string, now: number, limit?: number): SyncCheck[] {
  const state = readState(database);
  if (state === null) return [];
  if (state === 'forbidden') {
    const text = `no permission to read ${stateFile(database)}, so nothing is known about sync`;
    return [{ level: 'warn', text, remedy: 'run the command as root' }];
  }
  const age = ageOf(state, now);
  const from = `sync from ${state.source[0]}`;
  const error = state.error === null ? '' : `; last error: ${state.error}`;
  const remedy = 'allow-nets list --status shows the command: run it by hand; see that sync --every is running';
  if (age === null) return [{ level: 'warn', text: `${from} has never worked${error}`, remedy }];
  const text = `${from}: last success ${ageText(age)} ago${error}`;
  return age > (limit ?? limitOf(state)) ? [{ level: 'warn', text, remedy }] : [{ level: 'ok', text, remedy: null }];
}

/** `45 s`, `12 min`, `5 h`, `3 days`. */
export function ageText(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} days`;
}
