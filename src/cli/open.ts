// The database as a command opens it.
import { makeCanonical } from '../rules/canonical';
import { type Connection, checkSchema, openForReading, openForWriting, translating } from '../rules/database';

/**
 * Does `work` in one transaction that nobody else can write in meanwhile: all of it or nothing. Readable rows that another SQLite client
 * wrote are canonical before it begins.
 */
export function changing<T>(file: string, work: (connection: Connection) => T): T {
  return translating(file, () => {
    const connection = openForWriting(file);
    const change = () => {
      makeCanonical(connection);
      return work(connection);
    };
    try {
      return connection.transaction(change).immediate();
    } finally {
      connection.close();
    }
  });
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
