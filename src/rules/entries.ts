// Reads and writes the rows of the database for the commands.
//
// Every write keeps the invariant of schema.ts: a row that is not hand-written has a folded name and a canonical network.
// Commands that write first make the readable hand-written rows canonical (canonical.ts).
import type { Connection, Statement } from './database';
import { foldName, hasExpired, type Meaning, meaningOf, meaningText } from './meaning';
import { parseNetwork } from './network';
import { byHand, nameColumn, type Table } from './schema';

/** A row of `access`, or of `network_set` with its name as `user`. */
export interface Row {
  readonly rowid: number;
  readonly user: unknown;
  readonly network: unknown;
  readonly note: string | null;
  readonly expires: unknown;
  readonly addedAt: string | null;
  readonly addedBy: string | null;
  /** Whether another program wrote the row. */
  readonly byHand: boolean;
  readonly local: boolean;
}

/** A row that a command writes. `expires`: as formatInstant writes it. */
export interface NewRow {
  readonly user: string;
  readonly meaning: Meaning;
  readonly note: string | null;
  readonly expires: string | null;
  readonly addedAt: string | null;
  readonly addedBy: string | null;
  readonly local?: boolean;
}

/**
 * Whether the row counts only after `allow-nets tidy`. Either it is hand-written and its name is not folded, apart from
 * ASCII capitals, so that SQLite cannot match it; or it says that it is canonical and is not, as a dump was edited.
 */
export function needsTidy(table: Table, { user, network, byHand }: Row): boolean {
  const name = foldName(String(user));
  if (byHand) return String(user).replace(/[A-Z]/g, (letter) => letter.toLowerCase()) !== name;
  const meaning = meaningOf(table, network);
  return meaning === null || user !== name || network !== meaningText(meaning);
}

/** Whether the row is an entry `none` in force. A block with an unreadable time of expiry stays in force. */
export function isBlock(row: Row, now: number): boolean {
  return meaningOf('access', row.network)?.kind === 'none' && !isExpired(row, now) && !needsTidy('access', row);
}

export function isExpired({ expires }: Row, now: number): boolean {
  return hasExpired(expires, now);
}

/** Whether the network of a row is not the first address of what it grants: 10.1.2.3/8. */
export function hasHostBits({ network }: Row): boolean {
  return parseNetwork(String(network))?.hostBits === true;
}

/** Selects rows. Columns that are only for people are cast to text, since another client may have stored anything. */
function selectSql(table: Table, condition: string): string {
  const text = (column: string) => `cast(nullif(${column}, '') as text)`;
  return `select rowid, ${nameColumn(table)} as user, network, ${text('note')} as note,
    ${table === 'access' ? 'expires' : 'null as expires'}, ${text('added_at')} as addedAt, ${text('added_by')} as addedBy,
    ${byHand(table)} as byHand, local <> 0 as local from ${table} ${condition}`;
}

/** Selects the rows of a name: canonical ones, then hand-written ones in any ASCII case. */
function namedSql(table: Table): string {
  const name = nameColumn(table);
  return `${selectSql(table, `where ${name} = @name and not (${byHand(table)})`)} union all
    ${selectSql(table, `where ${name} = @name collate nocase and ${byHand(table)}`)}`;
}

function* eachOf(connection: Connection, sql: string, ...values: unknown[]): Iterable<Row> {
  for (const row of connection.prepare(sql).iterate(...values) as Iterable<Row>) {
    yield { ...row, byHand: Boolean(row.byHand), local: Boolean(row.local) };
  }
}

/** Yields all rows, ordered by name and network. The connection is busy until the last one. */
export function eachRow(connection: Connection, table: Table, condition = ''): Iterable<Row> {
  return eachOf(connection, selectSql(table, `${condition} order by ${nameColumn(table)}, network`));
}

/** The hand-written rows. */
export function handRows(connection: Connection, table: Table): Row[] {
  // With this order SQLite uses the index of these rows; otherwise it would read all rows.
  return [
    ...eachOf(connection, selectSql(table, `where ${byHand(table)} order by ${nameColumn(table)} collate nocase`)),
  ];
}

