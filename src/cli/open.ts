// Opens the database for a command.
import { makeCanonical } from '../rules/canonical';
import { type Connection, checkSchema, openForReading, openForWriting, translating } from '../rules/database';
import { RowImport } from '../rules/import';
import { asOwner, becomeOwner } from '../rules/owner';

/**
 * Does `work` in one immediate transaction. Before it, readable rows of other SQLite clients are made canonical;
 * `rewritten` is their number, and `before` still sees them as they were.
 */
export function changing<T>(
  file: string,
  work: (connection: Connection, rewritten: number) => T,
  before?: (connection: Connection) => void,
): T {
  return asOwner(file, () =>
    translating(file, () => {
      const connection = openForWriting(file);
      const change = () => {
        before?.(connection);
        return work(connection, makeCanonical(connection));
      };
      try {
        return connection.transaction(change).immediate();
      } finally {
        connection.close();
      }
    }),
  );
}

/** Lets `work` add rows and apply them, see RowImport. */
export async function importing<T>(file: string, work: (rows: RowImport) => T | Promise<T>): Promise<T> {
  const becomeRoot = becomeOwner(file);
  try {
    const connection = translating(file, () => openForWriting(file));
    try {
      return await work(translating(file, () => new RowImport(connection)));
    } catch (error) {
      return translating(file, () => {
        throw error;
      });
    } finally {
      connection.close();
    }
  } finally {
    becomeRoot();
  }
}

/** Does `work` on one state of the database. Nothing is written, whoever runs it. */
export function reading<T>(file: string, work: (connection: Connection) => T): T {
  return translating(file, () => {
    const connection = openForReading(file);
    try {
      checkSchema(connection, file);
      return connection.transaction(() => work(connection)).deferred();
    } finally {
      connection.close();
    }
  });
}
