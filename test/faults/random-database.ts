// Random databases (rows of commands and rows by hand, in any spelling; sets; expiry; subjects), random changes to them, and random
// users and addresses to ask about.
import Database from 'better-sqlite3';
import { formatNetwork, parseNetwork } from '../../src/rules/network';
import type { Table } from '../../src/rules/schema';
import { insertRows, type TestRow, writeDatabase } from '../rig/database';
import { oneOf, type Pick } from '../rig/random';
import { type Bits, near, plainText, randomBits, spellAddress, spellBlock } from '../rig/spellings';
import type { OracleRow, OracleRules } from './oracle';

/** The moment about which the entries expire. */
export const NOW = Date.parse('2026-06-01T12:00:00Z');

// biome-ignore format: lists of words
const NAMES = [
  'bob', 'BOB', 'bob@example.com', 'Bob@Example.com', '@example.com', '@EXAMPLE.com', '*', 'alice', 'alice@example.com',
  'alice@example.net', 'josé@example.com', 'JOSE\u0301@example.com', 'jose@example.com', '\u212Aim', 'kim',
  'KIM@büro.example', '@BU\u0308RO.example', 'ß', 'ss', 'İ', 'i', 'a_c', 'abc', 'a%', '*bc', '[a-z]', "o'hara", '"', 'a b',
  'a@b@example.com', '@', 'x@', '\ufffd', '\u{1f600}', 'b\u043eb', 'bob\0', 'bob\0x', '@example.com@example.net', '?ob',
];
const SETS = ['office', 'Office', 'home', 'büro', 'BU\u0308RO', 'any', '*', '10.0.0.0/8', 'no-such'];
// biome-ignore format: a list of words
const JUNK = [
  '', ' ', 'localhost', '10.0.0.0/33', '10.0.0/8', '::/129', '@', 'any.', '10.0.0.0/8,', '010.0.0.0/8', '0/0', '*', 'NULL',
];
// biome-ignore format: a list of words
const EXPIRIES = [
  '2026-06-01T12:00:00Z', '2026-06-01T12:00:01Z', '2026-06-01T11:59:59Z', '2026-06-01 12:00:01', '2026-06-01 11:59:59',
  '2026-06-01T14:00:01+02:00', '2026-06-01T14:00:00+02:00', '2999-01-01T00:00:00Z', '2020-01-01T00:00:00Z', 'tomorrow', '',
  '1798135200', '2026-06-01', '2026-05-31',
];
const NO_ADDRESSES = ['unknown', '', '10.0.0.1%eth0', '10.0.0.0/8', '::1%1', '010.0.0.1', 'any', '*'];

/** The networks of a database are near each other and near the addresses that are asked about. */
export const randomAnchors = (pick: Pick): Bits[] => Array.from({ length: 3 }, () => randomBits(pick));

function randomNetwork(pick: Pick, anchors: readonly Bits[]): string {
  const bits = pick(5) === 0 ? randomBits(pick) : near(oneOf(pick, anchors), pick);
  const length = bits.bytes.length * 8;
  const prefix = pick(3) === 0 ? oneOf(pick, [0, 1, 8, 16, 24, length - 1, length]) : pick(length + 1);
  return spellBlock({ ...bits, prefix }, pick);
}

function randomRow(pick: Pick, anchors: readonly Bits[]): TestRow {
  const table: Table = pick(4) === 0 ? 'network_set' : 'access';
  const name = oneOf(pick, table === 'access' ? NAMES : SETS);
  const expires = pick(3) === 0 ? oneOf(pick, EXPIRIES) : null;
  const kind = pick(20);
  let network = randomNetwork(pick, anchors);
  if (kind < 2) network = oneOf(pick, ['any', 'ANY', ' any', 'Any\n']);
  else if (kind < 6) network = `@${oneOf(pick, SETS)}`;
  else if (kind < 7) network = oneOf(pick, JUNK);
  else if (kind < 9 && table === 'access') network = oneOf(pick, ['inherit', 'none', ' Inherit', 'NONE']);
  if (pick(2) === 0) return { table, name, network, expires, byHand: true };
  // As a command stores it.
  const parsed = parseNetwork(network);
  if (parsed) return { table, name, network: formatNetwork(parsed.network), expires };
  const isWord = table === 'access' && /^@.|inherit|none/i.test(network);
  return { table, name, network: isWord ? network : 'any', expires };
}

export function randomRows(pick: Pick, anchors: readonly Bits[]): TestRow[] {
  return Array.from({ length: 1 + pick(oneOf(pick, [5, 20, 60])) }, () => randomRow(pick, anchors));
}

export function randomQuestion(pick: Pick, anchors: readonly Bits[]): { user: string; address: string } {
  return { user: randomUser(pick), address: randomAddress(pick, anchors) };
}

function randomAddress(pick: Pick, anchors: readonly Bits[]): string {
  if (pick(12) === 0) return oneOf(pick, NO_ADDRESSES);
  const bits = pick(6) === 0 ? randomBits(pick) : near(oneOf(pick, anchors), pick);
  return pick(2) === 0 ? plainText(bits) : spellAddress(bits, pick);
}

/** Never empty: a request without a user is not looked up. */
function randomUser(pick: Pick): string {
  const known = oneOf(pick, NAMES);
  if (pick(4) > 0) return known;
  const upper = known.toUpperCase();
  return oneOf(pick, [upper, known.normalize('NFD'), `${known}@example.com`, `${known}x`, '*@example.com']);
}

/** The rows as they are in the database, for the oracle. */
export function storedRules(connection: Database.Database): OracleRules {
  const all = (sql: string) => connection.prepare(sql).all() as OracleRow[];
  return {
    access: all("select user as name, network, expires, canonical is not user || ' ' || network as byHand from access"),
    sets: all(
      "select name, network, null as expires, canonical is not name || ' ' || network as byHand from network_set",
    ),
  };
}

export function changeSomething(pick: Pick, file: string, anchors: readonly Bits[]): void {
  const kind = pick(8);
  if (kind === 0) return;
  if (kind === 1) {
    writeDatabase(file, randomRows(pick, anchors));
    return;
  }
  const connection = new Database(file);
  connection.pragma('synchronous = off');
  const oneIn = (table: Table) => `rowid in (select rowid from ${table} order by random() limit 1)`;
  if (kind < 5) insertRows(connection, [randomRow(pick, anchors), randomRow(pick, anchors)]);
  else if (kind === 5) connection.exec(`delete from access where ${oneIn('access')}`);
  else {
    // By hand, also to rows that a command wrote.
    const table = kind === 6 ? 'access' : 'network_set';
    const column = kind === 6 ? oneOf(pick, ['user', 'network', 'expires']) : 'network';
    const values = kind === 6 ? [oneOf(pick, NAMES), '2999-01-01T00:00:00Z'] : [];
    const value = oneOf(pick, [randomNetwork(pick, anchors), ...values]);
    connection.prepare(`update or ignore ${table} set ${column} = ? where ${oneIn(table)}`).run(value);
  }
  connection.close();
}
