// The rows of the database as the commands read and write them: what a row means, who added it, and whether it can be read.
//
// All writing keeps the promise of schema.ts: folded names, canonical networks and their key go together.
import type { Connection } from './database';
import { expiryMoment } from './expiry';
import { networkKey } from './key';
import { ANY, formatNetwork, isCertain, type Network, parseNetwork } from './network';
import { preparedOnce } from './prepared';
import { KEY_ANY, KEY_SET, type Table } from './schema';
import { foldName } from './subject';

/** What stands in a row's `network`. */
export type Meaning =
  | { readonly kind: 'network'; readonly network: Network }
  | { readonly kind: 'any' }
  | { readonly kind: 'set'; readonly name: string };

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

export const nameColumn = (table: Table) => (table === 'access' ? 'user' : 'name');

/** The meaning of what stands in a `network` column, or null when it cannot be read and so grants nothing. */
export function meaningOf(table: Table, network: unknown): Meaning | null {
  if (typeof network !== 'string') return null;
  const text = network.trim();
  if (text.toLowerCase() === ANY) return { kind: 'any' };
  if (text.startsWith('@')) {
    return table === 'access' && text.length > 1 ? { kind: 'set', name: foldName(text.slice(1)) } : null;
  }
  const parsed = parseNetwork(text);
  return parsed !== null && isCertain(text, parsed.network)
    ? { kind: 'network', network: parsed.network }
    : null;
}

export function meaningText(meaning: Meaning): string {
  if (meaning.kind === 'network') return formatNetwork(meaning.network);
  return meaning.kind === 'any' ? ANY : `@${meaning.name}`;
}

export function keyOf(meaning: Meaning): Uint8Array {
  if (meaning.kind === 'network') return networkKey(meaning.network);
  return meaning.kind === 'any' ? KEY_ANY : Buffer.concat([KEY_SET, Buffer.from(meaning.name)]);
}

/** Why a row grants nothing whatever the time is, or null. `hasSet`: whether a named set has a network. */
export function problemOf(table: Table, row: Row, hasSet: (name: string) => boolean): string | null {
  if (typeof row.user !== 'string') return `the ${nameColumn(table)} is no text`;
  const meaning = meaningOf(table, row.network);
  if (meaning === null) return 'the network cannot be read';
  if (meaning.kind === 'set' && !hasSet(meaning.name)) return `there is no set ${meaning.name}`;
  if (expiryMoment(row.expires) === Number.NEGATIVE_INFINITY) return 'the time of expiry cannot be read';
  return null;
}

/** Whether the row's time is over. Of a time that cannot be read nothing is known. */
export function isExpired(row: Row, now: number): boolean {
  const moment = expiryMoment(row.expires);
  return Number.isFinite(moment) && now >= moment;
}

export function selectSql(table: Table, condition: string): string {
  const expires = table === 'access' ? 'expires' : 'null';
  return `select rowid, ${nameColumn(table)} as user, network, note, ${expires} as expires, added_at as addedAt,
    added_by as addedBy, key is null as byHand, local from ${table} ${condition}`;
}

/** All rows, one at a time, ordered by name and network. The connection is busy until the last one is taken. */
export function* eachRow(connection: Connection, table: Table): Iterable<Row> {
  for (const row of connection
    .prepare(selectSql(table, `order by ${nameColumn(table)}, network`))
    .iterate()) {
    yield asRow(row);
  }
}

/** The rows of one subject or set, those written by hand in another case too. */
export function rowsOf(connection: Connection, table: Table, name: string): Row[] {
  const keyed = selectSql(table, `where ${nameColumn(table)} = ? and key is not null order by key`);
  return [...connection.prepare(keyed).all(name).map(asRow), ...handRowsOf(connection, table, name)];
}

/** The rows of one subject or set that were written by hand. */
export function handRowsOf(connection: Connection, table: Table, name: string): Row[] {
  const column = nameColumn(table);
  const byName = selectSql(table, `where key is null and ${column} = ? collate nocase`);
  const unicode = selectSql(
    table,
    `where key is null and ${column} glob '*[^ -~]*' and ${column} <> ? collate nocase`,
  );
  return [byName, unicode]
    .flatMap((sql) => preparedOnce(connection, sql).all(name))
    .map(asRow)
    .filter((row) => typeof row.user === 'string' && foldName(row.user) === name);
}

export function asRow(row: unknown): Row {
  const found = row as Record<'note' | 'addedAt' | 'addedBy', unknown> &
    Omit<Row, 'note' | 'addedAt' | 'addedBy' | 'byHand' | 'local'> & { byHand: number; local: number };
  return {
    ...found,
    note: told(found.note),
    addedAt: told(found.addedAt),
    addedBy: told(found.addedBy),
    byHand: found.byHand !== 0,
    local: found.local !== 0,
  };
}

/** What tells of a row and decides nothing: text, whatever was put in by hand. An empty one tells nothing. */
function told(value: unknown): string | null {
  return value === null || value === '' ? null : String(value);
}

export function hasRows(connection: Connection, table: Table, name: string): boolean {
  const keyed = `select 1 from ${table} where ${nameColumn(table)} = ? and key is not null limit 1`;
  return connection.prepare(keyed).get(name) !== undefined || handRowsOf(connection, table, name).length > 0;
}

/** The row of one subject or set with exactly this meaning that a command wrote, or null. */
export function rowWith(connection: Connection, table: Table, name: string, meaning: Meaning): Row | null {
  const sql = selectSql(table, `where ${nameColumn(table)} = ? and key = ?`);
  const row = preparedOnce(connection, sql).get(name, keyOf(meaning));
  return row === undefined ? null : asRow(row);
}

/** A function that inserts a row, or gives the row of the same name and network this note, expiry and origin. */
export function rowWriter(connection: Connection, table: Table): (row: NewRow) => void {
  const isAccess = table === 'access';
  const columns = [nameColumn(table), 'network', 'note', 'added_at', 'added_by', 'key', 'local'];
  if (isAccess) columns.push('expires');
  const update = columns.slice(2).map((column) => `${column} = excluded.${column}`);
  const statement = connection.prepare(
    `insert into ${table} (${columns}) values (${columns.map(() => '?')})
     on conflict (${nameColumn(table)}, network) do update set ${update}`,
  );
  return ({ user, meaning, note, expires, addedAt, addedBy, local }) => {
    const values = [
      foldName(user),
      meaningText(meaning),
      note,
      addedAt,
      addedBy,
      keyOf(meaning),
      local ? 1 : 0,
    ];
    statement.run(isAccess ? [...values, expires] : values);
  };
}

export function deleteRow(connection: Connection, table: Table, row: Row): void {
  deleteRows(connection, table, [row]);
}

export function deleteRows(connection: Connection, table: Table, rows: Iterable<Row>): void {
  const statement = preparedOnce(connection, `delete from ${table} where rowid = ?`);
  for (const { rowid } of rows) statement.run(rowid);
}
