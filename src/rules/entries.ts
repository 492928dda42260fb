// The rows of the database as the commands read and write them.
//
// All writing keeps the promise of schema.ts: folded names, canonical networks and their key go together. Rows that another SQLite client
// wrote have no key; commands that write make the readable ones canonical first (canonical.ts), so that only unreadable ones are left.
import type { Connection, Statement } from './database';
import { expiryMoment, formatInstant } from './expiry';
import { keyOf, type Meaning, meaningOf, meaningText } from './meaning';
import { isDomainName, nameFault } from './name-fault';
import { formatNetwork, parseNetwork } from './network';
import { nameColumn, type Table } from './schema';
import { foldName } from './subject';

/** A row of `access`, or of `network_set` with its name as `user`. */
export interface Row {
  readonly rowid: number;
  readonly user: unknown;
  readonly network: unknown;
  readonly note: string | null;
  readonly expires: unknown;
  readonly addedAt: string | null;
  readonly addedBy: string | null;
  /** Written by another program than ours: no key. */
  readonly byHand: boolean;
  readonly local: boolean;
}

/** What a command writes. `expires`: as formatInstant writes it. */
export interface NewRow {
  readonly user: string;
  readonly meaning: Meaning;
  readonly note: string | null;
  readonly expires: string | null;
  readonly addedAt: string | null;
  readonly addedBy: string | null;
  readonly local?: boolean;
}

/** Why a row grants nothing whatever the time is, or null. `hasSet`: whether a named set has a network. */
export function problemOf(table: Table, row: Row, hasSet: (name: string) => boolean): string | null {
  if (typeof row.user !== 'string') return `the ${nameColumn(table)} is not text`;
  const fault = table === 'access' ? nameFault(row.user) : null;
  if (fault !== null) return fault.problem;
  const meaning = meaningOf(table, row.network);
  if (meaning === null) return 'the network cannot be read';
  if (meaning.kind === 'set' && !hasSet(meaning.name)) return `there is no set ${meaning.name}`;
  if (expiryMoment(row.expires) === Number.NEGATIVE_INFINITY) return 'the time of expiry cannot be read';
  return null;
}

/** What is likely not meant as it stands in a row that grants something, or null. */
export function warningOf(table: Table, row: Row): string | null {
  const network = String(row.network);
  const parsed = parseNetwork(network);
  if (parsed?.hostBits) return `${network.trim()} grants all of ${formatNetwork(parsed.network)}`;
  if (table === 'access' && isDomainName(String(row.user)) === 'yes') {
    return `${row.user} is a login name here; the domain is @${row.user}`;
  }
  return null;
}

/** Whether the row is an entry `none` that is in force: one whose end cannot be read is. */
export function isBlock(row: Row, now: number): boolean {
  return meaningOf('access', row.network)?.kind === 'none' && !isExpired(row, now);
}

/** Whether the row's time is over. Of a time that cannot be read nothing is known. */
export function isExpired(row: Row, now: number): boolean {
  const moment = expiryMoment(row.expires);
  return Number.isFinite(moment) && now >= moment;
}

function selectSql(table: Table, condition: string): string {
  const expires = table === 'access' ? 'expires' : 'null';
  return `select rowid, ${nameColumn(table)} as user, network, note, ${expires} as expires, added_at as addedAt,
    added_by as addedBy, key is null as byHand, local from ${table} ${condition}`;
}

/** The rows of a name: those with a key in its order, then those by hand, in any ASCII case. `more`: a further condition. */
function namedSql(table: Table, more = ''): string {
  const name = nameColumn(table);
  return `${selectSql(table, `where ${name} = @name and key is not null ${more}`)} union all
    ${selectSql(table, `where ${name} = @name collate nocase and key is null ${more}`)}`;
}

export function asRow(row: unknown): Row {
  const found = row as Record<keyof Row, unknown> & { rowid: number };
  return {
    ...found,
    note: text(found.note),
    addedAt: text(found.addedAt),
    addedBy: text(found.addedBy),
    byHand: found.byHand !== 0,
    local: found.local !== 0,
  };
}

