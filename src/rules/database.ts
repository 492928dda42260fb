// The SQLite file: opening it, and what SQLite's errors mean.
//
// Every error of SQLite, of the native addon and of the file system on the way comes out as Trouble with the remedy; what is not known
// here is passed on as it is, a bug. Nothing but SQLite opens, reads or closes the file: on POSIX systems, closing any descriptor of it
// drops SQLite's locks (sqlite.org/howtocorrupt.html, 2.2).
import * as fs from 'node:fs';
import * as path from 'node:path';
import type Database from 'better-sqlite3';
import { type Failure, Trouble } from '../failure';
import { loadDriver, loadFailure } from './addon';
import { SCHEMA_VERSION } from './schema';

export type Connection = Database.Database;
export type Statement = Database.Statement<unknown[], unknown>;

export const DEFAULT_DATABASE = '/var/lib/allow-nets/access.db';

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
  throw new Trouble({ kind: 'database-wal', file });
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
  const failure = fs.existsSync(file) ? null : unwritableAt(path.dirname(file), file);
  if (failure !== null) throw new Trouble(failure);
  return open(file, {});
}

let driver: typeof Database | null = null;

function open(file: string, options: Database.Options): Connection {
  driver ??= loadDriver();
  try {
    return new driver(file, { timeout: BUSY_TIMEOUT, ...options });
  } catch (error) {
    const failure = loadFailure(error as NodeJS.ErrnoException) ?? failureOf(file, error);
    throw failure === null ? error : new Trouble(failure);
  }
}

/** Throws Trouble unless the database has the schema version that this program knows. */
export function checkSchema(connection: Connection, file: string): void {
  checkVersion(connection.pragma('user_version', { simple: true }), file);
}

/** `found`: what `pragma user_version` gives. */
export function checkVersion(found: unknown, file: string): void {
  if (found === SCHEMA_VERSION) return;
  throw new Trouble({ kind: 'database-version', file, found: Number(found), known: SCHEMA_VERSION });
}

/** Does `work` and turns what SQLite or the file system throws into Trouble about `file`. */
export function translating<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const failure = failureOf(file, error);
    throw failure === null ? error : new Trouble(failure);
  }
}

function failureOf(file: string, error: unknown): Failure | null {
  const { code = '', message = '', syscall } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'database-missing', file };
  if (code === 'EACCES' || code === 'EPERM') return { kind: 'database-forbidden', file, write: false };
  if (code === 'EROFS') return { kind: 'database-readonly', file };
  if (syscall !== undefined) return { kind: 'database-broken', file, detail: message };
  if (/^SQLITE_(BUSY|LOCKED|PROTOCOL)/.test(code)) return { kind: 'database-busy', file };
  if (/^SQLITE_READONLY_(ROLLBACK|RECOVERY)/.test(code)) return { kind: 'database-interrupted', file };
  if (/^SQLITE_READONLY_(CANTINIT|CANTLOCK)/.test(code)) return { kind: 'database-wal', file };
  if (/^SQLITE_(READONLY|PERM)/.test(code))
    return unwritable(file) ?? { kind: 'database-forbidden', file, write: true };
  if (/^SQLITE_(CANTOPEN|AUTH)/.test(code) || message.includes('directory does not exist'))
    return unopened(file, message);
  if (code === 'SQLITE_FULL') return { kind: 'database-full', file };
  if (/^SQLITE_(CORRUPT|NOTADB|FORMAT|IOERR|NOMEM|TOOBIG|NOLFS|SCHEMA)/.test(code)) {
    return { kind: 'database-broken', file, detail: isFolder(file) ? 'it is a folder' : message };
  }
  if (code === 'SQLITE_ERROR' && /no such (table|column)|unsupported file format/.test(message)) {
    return { kind: 'database-broken', file, detail: message };
  }
  return null;
}

/** Why a file that SQLite could not open, or one beside it, cannot be opened. It is not opened here: see above. */
function unopened(file: string, detail: string): Failure {
  try {
    if (isFolder(file)) return { kind: 'database-broken', file, detail: 'it is a folder' };
    if (fs.existsSync(`${file}-wal`)) return { kind: 'database-wal', file };
    if (fs.existsSync(`${file}-journal`)) return { kind: 'database-interrupted', file };
    fs.accessSync(file, fs.constants.R_OK);
  } catch (error) {
    return failureOf(file, error) ?? { kind: 'database-broken', file, detail };
  }
  return unwritable(file) ?? { kind: 'database-broken', file, detail };
}

function isFolder(file: string): boolean {
  return fs.statSync(file, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** Why a database cannot be written: neither its file, nor a journal beside it. Null when both can be. */
function unwritable(file: string): Failure | null {
  return unwritableAt(file, file) ?? unwritableAt(path.dirname(file), file);
}

/** Why nothing can be written at a place of the database. */
function unwritableAt(place: string, file: string): Failure | null {
  try {
    fs.accessSync(place, fs.constants.W_OK);
    return null;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'EROFS' ? { kind: 'database-readonly', file } : { kind: 'database-forbidden', file, write: true };
  }
}
