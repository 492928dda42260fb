// Opens the SQLite database, and gives policy/decide.ts its current rules.
//
// Each answer is one read transaction, so it sees one state of the database, and a change counts from the next answer
// on. Answers are not cached. If the file was replaced or has changed in any way, it is reopened. That also detects a
// copy, a truncation or a chmod, which SQLite's own change counter does not show.
//
// Only SQLite opens, reads and closes the file: on POSIX, closing any descriptor of it drops SQLite's locks
// (sqlite.org/howtocorrupt.html, 2.2).
//
// DIAGNOSTICS: errors of SQLite, better-sqlite3 and the file system become Trouble with the fix. Any other error is a
// bug.
import { existsSync, fstatSync, lstatSync, readdirSync, readSync, type Stats, statSync } from 'node:fs';
import type Database from 'better-sqlite3';
import { shellWord, Trouble } from '../failure';
import { isLoadError, loadDriver, loadTrouble } from './addon';
import { databaseFailure, databaseFailureOf, realNameOf } from './database-failure';
import { type Rules, rulesOf } from './lookup';
import { SCHEMA_VERSION } from './schema';

export { DEFAULT_DATABASE } from './schema';

export type Connection = Database.Database;
export type Statement = Database.Statement<unknown[], unknown>;

/** The time (ms) to wait for a lock. It is short because a mail client may be waiting for the answer. */
const BUSY_TIMEOUT = 2000;

/** A connection, and the file that SQLite has open, whatever its name leads to by now. */
export interface OpenDatabase {
  readonly connection: Connection;
  readonly stats: Stats;
}

interface OpenRules extends OpenDatabase {
  readonly rules: Rules;
  readonly begin: Statement;
  readonly version: Statement;
  readonly commit: Statement;
}

/** The rules of a database, for a program that keeps answering while the file changes. */
export class RuleStore {
  private opened: OpenRules | null = null;

  constructor(private readonly file: string) {}

  /** Runs `work` on one state of the database. Throws Trouble if the database cannot be read. */
  read<T>(work: (rules: Rules) => T): T {
    return withDatabaseErrors(this.file, () => {
      const { rules, begin, version, commit } = this.current();
      begin.run();
      checkVersion(version.get(), this.file);
      const result = work(rules);
      commit.run();
      return result;
    });
  }

  close(): void {
    this.opened?.connection.close();
    this.opened = null;
  }

  /** The open database. It is opened anew if the file was replaced or has changed. */
  private current(): OpenRules {
    if (this.opened !== null && isUnchanged(statSync(this.file), this.opened.stats)) return this.opened;
    this.close();
    const { connection, stats } = openForReading(this.file);
    this.opened = {
      connection,
      stats,
      rules: rulesOf(connection),
      begin: connection.prepare('begin'),
      version: connection.prepare('pragma user_version').pluck(),
      commit: connection.prepare('commit'),
    };
    return this.opened;
  }
}

function isUnchanged(a: Stats, b: Stats): boolean {
  return a.ino === b.ino && a.dev === b.dev && a.ctimeMs === b.ctimeMs && a.size === b.size;
}

/**
 * Opens an existing database of our schema read-only. Nothing is written, not even as root: SQLite would make the files
 * of a database in write-ahead mode, so such a database is refused before SQLite reads it. `file`: an absolute path.
 */
export function openForReading(file: string): OpenDatabase {
  return withDatabaseErrors(file, () => {
    // If another file is renamed over the database between stat and open, try again. On some file systems a descriptor
    // has another inode number than its file: do not try for ever.
    for (let tries = 0; tries < 100; tries++) {
      const stats = statSync(file);
      const connection = openUnchecked(file, { readonly: true, fileMustExist: true });
      try {
        const descriptor = descriptorOf(stats);
        if (descriptor !== null) {
          if (isWriteAhead(file, descriptor)) throw new Trouble(databaseFailure('database-wal', file));
          checkVersion(connection.pragma('user_version', { simple: true }), file);
          return { connection, stats };
        }
      } catch (error) {
        connection.close();
        throw error;
      }
      connection.close();
    }
    throw new Trouble(databaseFailure('database-broken', file, 'other files are renamed over it'));
  });
}

/**
 * SQLite's own descriptor of the file, or null. The name of the file is not enough, since files can be renamed over it
 * and back; and no second descriptor may be opened (see the top of this file).
 */
function descriptorOf({ ino, dev }: Stats): number | null {
  if (!existsSync('/dev/fd')) {
    const hint = 'mount /proc, and make /dev/fd a link to /proc/self/fd';
    throw new Trouble({ kind: 'installation', problem: 'there is no /dev/fd', hint });
  }
  // The newest descriptor is likely the last one.
  const descriptors = readdirSync('/dev/fd').map(Number).reverse();
  const found = descriptors.find((descriptor) => {
    try {
      const stats = fstatSync(descriptor);
      return stats.ino === ino && stats.dev === dev;
    } catch {
      // readdirSync's own descriptor is closed by now.
      return false;
    }
  });
  return found ?? null;
}

/** Bytes 18 and 19 of a database are 2 in write-ahead mode (sqlite.org/fileformat.html, 1.3). */
function isWriteAhead(file: string, descriptor: number): boolean {
  const header = Buffer.alloc(20);
  readSync(descriptor, header, 0, header.length, 0);
  // An empty -wal holds no change: SQLite ignores it, and no command would delete it.
  const wal = statSync(`${realNameOf(file)}-wal`, { throwIfNoEntry: false });
  return header[18] === 2 || header[19] === 2 || (wal !== undefined && wal.size > 0);
}

/** Opens a database without checking its content. */
export function openUnchecked(file: string, options: Database.Options): Connection {
  refuseSpecialFiles(file);
  const Driver = loadDriver();
  try {
    return new Driver(file, { timeout: BUSY_TIMEOUT, ...options });
  } catch (error) {
    throw isLoadError(error) ? loadTrouble(error) : troubleOf(file, error);
  }
}

/**
 * Throws Trouble if the database or a file beside it is not a regular file: SQLite would wait for a FIFO forever, and it
 * opens no journal and no WAL that is a symbolic link.
 */
function refuseSpecialFiles(file: string): void {
  if (statSync(file, { throwIfNoEntry: false })?.isFile() === false) {
    throw new Trouble(databaseFailure('database-broken', file, 'it is not a regular file'));
  }
  const name = realNameOf(file);
  const names = ['-journal', '-wal', '-shm'].map((end) => `${name}${end}`);
  const special = names.find((one) => lstatSync(one, { throwIfNoEntry: false })?.isFile() === false);
  if (special === undefined) return;
  const hint = 'find out who put it there, and remove it as root';
  const command = `rm -r ${shellWord(special)}`;
  throw new Trouble({ kind: 'database-unreadable', problem: `${special} is not a regular file`, hint, command });
}

/** Throws Trouble unless the schema version, the result of `pragma user_version`, is ours. */
export function checkVersion(found: unknown, file: string): void {
  if (found === SCHEMA_VERSION) return;
  const fault = Number(found) > SCHEMA_VERSION ? 'database-newer' : 'database-foreign';
  throw new Trouble(databaseFailure(fault, file, found));
}

/** Runs `work`. Errors of SQLite and the file system become Trouble about `file`. */
export function withDatabaseErrors<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw troubleOf(file, error);
  }
}

/** Turns an error of SQLite or the file system into Trouble about `file`. Returns any other error as it is. */
export function troubleOf(file: string, error: unknown): unknown {
  const failure = error instanceof Trouble ? null : databaseFailureOf(file, error);
  return failure === null ? error : new Trouble(failure);
}
