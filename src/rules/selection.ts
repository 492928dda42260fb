// Rows of the database chosen through an index, so that a single change costs the same however many rows there are.

import type { Family } from './address';
import type { Connection } from './database';
import {
  asRow,
  handRowsOf,
  isExpired,
  keyOf,
  type Meaning,
  meaningOf,
  meaningText,
  nameColumn,
  type Row,
  selectSql,
} from './entries';
import { formatInstant } from './expiry';
import type { Table } from './schema';
import { foldName } from './subject';

/** The rows of one subject or set, one at a time: those with a key in its order, then those written by hand. */
export function* eachRowOf(connection: Connection, table: Table, name: string): Iterable<Row> {
  const keyed = selectSql(table, `where ${nameColumn(table)} = ? and key is not null order by key`);
  for (const row of connection.prepare(keyed).iterate(name)) yield asRow(row);
  yield* handRowsOf(connection, table, name);
}

/** How many rows a subject or set has; `most` and more is all the same. */
export function countRows(connection: Connection, table: Table, name: string, most: number): number {
  const keyed = `select count(*) from
    (select 1 from ${table} where ${nameColumn(table)} = ? and key is not null limit ?)`;
  const count = connection.prepare(keyed).pluck().get(name, most) as number;
  return Math.min(most, count + handRowsOf(connection, table, name).length);
}

/** The rows of one subject or set whose `network` is exactly this text. */
export function rowsWithText(connection: Connection, table: Table, name: string, text: string): Row[] {
  const keyed = selectSql(table, `where ${nameColumn(table)} = ? and network = ? and key is not null`);
  const byHand = handRowsOf(connection, table, name).filter(({ network }) => network === text);
  return [...connection.prepare(keyed).all(name, text).map(asRow), ...byHand];
}

/** The rows of one subject or set with this meaning, however they are spelled. */
export function rowsWithMeaning(connection: Connection, table: Table, name: string, meaning: Meaning): Row[] {
  const keyed = selectSql(table, `where ${nameColumn(table)} = ? and key = ?`);
  const text = meaningText(meaning);
  const byHand = handRowsOf(connection, table, name).filter((row) => {
    const read = meaningOf(table, row.network);
    return read !== null && meaningText(read) === text;
  });
  return [...connection.prepare(keyed).all(name, keyOf(meaning)).map(asRow), ...byHand];
}

const TWO_DAYS = 2 * 86_400_000;

/** The entries that are over, ordered by user and network. `now`: ms since 1970. */
export function* eachExpired(connection: Connection, now: number): Iterable<Row> {
  // A time written by hand may have an offset, or none: within a day its text sorts another way than its moment.
  const sql = selectSql('access', 'where expires is not null and expires < ? order by user, network');
  for (const row of connection.prepare(sql).iterate(formatInstant(now + TWO_DAYS))) {
    const read = asRow(row);
    if (isExpired(read, now)) yield read;
  }
}

/** The folded names of all sets, each once. */
export function setNames(connection: Connection): Iterable<string> {
  return namesFrom(connection, 'network_set', '');
}

/** The folded names of subjects or sets that begin with `prefix`, itself folded, each once; those of rows written by hand last. */
export function* namesFrom(connection: Connection, table: Table, prefix: string): Iterable<string> {
  const column = nameColumn(table);
  const next = connection
    .prepare(
      `select ${column} from ${table} where ${column} > ? and key is not null order by ${column} limit 1`,
    )
    .pluck();
  const here = connection
    .prepare(`select ${column} from ${table} where ${column} = ? and key is not null limit 1`)
    .pluck();
  // `select distinct` would read every network of every name.
  let name = (here.get(prefix) ?? next.get(prefix)) as string | undefined;
  const seen = new Set<string>();
  for (; name?.startsWith(prefix); name = next.get(name) as string | undefined) yield name;
  const byHand = connection.prepare(
    `select ${column} from ${table} where key is null order by ${column} collate nocase`,
  );
  for (const written of byHand.pluck().iterate()) {
    const folded = typeof written === 'string' ? foldName(written) : '';
    if (!folded.startsWith(prefix) || seen.has(folded) || here.get(folded) !== undefined) continue;
    seen.add(folded);
    yield folded;
  }
}

/** The users of the entries that name a set, at the most `most` of them. */
export function usersOfSet(connection: Connection, name: string, most: number): string[] {
  const keyed = connection
    .prepare("select user from access where network = ? and network glob '@*' and key is not null limit ?")
    .pluck()
    .all(`@${name}`, most) as string[];
  const users = new Set(keyed);
  const byHand = connection.prepare(
    "select user, network from access where key is null and network glob '*@*'",
  );
  for (const row of byHand.iterate() as Iterable<Pick<Row, 'user' | 'network'>>) {
    if (users.size >= most) break;
    const meaning = meaningOf('access', row.network);
    if (meaning?.kind === 'set' && meaning.name === name) users.add(String(row.user));
  }
  return [...users];
}

/** The address families of the networks that a subject has, those of its sets included. */
export function familiesOf(connection: Connection, subject: string): Set<Family> {
  const families = new Set<Family>();
  const add = (table: Table, name: string) => {
    const inKeys = connection
      .prepare(
        `select exists (select 1 from ${table} where ${nameColumn(table)} = ? and key between ? and ?)`,
      )
      .pluck();
    for (const family of [4, 6] as const) {
      if (inKeys.get(name, Buffer.from([family]), Buffer.from([family + 1])) === 1) families.add(family);
    }
    for (const row of handRowsOf(connection, table, name)) {
      const meaning = meaningOf(table, row.network);
      if (meaning?.kind === 'network') families.add(meaning.network.family);
    }
  };
  add('access', subject);
  for (const set of setsOf(connection, subject)) add('network_set', set);
  return families;
}

function setsOf(connection: Connection, subject: string): string[] {
  const keyed = connection
    .prepare("select network from access where user = ? and key >= x'01' and key < x'02'")
    .pluck()
    .all(subject) as string[];
  const texts = [...keyed, ...handRowsOf(connection, 'access', subject).map(({ network }) => network)];
  return texts.flatMap((text) => {
    const meaning = meaningOf('access', text);
    return meaning?.kind === 'set' ? [meaning.name] : [];
  });
}
