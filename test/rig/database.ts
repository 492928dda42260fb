// Databases for tests: rows as a command writes them, or as any SQLite client does.
import { chmodSync, copyFileSync, renameSync, rmSync } from 'node:fs';
import Database from 'better-sqlite3';
import { rowWriter } from '../../src/rules/entries';
import { meaningOf } from '../../src/rules/meaning';
import { SCHEMA, type Table } from '../../src/rules/schema';
import { newPath } from './scratch';

export interface TestRow {
  /** Default: access. */
  readonly table?: Table;
  /** The user of `access`, or the set's name of `network_set`. */
  readonly name: string;
  readonly network: string;
  readonly note?: string | null;
  readonly expires?: string | null;
  readonly added_at?: string | null;
  readonly added_by?: string | null;
  readonly local?: 0 | 1;
  /** As written by another SQLite client: any text. */
  readonly byHand?: boolean;
}

/** @returns the path of a new database that every account can read */
export function newDatabase(rows: readonly TestRow[] = []): string {
  const db = newPath();
  writeDatabase(db, rows);
  return db;
}

/** Writes a new database file, and renames it over the one that is there. */
export function writeDatabase(file: string, rows: readonly TestRow[]): void {
  const fresh = `${file}.new`;
  rmSync(fresh, { force: true });
  const connection = new Database(fresh);
  connection.exec(SCHEMA);
  insertRows(connection, rows);
  connection.close();
  chmodSync(fresh, 0o644);
  renameSync(fresh, file);
}

/** In one transaction. @throws when no command would store a network, unless the row is `byHand` */
export function insertRows(connection: Database.Database, rows: readonly TestRow[]): void {
  const write = { access: rowWriter(connection, 'access'), network_set: rowWriter(connection, 'network_set') };
  const byHand = {
    access: connection.prepare(
      `insert or ignore into access (user, network, expires, note, added_at, added_by, local)
       values (@name, @network, @expires, @note, @added_at, @added_by, @local)`,
    ),
    network_set: connection.prepare(
      `insert or ignore into network_set (name, network, note, added_at, added_by, local)
       values (@name, @network, @note, @added_at, @added_by, @local)`,
    ),
  };
  connection.transaction(() => {
    for (const row of rows) {
      const { table = 'access', name, network, local = 0 } = row;
      const { note = null, expires = null, added_at = null, added_by = null } = row;
      if (row.byHand) {
        byHand[table].run({ name, network, note, expires, added_at, added_by, local });
        continue;
      }
      const meaning = meaningOf(table, network);
      if (meaning === null) throw new Error(`no command would store ${network}`);
      const origin = { note, expires, addedAt: added_at, addedBy: added_by };
      write[table]({ user: name, meaning, local: local === 1, ...origin });
    }
  })();
}

/** Changes a database file as any SQLite client does. */
export function change(file: string, sql: string): void {
  const connection = new Database(file);
  connection.exec(sql);
  connection.close();
}

/** Leaves the file half written, with the hot journal of a change that was not finished. */
export function interruptChange(file: string): void {
  const writer = new Database(file);
  writer.pragma('cache_size = 1');
  writer.exec("begin; insert into access (user, network) values ('x', hex(randomblob(100000)))");
  for (const end of ['', '-journal']) copyFileSync(`${file}${end}`, `${file}${end}.copy`);
  writer.close();
  for (const end of ['', '-journal']) renameSync(`${file}${end}.copy`, `${file}${end}`);
}

/** The rows of a query; with one column, its values. */
export function query(file: string, sql: string): unknown[] {
  const connection = new Database(file, { readonly: true });
  try {
    const statement = connection.prepare(sql);
    return (statement.columns().length === 1 ? statement.pluck() : statement).all();
  } finally {
    connection.close();
  }
}

/** All entries, `user network`, in order. */
export function entries(file: string): string[] {
  return query(file, "select user || ' ' || network from access order by 1") as string[];
}
