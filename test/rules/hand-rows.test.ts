// What rows written by another SQLite client grant.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import Database from 'better-sqlite3';
import IPCIDR from 'ip-cidr';
import { problemOf } from '../../src/entries/row-fault';
import { makeCanonical } from '../../src/rules/canonical';
import { clearFalseCanonical, eachRow, isBlock } from '../../src/rules/entries';
import { rulesOf } from '../../src/rules/lookup';
import { type Address, parseAddress } from '../../src/rules/network';
import { SCHEMA } from '../../src/rules/schema';
import { insertRows } from '../rig/database';

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

/** The networks and ends of the entries of a subject that contain the address; null: it has no entry. */
function granting(connection: Database.Database, name: string): [unknown, unknown][] | null {
  const found = rulesOf(connection)
    .of(name)
    ?.covering(ADDRESS as Address);
  return found === undefined ? null : [...found].map(({ network, expires }) => [network.trim(), expires]);
}

describe('a network written by hand', () => {
  const GRANTS = [['10.0.0.0/8', null]];
  for (const [what, network, granted] of [
    ['plain', '10.0.0.0/8', GRANTS],
    ['with space around it', '\t10.0.0.0/8 \n', GRANTS],
    ['two networks in two lines', '192.0.2.1\n10.0.0.0/8', []],
    ['a NUL', '10.0.0.0/8\0', []],
    ['a NUL, and after it another network', '10.0.0.0/32\0.0/8', []],
    ['a line separator of Unicode in it', '10.0.0.0\u2028/8', []],
    ['bytes', Buffer.from('10.0.0.0/8'), []],
    ['a number', 10, []],
    ['nothing', '', []],
  ] as const) {
    test(`${what}: it ${granted.length > 0 ? 'counts' : 'grants nothing'}`, () => {
      assert.deepEqual(granting(databaseWith([['one', network]]), 'one'), granted);
    });
  }

  for (const hex of ['ff', 'c3', 'eda080', '00ff']) {
    test(`text that is not UTF-8, ${hex}: it grants nothing`, () => {
      const connection = databaseWith([['one', '10.0.0.0/8']]);
      connection.exec(`insert into access (user, network, expires) values
        ('one', cast(x'${hex}' as text), null), ('one', '10.0.0.1' || cast(x'${hex}' as text), cast(x'${hex}' as text))`);
      assert.deepEqual(granting(connection, 'one'), [['10.0.0.0/8', null]]);
    });
  }
});

test('a name counts as it is written, except for the case of ASCII letters', () => {
  const connection = databaseWith([
    ['ONE', '10.0.0.1'],
    ['one', '10.0.0.1/32', '2026-12-24'],
    ['ÜBER', '10.0.0.1'],
    ['über', '10.0.0.1'],
    ['bob\0aaaa', '10.0.0.1'],
  ]);
  connection.exec("insert into access (user, network) values (cast(x'ff' as text), 'any')");
  const count = (name: string) => granting(connection, name)?.length ?? null;
  assert.deepEqual(['one', 'über', 'bob', 'bob\0zzzz', '\ufffd', 'nobody'].map(count), [2, 1, null, null, null, null]);
});

test('a row that another client copied or edited counts as it is written', () => {
  const connection = databaseWith([]);
  insertRows(
    connection,
    ['one', 'six'].map((name) => ({ name, network: '10.0.0.0/8' })),
  );
  const copy = (name: string, text: string) =>
    connection.exec(
      `insert into access (user, network, canonical) select '${name}', '${text}', canonical from access where user = 'one'`,
    );
  copy('two', '192.0.2.0/24');
  copy('three', 'none');
  copy('Four', '10.1/16');
  copy('Five', '10.0.0.1');
  connection.exec("update access set user = 'SEVEN' where user = 'six'");
  const names = ['one', 'two', 'three', 'four', 'five', 'six', 'seven'];
  assert.deepEqual(
    names.map((name) => granting(connection, name)?.length ?? null),
    [1, 0, 0, 0, 1, null, 1],
  );
  assert.equal(rulesOf(connection).of('three')?.blocks.length, 1);
});

test('a row of an edited dump that only seems to be canonical is marked until tidy makes it count', () => {
  const connection = databaseWith([]);
  connection.exec(`insert into access (user, network, canonical) values ('Bob', 'none', 'Bob none'),
    ('eve', '10.0.0.1', 'eve 10.0.0.1'), ('ivo', 'x', 'ivo x')`);
  const problems = () => [...eachRow(connection, 'access')].map((row) => problemOf('access', row, () => true));
  const tidy = 'allow-nets tidy makes it count';
  assert.deepEqual(problems(), [tidy, tidy, 'the network cannot be read']);
  assert.deepEqual([granting(connection, 'eve'), granting(connection, 'ivo')], [[], []]);
  clearFalseCanonical(connection, 'access');
  makeCanonical(connection);
  assert.deepEqual(problems(), [null, null, 'the network cannot be read']);
  assert.equal(rulesOf(connection).of('bob')?.blocks.length, 1);
  assert.deepEqual(granting(connection, 'eve'), [['10.0.0.1/32', null]]);
});

test('of hand-written networks, a decision compares only those with ip-cidr that contain the address', (t) => {
  const connection = databaseWith(['192.0.2.1', '192.0.2.2', '10.0.0.1', 'NONE '].map((text) => ['one', text]));
  const { mock } = t.mock.method(IPCIDR, 'createAddress');
  assert.deepEqual(granting(connection, 'one'), [['10.0.0.1', null]]);
  assert.equal(mock.callCount(), 1);
});

test('a hand-written row with non-ASCII capitals in its name is marked until tidy makes it count', () => {
  const connection = databaseWith([
    ['JÖRG', 'none'],
    ['jörg', '10.0.0.1'],
    ['Anna', '10.0.0.1'],
  ]);
  const marks = () =>
    [...eachRow(connection, 'access')].map((row) => [row.user, problemOf('access', row, () => true), isBlock(row, 0)]);
  assert.deepEqual(marks(), [
    ['Anna', null, false],
    ['JÖRG', 'allow-nets tidy makes it count', false],
    ['jörg', null, false],
  ]);
  makeCanonical(connection);
  assert.deepEqual(marks().at(-1), ['jörg', null, true]);
  assert.equal(rulesOf(connection).of('jörg')?.blocks.length, 1);
});

test('an unreadable row is still an entry of its user, or a block, after tidy has rewritten the others', () => {
  const connection = databaseWith([
    ['ÄNNE', '10.0.0.0/33'],
    ['änne', '10.0.0.0/33'],
    ['JÖRG', 'none', 'x'],
    ['jörg', 'none', '2001-01-01'],
    ['bob', 'none', 'x'],
    ['BOB', 'none', '2001-01-01'],
    ['ÖDÖN', '10.0.0.1', 'x'],
    ['ödön', '10.0.0.1'],
  ]);
  makeCanonical(connection);
  const { of } = rulesOf(connection);
  assert.deepEqual(granting(connection, 'änne'), []);
  for (const name of ['bob', 'jörg'])
    assert.deepEqual(of(name)?.blocks, [{ network: 'none', set: null, expires: 'x' }]);
  assert.equal(granting(connection, 'ödön')?.length, 1);
});
