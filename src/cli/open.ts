// The database as a command opens it.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { type Connection, checkSchema, openForReading, openForWriting, translating } from '../rules/database';

/**
 * Does `work` in one transaction that nobody else can write in meanwhile: all of it or nothing.
 */
export function changing<T>(file: string, work: (connection: Connection) => T): T {
  return translating(file, () => {
    const connection = openForWriting(file);
    try {
      return connection.transaction(() => work(connection)).immediate();
    } finally {
      connection.close();
    }
  });
}

/** Opens the database to read it. Whoever may write opens it for writing, which repairs what an interrupted change left. */
export function openToRead(file: string): Connection {
  return translating(file, () => {
    const connection = mayWrite(file) ? openForWriting(file) : openForReading(file);
    checkSchema(connection, file);
    return connection;
  });
}

/** Does `work` on one state of the database. */
export function reading<T>(file: string, work: (connection: Connection) => T): T {
  return translating(file, () => {
    const connection = openToRead(file);
    try {
      return connection.transaction(() => work(connection)).deferred();
    } finally {
      connection.close();
    }
  });
}

function mayWrite(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.W_OK);
    fs.accessSync(path.dirname(file), fs.constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
