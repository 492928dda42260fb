// The SQLite file: opening it, and SQLite's errors as Trouble with the remedy.
//
// Nothing but SQLite opens, reads or closes the file: on POSIX systems, closing any descriptor of it drops SQLite's locks
// (sqlite.org/howtocorrupt.html, 2.2).
//
// DIAGNOSTICS: every error of SQLite, of better-sqlite3 and of the file system on the way is Trouble; what is not known is a bug.
import * as fs from 'node:fs';
import * as path from 'node:path';
import type Database from 'better-sqlite3';
import { shellWord, Trouble } from '../failure';
import { isLoadError, loadDriver, loadTrouble } from './addon';
import { databaseFailure, databaseFailureOf, unwritable, versionFailure } from './database-failure';
import { SCHEMA_VERSION } from './schema';

export { DEFAULT_DATABASE } from './schema';

export type Connection = Database.Database;
export type Statement = Database.Statement<unknown[], unknown>;

/** How long (ms) a program waits for another one's lock: in Postfix a client is waiting too. */
const BUSY_TIMEOUT = 2000;

/** How many changed pages wait in memory for the commit at the most: 120 MB. */
const UNWRITTEN_PAGES = 30_000;

/** Opens an existing database without any right to change it: all that the policy program may do. `file`: an absolute path. */
export function openForReading(file: string): Connection {
  const connection = open(file, { readonly: true, fileMustExist: true });
  if (translating(file, () => journalMode(connection)) !== 'wal') return connection;
  // In write-ahead mode changes go to another file, and a user without write permission cannot read it reliably.
  connection.close();
  throw new Trouble(databaseFailure('database-wal', file));
}

function journalMode(connection: Connection): unknown {
  try {
    return connection.pragma('journal_mode', { simple: true });
  } catch (error) {
    // SQLite has opened the file, but not the two that it needs beside one in write-ahead mode.
    const isUnopened = (error as { code?: string }).code === 'SQLITE_CANTOPEN';
    if (isUnopened && !fs.existsSync(`${connection.name}-journal`)) return 'wal';
    throw error;
  }
}

/** Opens an existing database for commands that change it. SQLite rolls back what an interrupted change left. */
export function openForWriting(file: string): Connection {
  return translating(file, () => {
    const connection = open(file, { fileMustExist: true });
    checkSchema(connection, file);
    connection.pragma('journal_mode = delete');
    // A long change stays in memory until it is done: spilled pages would lock out the policy program all the while.
    connection.pragma(`main.cache_spill = ${UNWRITTEN_PAGES}`);
    return connection;
  });
}

/** Opens a database that may not exist yet, without a look at what it holds. */
export function openForCreating(file: string): Connection {
  const failure = fs.existsSync(file) ? null : unwritable(file, [path.dirname(file)]);
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

/** A FIFO in place of the database or of a file beside it would keep SQLite waiting for ever. */
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
    // SQLite says why.
    return false;
  }
}

/** Throws Trouble unless the database has the schema version that this program knows. */
export function checkSchema(connection: Connection, file: string): void {
  checkVersion(connection.pragma('user_version', { simple: true }), file);
}

/** `found`: what `pragma user_version` gives. */
export function checkVersion(found: unknown, file: string): void {
  if (found !== SCHEMA_VERSION) throw new Trouble(versionFailure(file, Number(found)));
}

/** Does `work` and turns what SQLite or the file system throws into Trouble about `file`. */
export function translating<T>(file: string, work: () => T): T {
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
