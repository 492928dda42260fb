// Opens the database for a command. Failures of SQLite are thrown as Trouble.
import { makeCanonical } from '../rules/canonical';
import { type Connection, openForReading, openForWriting, withDatabaseErrors } from '../rules/database';
import { RowImport } from '../rules/import';
import { asOwner, becomeOwner } from '../rules/owner';
import { hint } from './output';

/**
 * Runs `work` in one immediate transaction. First, readable rows that other SQLite clients wrote are made canonical:
 * `rewritten` is their number, and `before` runs before that and reports what they hide.
 */
export function withWriteTransaction<T>(
  file: string,
  work: (connection: Connection, rewritten: number) => T,
  before?: (connection: Connection) => void,
): T {
  return asOwner(file, () =>
    withDatabaseErrors(file, () => {
      const connection = openForWriting(file);
      const warnings: string[] = [];
      const change = () => {
        before?.(connection);
        return work(
          connection,
          makeCanonical(connection, before === undefined ? (one) => warnings.push(one) : undefined),
        );
      };
      try {
        const result = connection.transaction(change).immediate();
        hintAtWarnings(warnings);
        return result;
      } finally {
        connection.close();
      }
    }),
  );
}

const MOST_WARNINGS = 20;

/** Hints at hand-written rows that likely grant too much, since their canonical form no longer shows it. */
function hintAtWarnings(warnings: readonly string[]): void {
  for (const warning of warnings.slice(0, MOST_WARNINGS)) hint(`a row by hand, ${warning}`);
  if (warnings.length > MOST_WARNINGS) hint(`and ${warnings.length - MOST_WARNINGS} more such rows`);
}

/** Runs `work`, which adds rows and applies them, see RowImport. */
export async function withRowImport<T>(file: string, work: (rows: RowImport) => T | Promise<T>): Promise<T> {
  const becomeRoot = becomeOwner(file);
  try {
    const connection = withDatabaseErrors(file, () => openForWriting(file));
    const warnings: string[] = [];
    try {
      const result = await work(withDatabaseErrors(file, () => new RowImport(connection, (one) => warnings.push(one))));
      hintAtWarnings(warnings);
      return result;
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
