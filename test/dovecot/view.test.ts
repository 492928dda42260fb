// The view that Dovecot queries, beside the decision of the policy program.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { DOVECOT_VIEW } from '../../src/dovecot/view';
import { decide } from '../../src/policy/decide';
import { formatAddress, parseAddress } from '../../src/rules/address';
import { rulesOf } from '../../src/rules/lookup';
import { parseNetwork } from '../../src/rules/network';
import { SCHEMA } from '../../src/rules/schema';
import { randomAnchors, randomQuestion, randomRows } from '../faults/random-database';
import { change, insertRows, type TestRow } from '../rig/database';
import { forRandom, oneOf, type Pick } from '../rig/random';
import { mustRun } from '../rig/run';
import { newPath } from '../rig/scratch';

const HOUR = 3_600_000;

function databaseWith(rows: readonly TestRow[]): Database.Database {
  const connection = new Database(':memory:');
  connection.exec(SCHEMA + DOVECOT_VIEW);
  insertRows(connection, rows);
  return connection;
}

function allowNets(connection: Database.Database, user: string, address: string): string | null {
  const query = connection.prepare('select allow_nets from dovecot where login = json_array(?, ?)').pluck();
  return (query.get(user, address) as string | undefined) ?? null;
}

const checkAllows = (connection: Database.Database, user: string, address: string) =>
  decide({ user, address }, rulesOf(connection), Date.now()).kind === 'allowed';

/** A time around now. By hand, in the spellings of SQLite and others. */
function randomExpiry(pick: Pick, byHand: boolean): string {
  const iso = new Date(Date.now() + oneOf(pick, [-24, -1, 1, 24]) * HOUR).toISOString();
  const canonical = iso.replace(/\.\d+/, '');
  if (!byHand) return canonical;
  return oneOf(pick, [
    canonical,
    iso.slice(0, 19).replace('T', ' '),
    iso.slice(0, 10),
    iso.slice(0, 19),
    iso,
    `${iso.slice(0, 16)}Z`,
    '2999-02-31T00:00:00Z',
    '2999-02-31',
    '2999-01-01T24:00:00Z',
    '9999-12-31',
    'now',
    '2900000',
    '18:00',
  ]);
}

test('grants what check grants, and never more', () => {
  let allowed = 0;
  forRandom(60, (pick) => {
    const anchors = randomAnchors(pick);
    const onlyCommands = pick(2) === 0;
    const rows = randomRows(pick, anchors)
      .filter(({ byHand }) => !onlyCommands || byHand !== true)
      .map((row) => ({ ...row, expires: pick(4) === 0 ? randomExpiry(pick, !onlyCommands) : null }));
    const connection = databaseWith(rows);
    for (let i = 0; i < 20; i++) {
      const row = oneOf(pick, rows);
      const random = randomQuestion(pick, anchors);
      const user = pick(2) === 0 && row?.table !== 'network_set' ? (row?.name ?? 'bob') : random.user;
      const network = parseNetwork(row?.network ?? '')?.network;
      const spelled = pick(2) === 0 && network ? formatAddress(network) : random.address;
      const parsed = parseAddress(spelled);
      const address = parsed === null || pick(3) === 0 ? spelled : formatAddress(parsed);
      const isUsual = parsed === null || address === formatAddress(parsed);
      const question = `${JSON.stringify([user, address])} of ${JSON.stringify(rows)}`;
      const expected = checkAllows(connection, user, address);
      const found = ![null, 'local'].includes(allowNets(connection, user, address));
      if (found) assert.ok(expected, `the view lets in ${question}`);
      if (onlyCommands && isUsual && /^[ -~]+$/.test(user))
        assert.equal(found, expected, `the view refuses ${question}`);
      if (found) allowed++;
    }
    connection.close();
  });
  assert.ok(allowed > 50, `${allowed}`);
});

