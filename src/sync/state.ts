// What `sync` remembers beside the database: where the rows came from, when that last worked, what went wrong since.
//
// A JSON file of its own, because a sync without a difference must not write to the database. It is read by `list --status`, by `doctor`
// and by the next sync. In trouble (missing, unreadable, damaged) nothing is known; no answer and no row depends on it.
import * as fs from 'node:fs';
import { parseInstant } from '../rules/expiry';

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
  /** What the last good output and the database were: while both stand, there is no difference to look for. */
  readonly settled: { readonly output: string; readonly database: string } | null;
}

export function stateFile(database: string): string {
  return `${database}.sync.json`;
}

/** More is not ours: the arguments of COMMAND are the only long thing in it. */
const LARGEST = 256 * 1024;

/** `forbidden`: there is one, and this user may not read it. Null: there is none that can be used. */
export function readState(database: string): SyncState | 'forbidden' | null {
  try {
    return checkedState(JSON.parse(readSmallFile(stateFile(database))));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'EACCES' || code === 'EPERM' ? 'forbidden' : null;
  }
}

/** The folder may be another account's, who can put a FIFO or a link to a device there. */
function readSmallFile(file: string): string {
  const descriptor = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  try {
    const stat = fs.fstatSync(descriptor);
    if (!stat.isFile() || stat.size > LARGEST) throw new Error(`${file} is not a state file`);
    const bytes = Buffer.alloc(stat.size);
    return bytes.toString('utf8', 0, fs.readSync(descriptor, bytes));
  } finally {
    fs.closeSync(descriptor);
  }
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isCount = (value: unknown) => Number.isInteger(value) && Number(value) >= 0;

/** The state when every part of it has its type, else null. */
function checkedState(value: unknown): SyncState | null {
  if (typeof value !== 'object' || value === null) return null;
  const { source, every, attempted, succeeded, changed, rows, error, failing, settled } = value as SyncState;
  const isWhole =
    Array.isArray(source) &&
    source.length > 0 &&
    source.every(isText) &&
    isText(attempted) &&
    [every, rows].every((number) => number === null || isCount(number)) &&
    [succeeded, changed, error, failing].every((text) => text === null || isText(text)) &&
    (settled === null || (isText(settled?.output) && isText(settled.database)));
  return isWhole ? { source, every, attempted, succeeded, changed, rows, error, failing, settled } : null;
}

/**
 * Replaces the file in one step. It belongs to the owner of the database, and others may not read it: COMMAND may hold a password.
 * Throws the error of the file system.
 */
export function writeState(database: string, state: SyncState): void {
  const file = stateFile(database);
  const next = `${file}.${process.pid}`;
  try {
    fs.writeFileSync(next, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o640 });
    const { uid, gid } = fs.statSync(database);
    if (process.geteuid?.() === 0) fs.chownSync(next, uid, gid);
    fs.renameSync(next, file);
  } catch (error) {
    fs.rmSync(next, { force: true });
    throw error;
  }
}

/**
 * What tells one state of the database file from another, without reading it: file, size, time and SQLite's change counter
 * (file format 1.3.7). Null when that says nothing: an interrupted change, write-ahead mode, no file.
 */
export function lookOfDatabase(database: string): string | null {
  if (fs.existsSync(`${database}-journal`)) return null;
  try {
    const descriptor = fs.openSync(database, 'r');
    try {
      const header = Buffer.alloc(28);
      fs.readSync(descriptor, header, 0, header.length, 0);
      if (header[18] !== 1) return null;
      const { dev, ino, size, mtimeNs } = fs.fstatSync(descriptor, { bigint: true });
      return [dev, ino, size, mtimeNs, header.readUInt32BE(24)].join(' ');
    } finally {
      fs.closeSync(descriptor);
    }
  } catch {
    return null;
  }
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
  const remedy =
    'allow-nets list --status shows the command: run it by hand; see that sync --every is running';
  if (age === null) return [{ level: 'warn', text: `${from} has never worked${error}`, remedy }];
  const text = `${from}: last success ${ageText(age)} ago${error}`;
  return age > (limit ?? limitOf(state))
    ? [{ level: 'warn', text, remedy }]
    : [{ level: 'ok', text, remedy: null }];
}

/** `45 s`, `12 min`, `5 h`, `3 days`. */
export function ageText(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} days`;
}