/** Makes rows that say that they are canonical and are not (an edited dump) count as hand-written. Reads all rows. */
export function clearFalseCanonical(connection: Connection, table: Table): void {
  const found: number[] = [];
  for (const row of eachRow(connection, table, `where not (${byHand(table)})`)) {
    if (needsTidy(table, row)) found.push(row.rowid);
  }
  const statement = connection.prepare(`update ${table} set canonical = null where rowid = ?`);
  for (const rowid of found) statement.run(rowid);
}

/** Yields the rows of one subject or set. */
export function* eachRowOf(connection: Connection, table: Table, name: string): Iterable<Row> {
  for (const row of eachOf(connection, namedSql(table), { name })) {
    // SQLite's nocase comparison stops at the first NUL.
    if (typeof row.user === 'string' && foldName(row.user) === name) yield row;
  }
}

/** The rows of one subject or set. */
export function rowsOf(connection: Connection, table: Table, name: string): Row[] {
  return [...eachRowOf(connection, table, name)];
}

export function hasRows(connection: Connection, table: Table, name: string): boolean {
  for (const _ of eachRowOf(connection, table, name)) return true;
  return false;
}

/** The canonical row of one subject or set with this meaning, or null. */
export function rowWith(connection: Connection, table: Table, name: string, meaning: Meaning): Row | null {
  const sql = selectSql(table, `where ${nameColumn(table)} = ? and network = ? and not (${byHand(table)})`);
  const [row = null] = eachOf(connection, sql, name, meaningText(meaning));
  return row;
}

/** The expired entries, ordered by user and network. `now`: ms since 1970. */
export function* eachExpired(connection: Connection, now: number): Iterable<Row> {
  for (const row of eachRow(connection, 'access', 'where expires is not null')) if (isExpired(row, now)) yield row;
}

/** The folded names of subjects or sets that start with `prefix` (folded), without duplicates. */
export function namesFrom(connection: Connection, table: Table, prefix = ''): Iterable<string> {
  const name = nameColumn(table);
  // `select distinct` would read every network of every name.
  const sql = `with recursive names (name) as (
    select min(${name}) from ${table} where ${name} >= ? union all
    select (select min(${name}) from ${table} where ${table}.${name} > names.name) from names where name is not null
  ) select name from names where name is not null`;
  const names = new Set<string>();
  for (const found of connection.prepare(sql).pluck().iterate(prefix)) {
    if (typeof found !== 'string' || !found.startsWith(prefix)) break;
    names.add(foldName(found));
  }
  return names;
}

/** The users whose entries name a set, at most `most` of them. */
export function usersOfSet(connection: Connection, name: string, most: number): string[] {
  const sql = 'select distinct user from access where network = ? limit ?';
  return connection.prepare(sql).pluck().all(`@${name}`, most) as string[];
}

/** Returns a function that inserts a row, or updates the one with the same name and network. */
export function rowWriter(connection: Connection, table: Table): (row: NewRow) => void {
  const isAccess = table === 'access';
  const columns = [nameColumn(table), 'network', 'note', 'added_at', 'added_by', 'canonical', 'local'];
  if (isAccess) columns.push('expires');
  const update = columns.slice(2).map((column) => `${column} = excluded.${column}`);
  const statement: Statement = connection.prepare(
    `insert into ${table} (${columns}) values (${columns.map(() => '?')}) on conflict do update set ${update}`,
  );
  return ({ user, meaning, note, expires, addedAt, addedBy, local }) => {
    const name = foldName(user);
    const network = meaningText(meaning);
    const values = [name, network, note, addedAt, addedBy, `${name} ${network}`, local ? 1 : 0];
    statement.run(isAccess ? [...values, expires] : values);
  };
}

/** Renames a row. If there is a row with that name and network, that one stays, or with `replace` it is deleted. */
export function renameRow(connection: Connection, table: Table, { rowid }: Row, name: string, replace: boolean): void {
  const sql = `update or ${replace ? 'replace' : 'ignore'} ${table} set ${nameColumn(table)} = ? where rowid = ?`;
  connection.prepare(sql).run(name, rowid);
}

export function deleteRows(connection: Connection, table: Table, rows: Iterable<Row>): void {
  const statement = connection.prepare(`delete from ${table} where rowid = ?`);
  for (const { rowid } of rows) statement.run(rowid);
}
