// Databases for tests: rows as a command writes them, or as somebody puts them in with another SQLite client.
import * as fs from 'node:fs';
import Database from 'better-sqlite3';
import { rowWriter } from '../../src/rules/entries';
import { meaningOf } from '../../src/rules/meaning';
import { SCHEMA, type Table } from '../../src/rules/schema';

/** `name` is the user of `access`, the set's name of `network_set`. */
export interface TestRow {
  readonly table?: Table;
  readonly name: string;
  readonly network: string;
  readonly expires?: string | null;
  readonly byHand?: boolean;
}

/** A new database file, also in the place of an old one (renamed over it). Readable for all. */
export function writeDatabase(file: string, rows: readonly TestRow[]): void {
  const fresh = `${file}.new`;
  fs.rmSync(fresh, { force: true });
  const connection = new Database(fresh);
  connection.exec(SCHEMA);
  insertRows(connection, rows);
  connection.close();
  fs.chmodSync(fresh, 0o644);
  fs.renameSync(fresh, file);
}

/** In one transaction. */
export function insertRows(connection: Database.Database, rows: readonly TestRow[]): void {
  const write = {
    access: rowWriter(connection, 'access'),
    network_set: rowWriter(connection, 'network_set'),
  };
  connection.transaction(() => {
    for (const { table = 'access', name, network, expires = null, byHand = false } of rows) {
      if (byHand) {
        const sql =
          table === 'access'
            ? 'insert or ignore into access (user, network, expires) values (?, ?, ?)'
            : 'insert or ignore into network_set (name, network) values (?, ?)';
        connection.prepare(sql).run(...(table === 'access' ? [name, network, expires] : [name, network]));
        continue;
      }
      const meaning = meaningOf(table, network);
      if (meaning === null) throw new Error(`no command would store ${network}`);
      write[table]({ user: name, meaning, note: null, expires, addedAt: null, addedBy: null });
    }
  })();
}

/** Changes a database file as any SQLite client does. */
export function change(file: string, sql: string): void {
  const connection = new Database(file);
  connection.exec(sql);
  connection.close();
}
