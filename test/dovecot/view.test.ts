// The view that Dovecot queries, beside the decision of the policy program, and a real Dovecot with 1,000 random logins.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { DOVECOT_VIEW } from '../../src/dovecot/view';
import { decide } from '../../src/policy/decide';
import { rulesOf } from '../../src/rules/lookup';
import { formatAddress, parseAddress, parseNetwork } from '../../src/rules/network';
import { SCHEMA } from '../../src/rules/schema';
import { randomAnchors, randomQuestion, randomRows } from '../faults/random-database';
import { needs } from '../requires';
import { insertRows, type TestRow } from '../rig/database';
import { forRandom, oneOf, type Pick } from '../rig/random';
import { MailStore, onePassword } from './server';

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
  const stored = iso.replace(/\.\d+/, '');
  if (!byHand) return stored;
  // biome-ignore format: lists of words
  return oneOf(pick, [
    stored, iso.slice(0, 19).replace('T', ' '), iso.slice(0, 10), iso.slice(0, 19), iso, `${iso.slice(0, 16)}Z`,
    '2999-02-31T00:00:00Z', '2999-02-31', '2999-01-01T24:00:00Z', '9999-12-31', 'now', '2900000', '18:00',
  ]);
}

/** An address in its canonical spelling; null: it is none. */
function canonical(address: string): string | null {
  const parsed = parseAddress(address);
  return parsed && formatAddress(parsed);
}

interface Trial {
  readonly rows: readonly TestRow[];
  /** No row is written by hand. */
  readonly byCommands: boolean;
  readonly logins: readonly { readonly user: string; readonly from: string }[];
}

/** @param count of the logins to one database */
function randomTrial(pick: Pick, count: number): Trial {
  const anchors = randomAnchors(pick);
  const byCommands = pick(2) === 0;
  const rows = Array.from({ length: 2 }, () => randomRows(pick, anchors))
    .flat()
    .filter(({ byHand }) => !byCommands || byHand !== true)
    .map((row) => ({ ...row, expires: pick(4) === 0 ? randomExpiry(pick, !byCommands) : null }));
  const logins = Array.from({ length: count }, () => {
    const row = oneOf(pick, rows);
    const random = randomQuestion(pick, anchors);
    const user = pick(2) === 0 && row?.table !== 'network_set' ? (row?.name ?? 'bob') : random.user;
    const network = parseNetwork(row?.network ?? '')?.network;
    const spelled = pick(2) === 0 && network ? formatAddress(network) : random.address;
    return { user, from: pick(3) === 0 ? spelled : (canonical(spelled) ?? spelled) };
  });
  return { rows, byCommands, logins };
}

/** Compares the answers to the logins with those of check. @returns how many were let in */
function compare(connection: Database.Database, { rows, byCommands, logins }: Trial, isIn: readonly boolean[]): number {
  for (const [i, { user, from }] of logins.entries()) {
    const question = `${JSON.stringify([user, from])} of ${JSON.stringify(rows)}`;
    const expected = checkAllows(connection, user, from);
    if (isIn[i]) assert.ok(expected, `lets in ${question}`);
    // What SQL cannot read it refuses.
    const isReadable = byCommands && /^[ -~]+$/.test(user) && (canonical(from) ?? from) === from;
    if (isReadable) assert.equal(isIn[i], expected, `refuses ${question}`);
  }
  return isIn.filter(Boolean).length;
}

test('the view grants what check grants, and never more', () => {
  let allowed = 0;
  forRandom(60, (pick) => {
    const trial = randomTrial(pick, 20);
    const connection = databaseWith(trial.rows);
    const answers = trial.logins.map(({ user, from }) => allowNets(connection, user, from));
    const granted = answers.map((answer) => answer !== null && answer !== 'local');
    allowed += compare(connection, trial, granted);
    connection.close();
  });
  assert.ok(allowed > 50, `${allowed}`);
});

