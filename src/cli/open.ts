// Opens the database for a command. Failures of SQLite are thrown as Trouble.

import { makeCanonical } from '../rules/canonical';
import { type Connection, openForReading, openForWriting, withDatabaseErrors } from '../rules/database';
import { RowImport } from '../rules/import';
import { asOwner, becomeOwner } from './owner';

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
  try {
    const connection = withDatabaseErrors(file, () => openForWriting(file));
    try {
      return await work(withDatabaseErrors(file, () => new RowImport(connection)));
    } catch (error) {
      return withDatabaseErrors(file, () => {
        throw error;
      });
    } finally {
      connection.close();
    }
  } finally {
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
