// What is read from rows written by hand, and for how long it is believed.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import Database from 'better-sqlite3';
import { parseAddress } from '../../src/rules/address';
import { granting, HandRows } from '../../src/rules/hand-rows';
import { SCHEMA, type Table } from '../../src/rules/schema';

const ADDRESS = parseAddress('10.0.0.1');
assert.ok(ADDRESS);

type Value = string | number | Buffer | null;

function databaseWith(rows: readonly (readonly [name: string, network: Value, expires?: Value])[]) {
  const connection = new Database(':memory:');
  connection.exec(SCHEMA);
  const insert = connection.prepare('insert into access (user, network, expires) values (?, ?, ?)');
  for (const [name, network, expires = null] of rows) insert.run(name, network, expires);
  return connection;
}

function read(connection: Database.Database, name: string, table: Table = 'access') {
  return new HandRows(connection, table).of(name);
}

describe('a value of a row', () => {
  const GRANTS = [['10.0.0.0/8', null]];
  for (const [what, network, granted] of [
    ['plain', '10.0.0.0/8', GRANTS],
    ['with space around it', '\t10.0.0.0/8 \n', GRANTS],
    ['two networks in two lines', '192.0.2.1\n10.0.0.0/8', []],
    ['what would end a text in JSON', '192.0.2.1","10.0.0.0/8', []],
    ['what would end a row in JSON', '192.0.2.1",null],["10.0.0.0/8', []],
    ['a backslash', '10.0.0.0\\/8', []],
    ['a NUL', '10.0.0.0/8\0', []],
    ['a NUL, and after it another network', '10.0.0.0/32\0.0/8', []],
    ['a line separator of Unicode in it', '10.0.0.0\u2028/8', []],
    ['bytes', Buffer.from('10.0.0.0/8'), []],
    ['a number', 10, []],
    ['nothing', '', []],
  ] as const) {
    test(what, () => {
      const rows = read(databaseWith([['one', network]]), 'one');
      assert.equal(rows.length, 1);
      assert.deepEqual(
        [...granting(rows, ADDRESS)].map((found) => [found.network, found.expires]),
        granted,
      );
      // The same in the statement for rows that expire.
      const expiring = read(databaseWith([['one', network, 'x"]']]), 'one');
      assert.deepEqual(
        [...granting(expiring, ADDRESS)].map((found) => [found.network, found.expires]),
        granted.map(([text]) => [text, 'x"]']),
      );
    });
  }

  for (const hex of ['ff', 'f022', 'f05c', 'c3', 'eda080', 'e28080ff22', '00ff']) {
    test(`text that is not UTF-8: ${hex}`, () => {
      const connection = databaseWith([['one', '10.0.0.0/8']]);
      connection.exec(`insert into access (user, network, expires) values
        ('one', cast(x'${hex}' as text), null), ('one', '10.0.0.1' || cast(x'${hex}' as text), cast(x'${hex}' as text))`);
      const rows = read(connection, 'one');
      assert.equal(rows.length, 3);
      assert.deepEqual(
        [...granting(rows, ADDRESS)].map((found) => found.network),
        ['10.0.0.0/8'],
      );
    });
  }

  for (const expires of ['2026-12-24', '', '\0', '"]', 1.5, Buffer.from('9999-12-31')]) {
    test(`expires ${JSON.stringify(expires)}`, () => {
      const [row] = read(databaseWith([['one', '10.0.0.0/8', expires]]), 'one');
      // The column makes text of numbers; bytes are no time.
      assert.deepEqual(row?.expires, typeof expires === 'object' ? 0 : String(expires));
    });
  }
});