test(
  '1,000 logins to Dovecot get the same result as check',
  needs('root', 'dovecot', 'imap-login', 'pop3-login', 'managesieve-login', 'lmtp', 'libdriver_sqlite.so'),
  async () => {
    const store = await MailStore.start('allow-nets', onePassword());
    const connection = new Database(store.db);
    let allowed = 0;
    const trials: Trial[] = [];
    forRandom(25, (pick) => void trials.push(randomTrial(pick, 40)));
    for (const trial of trials) {
      // Dovecot passes no NUL and no bad address on, and spells ::/96, where no client is, as ::192.0.2.1, which the view does not read.
      const logins = trial.logins.flatMap(({ user, from }) => {
        const address = canonical(from);
        const isPassedOn = address !== null && !user.includes('\0') && !/^::[0-9a-f]+:[0-9a-f]+$/.test(address);
        return isPassedOn ? [{ user, from: address }] : [];
      });
      connection.exec('delete from access; delete from network_set');
      insertRows(connection, trial.rows);
      allowed += compare(connection, { ...trial, logins }, await store.authenticate(logins));
    }
    connection.close();
    store.remove();
    assert.ok(allowed > 50, `${allowed}`);
  },
);

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
  ]);
  // SQL cannot fold names beyond ASCII: what the domain has does not count for them.
  for (const [granted, questions] of [
    ['203.0.113.0/24', 'bob@example.com 203.0.113.9, BOB@Example.COM 203.0.113.9, bob@example.com ::ffff:203.0.113.9'],
    ['2001:db8:1::/48', 'bob@example.com 2001:db8:1::25'],
    ['198.51.100.7/32', 'carol@example.com 198.51.100.7'],
    ['10.0.0.0/8', 'carol@x@example.com 10.1.2.3, dave@example.com 10.1.2.3'],
    ['192.0.2.7', 'hand@example.com 192.0.2.7'],
    ['0.0.0.0/0,::/0', 'any@example.net 10.1.2.3, any@example.net 2001:db8::, soon@example.net 10.1.2.3'],
    [
      null,
      'bob@example.com 10.1.2.3, carol@example.com 10.1.2.3, eve@example.com 10.1.2.3, frank@example.com 10.1.2.3',
    ],
    [
      null,
      'any@example.net unknown, any@example.net 256.1.1.1, any@example.net 1.2.3, any 10.1.2.3, carol\0x 198.51.100.7',
    ],
    [null, 'JÜRGEN@example.net 10.1.2.3, jürgen@example.net 10.1.2.3, émile@example.net 10.1.2.3'],
    [null, 'uncommon@example.net 10.1.2.3, blocked@example.net 10.1.2.3, never@example.net 10.1.2.3'],
  ] as const) {
    for (const question of questions.split(', ')) {
      const [user = '', address = ''] = question.split(' ');
      assert.equal(allowNets(connection, user, address), granted, question);
      if (granted !== null) assert.ok(checkAllows(connection, user, address), question);
    }
  }
  assert.equal(allowNets(connection, 'any', ''), 'local');
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

test('a row that another client copied or edited grants what check allows', () => {
  const connection = databaseWith([
    { name: 'one', network: '10.0.0.0/8' },
    { table: 'network_set', name: 'office', network: '10.0.0.0/8' },
    { name: 'set', network: '@copy' },
  ]);
  connection.exec(`insert into access (user, network, canonical) values ('two', '192.0.2.0/24', 'one 10.0.0.0/8'),
    ('same', '10.0.0.0/8', 'one 10.0.0.0/8'), ('Wide', 'any', 'one 10.0.0.0/8'), ('host', '10.0.0.1', 'one 10.0.0.0/8');
    insert into network_set (name, network, canonical) values ('copy', '10.0.0.0/16', 'office 10.0.0.0/8')`);
  const granted = ['one', 'two', 'same', 'wide', 'host', 'set'].map((user) =>
    ['10.0.0.1', '192.0.2.1'].filter((address) => {
      const allowed = checkAllows(connection, user, address);
      // A hand-written network that is not canonical grants nothing here.
      if (user !== 'host') assert.equal(allowNets(connection, user, address) !== null, allowed);
      return allowed;
    }),
  );
  const inside = ['10.0.0.1'];
  assert.deepEqual(granted, [inside, ['192.0.2.1'], inside, [...inside, '192.0.2.1'], inside, inside]);
});
