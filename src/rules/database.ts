// Opens the SQLite database.
//
// Only SQLite opens, reads and closes the file: on POSIX, closing any descriptor of it drops SQLite's locks
// (sqlite.org/howtocorrupt.html, 2.2).
//
// DIAGNOSTICS: errors of SQLite, better-sqlite3 and the file system become Trouble with the fix. Any other error is a
// bug.
import * as fs from 'node:fs';
import * as path from 'node:path';
import type Database from 'better-sqlite3';
import { shellWord, Trouble } from '../failure';
import { isLoadError, loadDriver, loadTrouble } from './addon';
import { databaseFailure, databaseFailureOf, versionFailure, writeFailure } from './database-failure';
import { SCHEMA_VERSION } from './schema';

export { DEFAULT_DATABASE } from './schema';

export type Connection = Database.Database;
export type Statement = Database.Statement<unknown[], unknown>;

/** The time (ms) to wait for a lock. It is short because a mail client may be waiting for the answer. */
const BUSY_TIMEOUT = 2000;

/** The most changed pages that SQLite keeps in memory until the commit: 120 MB. */
const UNWRITTEN_PAGES = 30_000;

/** Opens an existing database read-only, as the policy program does. `file`: an absolute path. */
export function openForReading(file: string): Connection {
  const connection = open(file, { readonly: true, fileMustExist: true });
  if (withDatabaseErrors(file, () => journalMode(connection)) !== 'wal') return connection;
  // In WAL mode changes go to a second file, which a user without write permission cannot read reliably.
  connection.close();
  throw new Trouble(databaseFailure('database-wal', file));
}

function journalMode(connection: Connection): unknown {
  try {
    return connection.pragma('journal_mode', { simple: true });
  } catch (error) {
    // SQLite opened the file, but not the -wal and -shm files that WAL mode needs.
    const isUnopened = (error as { code?: string }).code === 'SQLITE_CANTOPEN';
    if (isUnopened && !fs.existsSync(`${connection.name}-journal`)) return 'wal';
    throw error;
  }
}

/** Opens an existing database for commands that change it. SQLite rolls back an interrupted change (a hot journal). */
export function openForWriting(file: string): Connection {
  return withDatabaseErrors(file, () => {
    const connection = open(file, { fileMustExist: true });
    checkSchema(connection, file);
    connection.pragma('journal_mode = delete');
    // A long change must stay in memory: once SQLite spills pages, it locks out readers until the commit.
    connection.pragma(`main.cache_spill = ${UNWRITTEN_PAGES}`);
    return connection;
  });
}

/** Opens or creates a database, without checking its content. */
export function openForCreating(file: string): Connection {
  const failure = fs.existsSync(file) ? null : writeFailure(file, [path.dirname(file)]);
  if (failure !== null) throw new Trouble(failure);
  return open(file, {});
}

let driver: typeof Database | null = null;

function open(file: string, options: Database.Options): Connection {
  refuseSpecialFiles(file);
  driver ??= loadDriver();
  try {
    return new driver(file, { timeout: BUSY_TIMEOUT, ...options });
  } catch (error) {
    throw isLoadError(error) ? loadTrouble(error) : troubleOf(file, error);
  }
}

/** Throws Trouble if the database or a file beside it is a FIFO, for which SQLite would wait forever. */
function refuseSpecialFiles(file: string): void {
  if (isSpecial(file)) throw new Trouble(databaseFailure('database-broken', file, 'it is not a regular file'));
  const beside = ['-journal', '-wal', '-shm'].map((end) => `${file}${end}`).find(isSpecial);
  if (beside === undefined) return;
  const hint = 'find out who put it there, and remove it as root';
  const command = `rm ${shellWord(beside)}`;
  throw new Trouble({ kind: 'database-unreadable', problem: `${beside} is not a regular file`, hint, command });
}

function isSpecial(name: string): boolean {
  try {
    const stats = fs.statSync(name, { throwIfNoEntry: false });
    return stats !== undefined && !stats.isFile() && !stats.isDirectory();
  } catch {
    // SQLite reports this error when it opens the file.
    return false;
  }
}

/** Throws Trouble unless the schema version of the database is ours. */
export function checkSchema(connection: Connection, file: string): void {
  checkVersion(connection.pragma('user_version', { simple: true }), file);
}

/** `found`: the result of `pragma user_version`. */
export function checkVersion(found: unknown, file: string): void {
  if (found !== SCHEMA_VERSION) throw new Trouble(versionFailure(file, Number(found)));
}

/** Runs `work`. Errors of SQLite and the file system become Trouble about `file`. */
export function withDatabaseErrors<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw troubleOf(file, error);
  }
}

function troubleOf(file: string, error: unknown): unknown {
  const failure = error instanceof Trouble ? null : databaseFailureOf(file, error);
  return failure === null ? error : new Trouble(failure);
}