test('the first subject with an entry decides, as in the policy program', () => {
  const hand = (name: string, network: string, expires: string | null = null) => ({
    name,
    network,
    expires,
    byHand: true,
  });
  const connection = databaseWith([
    { name: 'bob@example.com', network: '203.0.113.0/24' },
    { name: 'bob@example.com', network: '@office' },
    { name: 'carol', network: '198.51.100.7' },
    { name: '@example.com', network: '10.0.0.0/8' },
    { name: 'dave@example.com', network: '192.0.2.0/24' },
    { name: 'dave@example.com', network: 'inherit' },
    { name: 'eve@example.com', network: 'none' },
    { name: 'frank@example.com', network: 'any', expires: '2026-01-01T00:00:00Z' },
    { name: '@example.net', network: 'any' },
    { table: 'network_set', name: 'office', network: '2001:db8:1::/48' },
    { name: 'jürgen@example.net', network: 'none' },
    hand('Hand@Example.com', '192.0.2.7'),
    hand('uncommon@example.net', '10.1.2.3/8'),
    hand('blocked@example.net', ' None\t'),
    hand('blocked@example.net', 'any'),
    hand('soon@example.net', 'any', '2999-01-01'),
    hand('never@example.net', 'any', '2999-02-31'),
    hand('late@example.net', 'any', '2999-01-01T24:00:00Z'),
  ]);
  for (const [user, address, expected] of [
    ['bob@example.com', '203.0.113.9', '203.0.113.0/24'],
    ['BOB@Example.COM', '203.0.113.9', '203.0.113.0/24'],
    ['bob@example.com', '::ffff:203.0.113.9', '203.0.113.0/24'],
    ['bob@example.com', '2001:db8:1::25', '2001:db8:1::/48'],
    ['bob@example.com', '10.1.2.3', null],
    ['carol@example.com', '198.51.100.7', '198.51.100.7/32'],
    ['carol@example.com', '10.1.2.3', null],
    ['carol\0x', '198.51.100.7', null],
    ['carol@x@example.com', '10.1.2.3', '10.0.0.0/8'],
    ['dave@example.com', '10.1.2.3', '10.0.0.0/8'],
    ['eve@example.com', '10.1.2.3', null],
    ['frank@example.com', '10.1.2.3', null],
    ['somebody@example.net', '10.1.2.3', '0.0.0.0/0,::/0'],
    ['somebody@example.net', '2001:db8::', '0.0.0.0/0,::/0'],
    ['somebody@example.net', 'unknown', null],
    ['somebody@example.net', '256.1.1.1', null],
    ['somebody@example.net', '1.2.3', null],
    ['late@example.net', '10.1.2.3', null],
    ['somebody', '', 'local'],
    ['somebody', '10.1.2.3', null],
    // SQL cannot fold these names: what the domain has does not count.
    ['JÜRGEN@example.net', '10.1.2.3', null],
    ['jürgen@example.net', '10.1.2.3', null],
    ['émile@example.net', '10.1.2.3', null],
    ['hand@example.com', '192.0.2.7', '192.0.2.7'],
    ['uncommon@example.net', '10.1.2.3', null],
    ['blocked@example.net', '10.1.2.3', null],
    ['soon@example.net', '10.1.2.3', '0.0.0.0/0,::/0'],
    ['never@example.net', '10.1.2.3', null],
  ] as const) {
    assert.equal(allowNets(connection, user, address), expected, `${user} from ${address}`);
    if (expected !== null && expected !== 'local')
      assert.ok(checkAllows(connection, user, address), `${user} from ${address}`);
  }
});

test('the answer is one network of a large set, at once', () => {
  const set = Array.from({ length: 100_000 }, (_, i) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}/32`);
  const connection = databaseWith([
    { name: '*', network: '@large' },
    ...set.map((network) => ({ table: 'network_set', name: 'large', network }) as const),
  ]);
  assert.equal(allowNets(connection, 'bob', '10.1.0.200'), '10.1.0.200/32');
  assert.equal(allowNets(connection, 'bob', '11.1.0.200'), null);
  const start = performance.now();
  for (let i = 0; i < 100; i++) allowNets(connection, 'bob', '10.1.0.200');
  assert.ok(performance.now() - start < 5000, `${performance.now() - start} ms for 100 logins`);
});

test('init gives the view to a database that has none', () => {
  const db = newPath();
  const init = () => mustRun(['init', '--db', db]);
  init();
  change(db, "drop view dovecot; insert into access (user, network) values ('test1', '127.0.0.1/32')");
  assert.match(init(), /is there already/);
  const connection = new Database(db, { readonly: true });
  assert.equal(allowNets(connection, 'test1', '127.0.0.1'), '127.0.0.1/32');
  connection.close();
});

test('a row that was copied with its key grants nothing', () => {
  const connection = databaseWith([
    { name: 'one', network: '10.0.0.0/8' },
    { name: 'six', network: '2001:db8::/32' },
    { table: 'network_set', name: 'office', network: '10.0.0.0/8' },
    { name: 'set', network: '@office' },
    { name: 'copied-set', network: '@copy' },
    { name: 'all', network: 'any' },
  ]);
  const copy = (to: string, network: string, from: string) =>
    connection.exec(
      `insert into access (user, network, key) select '${to}', '${network}', key from access where user = '${from}'`,
    );
  copy('two', '192.0.2.0/24', 'one');
  copy('seven', '2001:db8:1::/48', 'six');
  copy('same', '10.0.0.0/8', 'one');
  copy('wide', 'any', 'one');
  connection.exec("insert into network_set (name, network, key) select 'copy', '192.0.2.0/24', key from network_set");
  const allowed = (['one', 'two', 'same', 'wide', 'six', 'seven', 'set', 'copied-set', 'all'] as const).flatMap(
    (user) =>
      ['10.0.0.1', '192.0.2.1', '2001:db8:1::5'].flatMap((address) => {
        const granted = allowNets(connection, user, address) !== null;
        assert.equal(granted, checkAllows(connection, user, address), `${user} ${address}`);
        return granted ? [`${user} ${address}`] : [];
      }),
  );
  assert.deepEqual(allowed, [
    'one 10.0.0.1',
    'same 10.0.0.1',
    'six 2001:db8:1::5',
    'set 10.0.0.1',
    'all 10.0.0.1',
    'all 192.0.2.1',
    'all 2001:db8:1::5',
  ]);
});