/** What is for people and decides nothing: text, whatever was put in by hand. */
function text(value: unknown): string | null {
  return value === null || value === '' ? null : String(value);
}

/** All rows, one at a time, ordered by name and network. The connection is busy until the last one is taken. */
export function* eachRow(connection: Connection, table: Table, condition = ''): Iterable<Row> {
  const order = `order by ${nameColumn(table)}, network`;
  for (const row of connection.prepare(selectSql(table, `${condition} ${order}`)).iterate()) yield asRow(row);
}

/** The rows without a key. */
export function handRows(connection: Connection, table: Table): Row[] {
  // The order lets SQLite use the index of these rows; without it, all rows are read.
  const order = `order by ${nameColumn(table)} collate nocase`;
  return connection
    .prepare(selectSql(table, `where key is null ${order}`))
    .all()
    .map(asRow);
}

/** The rows of one subject or set, one at a time. */
export function* eachRowOf(connection: Connection, table: Table, name: string): Iterable<Row> {
  for (const row of connection.prepare(namedSql(table)).iterate({ name })) {
    const read = asRow(row);
    // SQLite compares without regard to case only as far as the first NUL.
    if (typeof read.user === 'string' && foldName(read.user) === name) yield read;
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

/** The rows of one subject or set whose `network` is exactly this text. */
export function rowsWithText(connection: Connection, table: Table, name: string, network: string): Row[] {
  return connection.prepare(namedSql(table, 'and network = @network')).all({ name, network }).map(asRow);
}

/** The row of one subject or set with this meaning, or null. Rows by hand are not found: a command that writes has none to read. */
export function rowWith(connection: Connection, table: Table, name: string, meaning: Meaning): Row | null {
  const sql = selectSql(table, `where ${nameColumn(table)} = ? and key = ?`);
  const row = connection.prepare(sql).get(name, keyOf(meaning));
  return row === undefined ? null : asRow(row);
}

/** The entries that are over, ordered by user and network. `now`: ms since 1970. */
export function* eachExpired(connection: Connection, now: number): Iterable<Row> {
  // A time written by hand may have an offset, or none: within two days its text sorts another way than its moment.
  const soon = formatInstant(now + 2 * 86_400_000);
  for (const row of eachRow(connection, 'access', `where expires < '${soon}'`)) {
    if (isExpired(row, now)) yield row;
  }
}

/** The folded names of subjects or sets that begin with `prefix`, itself folded, each once. */
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

/** The users of the entries that name a set, at the most `most` of them. */
export function usersOfSet(connection: Connection, name: string, most: number): string[] {
  const sql = 'select distinct user from access where network = ? limit ?';
  return connection.prepare(sql).pluck().all(`@${name}`, most) as string[];
}

/** A function that inserts a row, or gives the row of the same name and network this note, expiry and origin. */
export function rowWriter(connection: Connection, table: Table): (row: NewRow) => void {
  const isAccess = table === 'access';
  const columns = [nameColumn(table), 'network', 'note', 'added_at', 'added_by', 'key', 'local'];
  if (isAccess) columns.push('expires');
  const update = columns.slice(2).map((column) => `${column} = excluded.${column}`);
  const statement: Statement = connection.prepare(
    `insert into ${table} (${columns}) values (${columns.map(() => '?')})
     on conflict (${nameColumn(table)}, network) do update set ${update}`,
  );
  return ({ user, meaning, note, expires, addedAt, addedBy, local }) => {
    const values = [foldName(user), meaningText(meaning), note, addedAt, addedBy, keyOf(meaning), local ? 1 : 0];
    statement.run(isAccess ? [...values, expires] : values);
  };
}

export function deleteRows(connection: Connection, table: Table, rows: Iterable<Row>): void {
  const statement = connection.prepare(`delete from ${table} where rowid = ?`);
  for (const { rowid } of rows) statement.run(rowid);
}
