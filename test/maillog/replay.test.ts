// replay at the command line: who would be refused, and the exit status that answers the question.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { needs, program } from '../requires';
import { newDatabase } from '../rig/database';
import { onTerminal, run, shell } from '../rig/run';
import { newFile, newPath } from '../rig/scratch';
import { many, taken } from './small-log';

const LOG =
  many(5, 'alice@example.com', '192.0.2.7') +
  many(3, 'alice@example.com', '203.0.113.9', '2026-11-05') +
  many(2, 'bob', '198.51.100.9', '2026-11-05') +
  many(2, 'carol@example.net', '2001:db8::1', '2026-11-05') +
  taken('carol@example.net', '2001:db8::2', '2026-11-06T10:00:00Z') +
  taken('carol@example.net', '2001:db8:0:1::2', '2026-11-06T11:00:00Z') +
  taken('dave', 'unknown', '2026-11-06T12:00:00Z');

/** Alice is allowed at one of her networks, Bob by everybody's entry; Carol and Dave have no entry but that. */
function prepared(): string {
  const db = newDatabase();
  run(['add', 'alice@example.com', '192.0.2.0/24', '--db', db]);
  run(['add', 'bob', '198.51.100.0/24', '--db', db]);
  return db;
}

test('counts, and tells who would be refused, from where and when last', () => {
  const { status, stdout, stderr } = run(['replay', '--db', prepared(), newFile(LOG)]);
  assert.equal(
    stdout,
    [
      'deliveries  15',
      'allowed      7',
      'refused      8',
      'users        4  2 of them without an entry',
      '',
      'carol@example.net  4 refused  last 2026-11-06T11:00:00Z  2001:db8::/64, 2001:db8:0:1::/64 (no entry)',
      'alice@example.com  3 refused  last 2026-11-05T00:02:00Z  203.0.113.9/32',
      'dave               1 refused  last 2026-11-06T12:00:00Z  unknown (no entry)',
      '',
    ].join('\n'),
  );
  assert.equal(
    stderr,
    'allow-nets: hint: allow-nets check USER ADDRESS says why; allow-nets learn shows what to add\n',
  );
  assert.equal(status, 1);
});

test('as JSON', () => {
  const { status, stdout, stderr } = run(['replay', '--json', '--db', prepared(), newFile(LOG)]);
  // biome-ignore format: a table
  assert.deepEqual(JSON.parse(stdout), {
    deliveries: 15, allowed: 7, refused: 8, users: 4, users_without_entry: 2,
    refused_users: [
      { user: 'carol@example.net', messages: 4, networks: ['2001:db8::/64', '2001:db8:0:1::/64'], last: '2026-11-06T11:00:00Z', has_entry: false },
      { user: 'alice@example.com', messages: 3, networks: ['203.0.113.9/32'], last: '2026-11-05T00:02:00Z', has_entry: true },
      { user: 'dave', messages: 1, networks: ['unknown'], last: '2026-11-06T12:00:00Z', has_entry: false },
    ],
    days: [
      { day: '2026-11-04', allowed: 5, refused: 0 },
      { day: '2026-11-05', allowed: 2, refused: 5 },
      { day: '2026-11-06', allowed: 0, refused: 3 },
    ],
  });
  assert.deepEqual([status, stderr], [1, '']);
});

test('exit status 0 when nobody would be refused', () => {
  const { status, stdout, stderr } = run(['replay', '--user', 'bob', '--db', prepared(), newFile(LOG)]);
  assert.equal(stdout, 'deliveries  2\nallowed     2\nrefused     0\nusers       1\n');
  assert.deepEqual([status, stderr], [0, '']);
});

test('decides as check does, entry by entry', () => {
  const db = newDatabase();
  const add = (...words: string[]) => assert.equal(run(['add', ...words, '--db', db]).status, 0);
  run(['set', 'add', 'office', '192.0.2.0/25', '--db', db]);
  add('alice@example.com', '@office', '2001:db8:1::/64');
  add('bob', '198.51.100.0/28');
  add('@example.com', '203.0.113.0/24');
  add('*', '10.0.0.0/8');
  const users = ['ALICE@EXAMPLE.COM', 'bob@example.com', 'carol@example.com', 'eve'];
  const v4 = ['192.0.2.1', '192.0.2.200', '198.51.100.1', '203.0.113.1', '10.1.1.1', '::ffff:10.1.1.1'];
  const addresses = [...v4, '2001:db8:1::5', '2001:db8:2::5'];
  for (const user of users) {
    const log = newFile(addresses.map((address) => taken(user, address, '2026-11-04T05:00:00Z')).join(''));
    const { allowed } = JSON.parse(run(['replay', '--json', '--db', db, log]).stdout);
    const checks = addresses.map((address) => run(['check', user, address, '--db', db]).status);
    assert.equal(allowed, checks.filter((status) => status === 0).length, user);
  }
});

test('the time that an entry ends counts as it is now, not as it was then', needs('sqlite3'), () => {
  const db = prepared();
  execFileSync(program('sqlite3'), [db, "update access set expires = '2026-11-10T00:00:00Z' where user = 'bob'"]);
  const { status } = run(['replay', '--user', 'bob', '--db', db, newFile(LOG)]);
  assert.equal(status, Date.now() < Date.UTC(2026, 10, 10) ? 0 : 1);
});

test('what cannot be read: exit status 0 would say more than is known', () => {
  const log = many(2, 'bob', '198.51.100.9');
  const unknown = taken('eve', '203.0.113.9', 'Dez  4 05:47:54');
  for (const [more, hint] of [
    ['x'.repeat(1 << 20), /left out 1 overlong line\n$/],
    [unknown, /: 1 line not understood, for example: Dez {2}4 05:47:54 mx1 .*eve\n/],
  ] as const) {
    const { status, stdout, stderr } = run(['replay', '--db', prepared(), newFile(log + more)]);
    assert.match(stdout, /^deliveries {2}2\nallowed {5}2\nrefused {5}0\n/);
    assert.match(stderr, hint);
    assert.equal(status, 1);
  }
});

test('nothing found: says so', () => {
  const { status, stdout, stderr } = run(['replay', '--db', prepared(), newFile('')]);
  assert.equal(stdout, 'deliveries  0\nallowed     0\nrefused     0\nusers       0\n');
  assert.match(stderr, /hint: no mail of an authenticated user was found/);
  assert.equal(status, 0);
});

test('without a database there is no answer', () => {
  const { status, stdout, stderr } = run(['replay', '--db', newPath(), newFile(LOG)]);
  assert.deepEqual([status, stdout], [1, '']);
  assert.match(stderr, /^allow-nets: error: there is no database /);
});

const ESC = '\x1b';

test('on a terminal: progress that is wiped away', needs('script'), async (t) => {
  const db = prepared();
  const log = newFile(LOG);

  // Until the program has started and some time has passed, on a slow machine too.
  const slow = `for i in $(seq 40); do cat '${log}'; sleep 0.1; done | allow-nets learn --json -`;

  await t.test('progress', () => {
    const output = onTerminal(slow, { db });
    assert.match(output, new RegExp(`\\rread [\\d.]+ MB${ESC}\\[K`));
    assert.ok(output.includes(`\r${ESC}[K`));
  });

  await t.test('no progress elsewhere', () => {
    const output = shell(`(${slow}) 2>&1`, { db }).stdout;
    assert.doesNotMatch(output, /read \d/);
  });
});
