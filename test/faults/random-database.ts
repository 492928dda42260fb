// Random databases (rows of commands and rows by hand, in any spelling; sets; expiry; subjects), random changes to them, and random users and
// addresses to ask them about.
import Database from 'better-sqlite3';
import { formatNetwork, parseNetwork } from '../../src/rules/network';
import type { Table } from '../../src/rules/schema';
import { insertRows, type TestRow, writeDatabase } from '../policy/database';
import { type Bits, near, type Pick, plainText, randomBits, spellAddress, spellBlock } from '../rules/spellings';
import type { OracleRow, OracleRules } from './oracle';
import { oneOf } from './random';

/** The moment that expiry is about. */
export const NOW = Date.parse('2026-06-01T12:00:00Z');

const NAMES = [
  'bob',
  'BOB',
  'bob@example.com',
  'Bob@Example.com',
  '@example.com',
  '@EXAMPLE.com',
  '*',
  'alice',
  'alice@example.com',
  'alice@example.net',
  'josé@example.com',
  'JOSE\u0301@example.com',
  'jose@example.com',
  '\u212Aim',
  'kim',
  'KIM@büro.example',
  '@BU\u0308RO.example',
  'ß',
  'ss',
  'İ',
  'i',
  'a_c',
  'abc',
  'a%',
  '*bc',
  '[a-z]',
  "o'hara",
  '"',
  'a b',
  'a@b@example.com',
  '@',
  'x@',
  '\ufffd',
  '\u{1f600}',
  'b\u043eb',
  'bob\0',
  'bob\0x',
  '@example.com@example.net',
  '?ob',
];
const SETS = ['office', 'Office', 'home', 'büro', 'BU\u0308RO', 'any', '*', '10.0.0.0/8', 'no-such'];
const JUNK = [
  '',
  ' ',
  'localhost',
  '10.0.0.0/33',
  '10.0.0/8',
  '::/129',
  '@',
  'any.',
  '10.0.0.0/8,',
  '010.0.0.0/8',
  '0/0',
  '*',
  'NULL',
];
const EXPIRIES = [
  '2026-06-01T12:00:00Z',
  '2026-06-01T12:00:01Z',
  '2026-06-01T11:59:59Z',
  '2026-06-01 12:00:01',
  '2026-06-01 11:59:59',
  '2026-06-01T14:00:01+02:00',
  '2026-06-01T14:00:00+02:00',
  '2999-01-01T00:00:00Z',
  '2020-01-01T00:00:00Z',
  'tomorrow',
  '',
  '1798135200',
  '2026-06-01',
  '2026-05-31',
];

/** Networks of a database are near each other and near the addresses asked about. */
export function randomNetwork(pick: Pick, anchors: readonly Bits[]): string {
  const bits = pick(5) === 0 ? randomBits(pick) : near(oneOf(pick, anchors), pick);
  const length = bits.bytes.length * 8;
  const prefix = pick(3) === 0 ? oneOf(pick, [0, 1, 8, 16, 24, length - 1, length]) : pick(length + 1);
  return spellBlock({ ...bits, prefix }, pick);
}

export function randomRow(pick: Pick, anchors: readonly Bits[]): TestRow {
  const table: Table = pick(4) === 0 ? 'network_set' : 'access';
  const name = oneOf(pick, table === 'access' ? NAMES : SETS);
  const expires = pick(3) === 0 ? oneOf(pick, EXPIRIES) : null;
  const kind = pick(20);
  let network = randomNetwork(pick, anchors);
  if (kind < 2) network = oneOf(pick, ['any', 'ANY', ' any', 'Any\n']);
  else if (kind < 6) network = `@${oneOf(pick, SETS)}`;
  else if (kind < 7) network = oneOf(pick, JUNK);
  else if (kind < 9 && table === 'access') network = oneOf(pick, ['inherit', 'none', ' Inherit', 'NONE']);
  const byHand = pick(2) === 0;
  if (byHand) return { table, name, network, expires, byHand };
  // As a command stores it.
  const parsed = parseNetwork(network);
  if (parsed) return { table, name, network: formatNetwork(parsed.network), expires };
  const isWord = table === 'access' && /^@.|inherit|none/i.test(network);
  return { table, name, network: isWord ? network : 'any', expires };
}

export function randomRows(pick: Pick, anchors: readonly Bits[]): TestRow[] {
  return Array.from({ length: 1 + pick(oneOf(pick, [5, 20, 60])) }, () => randomRow(pick, anchors));
}

export function randomAddress(pick: Pick, anchors: readonly Bits[]): string {
  if (pick(12) === 0)
    return oneOf(pick, ['unknown', '', '10.0.0.1%eth0', '10.0.0.0/8', '::1%1', '010.0.0.1', 'any', '*']);
  const bits = pick(6) === 0 ? randomBits(pick) : near(oneOf(pick, anchors), pick);
  return pick(2) === 0 ? plainText(bits) : spellAddress(bits, pick);
}

/** Never empty: that question is not put to a database. */
export function randomUser(pick: Pick): string {
  const known = oneOf(pick, NAMES);
  return pick(4) > 0
    ? known
    : oneOf(pick, [known.toUpperCase(), known.normalize('NFD'), `${known}@example.com`, `${known}x`, '*@example.com']);
}

/** What really stands in the database, for the oracle. */
export function rowsOf(connection: Database.Database): OracleRules {
  const all = (sql: string) => connection.prepare(sql).all() as OracleRow[];
  return {
    access: all('select user as name, network, expires, key is null as byHand from access'),
    sets: all('select name, network, null as expires, key is null as byHand from network_set'),
  };
}

export function told({ access, sets }: OracleRules): string {
  return JSON.stringify({ access, sets }, null, 1).slice(0, 3000);
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
  const row = () => randomRow(pick, anchors);
  if (kind < 5) insertRows(connection, [row(), row()]);
  else if (kind === 5)
    connection.exec('delete from access where rowid in (select rowid from access order by random() limit 2)');
  else if (kind === 6) {
    // By hand, also to rows that a command wrote.
    const change = connection.prepare(
      `update or ignore access set ${oneOf(pick, ['user', 'network', 'expires'])} = ? where rowid in (select rowid from access order by random() limit 1)`,
    );
    change.run(oneOf(pick, [oneOf(pick, NAMES), randomNetwork(pick, anchors), '2999-01-01T00:00:00Z']));
  } else {
    connection
      .prepare(
        'update or ignore network_set set network = ? where rowid in (select rowid from network_set order by random() limit 1)',
      )
      .run(randomNetwork(pick, anchors));
  }
  connection.close();
}
