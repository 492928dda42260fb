// Opens the database for a command. Failures of SQLite are thrown as Trouble.

import { makeCanonical } from '../rules/canonical';
import {
  type Connection,
  checkVersion,
  openForReading,
  openUnchecked,
  troubleOf,
  withDatabaseErrors,
} from '../rules/database';
import { RowImport } from '../rules/import';
import { asOwner, becomeOwner } from './owner';

/** The most changed pages that SQLite keeps in memory until the commit: 120 MB. */
const UNWRITTEN_PAGES = 30_000;

/**
 * Runs `work` in one immediate transaction. First, readable rows that other SQLite clients wrote are made canonical:
 * `rewritten` is their number.
 */
export function withWriteTransaction<T>(file: string, work: (connection: Connection, rewritten: number) => T): T {
  return asOwner(file, () =>
    withDatabaseErrors(file, () => {
      const connection = openForWriting(file);
      try {
        return connection.transaction(() => work(connection, makeCanonical(connection))).immediate();
      } finally {
        connection.close();
      }
    }),
  );
}

/** Runs `work`, which adds rows and applies them, see RowImport. */
export async function withRowImport<T>(file: string, work: (rows: RowImport) => T | Promise<T>): Promise<T> {
  const becomeRoot = becomeOwner(file);
  let connection: Connection | null = null;
  try {
    connection = openForWriting(file);
    return await work(new RowImport(connection));
  } catch (error) {
    throw troubleOf(file, error);
  } finally {
    connection?.close();
    becomeRoot();
  }
}

/** Runs `work` in one read transaction. It never writes, even as root. */
export function withReadTransaction<T>(file: string, work: (connection: Connection) => T): T {
  return withDatabaseErrors(file, () => {
    const { connection } = openForReading(file);
    try {
      return connection.transaction(() => work(connection)).deferred();
    } finally {
      connection.close();
    }
  });
}

/**
 * Opens an existing database for commands that change it. SQLite rolls back an interrupted change (a hot journal).
 * Errors of SQLite are thrown as they are.
 */
export function openForWriting(file: string): Connection {
  const connection = openUnchecked(file, { fileMustExist: true });
  checkVersion(connection.pragma('user_version', { simple: true }), file);
  connection.pragma('journal_mode = delete');
  // A long change must stay in memory: once SQLite spills pages, it locks out readers until the commit.
  connection.pragma(`main.cache_spill = ${UNWRITTEN_PAGES}`);
  return connection;
}