test('all spellings of a name, ASCII and beyond, in both tables', () => {
  const connection = databaseWith([
    ['ONE', '10.0.0.1'],
    ['one', '10.0.0.2', '2026-12-24'],
    ['ÜBER', '10.0.0.3'],
    ['über', '10.0.0.4'],
    ['U\u0308ber', '10.0.0.5'],
    ['\u212Aarl', '10.0.0.6'],
    ['KARL', '10.0.0.7'],
    ['someone', '10.0.0.8'],
  ]);
  connection.exec('insert into network_set (name, network) select user, network from access');
  const texts = (name: string, table?: Table) =>
    read(connection, name, table)
      .map(({ text, expires }) => `${text} ${expires}`)
      .sort();
  assert.deepEqual(texts('one'), ['10.0.0.1 null', '10.0.0.2 2026-12-24']);
  assert.deepEqual(texts('one', 'network_set'), ['10.0.0.1 null', '10.0.0.2 null']);
  for (const table of ['access', 'network_set'] as const) {
    assert.deepEqual(texts('karl', table), ['10.0.0.6 null', '10.0.0.7 null']);
    assert.deepEqual(texts('\u00fcber', table).slice(0, 2), ['10.0.0.3 null', '10.0.0.4 null']);
    assert.deepEqual(texts('nobody', table), []);
  }
});

describe('rows that were read before', () => {
  test('are the same ones for another connection, while their text is the same', () => {
    const content = [['one', ' 10.0.0.0/8']] as const;
    const first = read(databaseWith(content), 'one');
    assert.equal(read(databaseWith([...content, ['two', '192.0.2.1']]), 'one'), first);
  });

  for (const [what, before, after] of [
    [
      'one more',
      [['one', '10.0.0.0/8']],
      [
        ['one', '10.0.0.0/8'],
        ['one', '10.0.0.1'],
      ],
    ],
    [
      'one less',
      [
        ['one', '10.0.0.0/8'],
        ['one', '10.0.0.1'],
      ],
      [['one', '10.0.0.0/8']],
    ],
    ['another network', [['one', '10.0.0.0/8']], [['one', '11.0.0.0/8']]],
    ['another time', [['one', '10.0.0.0/8', '2026-01-01']], [['one', '10.0.0.0/8', '2027-01-01']]],
    ['an end', [['one', '10.0.0.0/8']], [['one', '10.0.0.0/8', '2027-01-01']]],
    ['none', [['one', '10.0.0.0/8']], [['two', '10.0.0.0/8']]],
    [
      'one beyond ASCII',
      [['karl', '10.0.0.0/8']],
      [
        ['karl', '10.0.0.0/8'],
        ['\u212Aarl', '10.0.0.1'],
      ],
    ],
  ] as const) {
    test(`are read anew: ${what}`, () => {
      const [old, changed] = [databaseWith(before), databaseWith(after)];
      const name = before[0][0];
      const shown = (of: Database.Database) => read(of, name).map(({ text, expires }) => [text, expires]);
      const fresh = (content: typeof before | typeof after) =>
        content.filter(([user]) => user !== 'two').map(([, text, expires]) => [text, expires ?? null]);
      for (let i = 0; i < 2; i++) {
        assert.deepEqual(shown(old), fresh(before));
        assert.deepEqual(shown(changed), fresh(after));
      }
    });
  }

  test('are read anew by the same reader once it is told to forget', () => {
    const connection = databaseWith([['one', '10.0.0.0/8']]);
    const reader = new HandRows(connection, 'access');
    const texts = () => reader.of('one').map(({ text }) => text);
    assert.deepEqual(texts(), ['10.0.0.0/8']);
    connection.exec("insert into access (user, network) values ('ONE', '10.0.0.1')");
    assert.deepEqual(texts(), ['10.0.0.0/8']);
    reader.forget();
    assert.deepEqual(texts(), ['10.0.0.0/8', '10.0.0.1']);
  });

  test('are not all kept', () => {
    const connection = databaseWith([
      ['one', '10.0.0.0/8'],
      ['two', '10.0.0.0/8'],
    ]);
    const first = read(connection, 'one');
    assert.equal(read(connection, 'one'), first);
    const reader = new HandRows(connection, 'access');
    for (let i = 0; i < 20_000; i++) reader.of(`name ${i}`);
    assert.notEqual(read(connection, 'one'), first);
    assert.deepEqual(read(connection, 'one'), [{ text: '10.0.0.0/8', expires: null, meaning: null }]);
  });
});
