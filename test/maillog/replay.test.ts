// replay at the command line: who would be refused, and the exit status that answers the question.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { newDatabase } from '../rig/database';
import { run } from '../rig/run';
import { newFile, newPath } from '../rig/scratch';
import { acceptedLine, acceptedLines } from './small-log';

const LOG =
  acceptedLines(5, 'alice@example.com', '192.0.2.7') +
  acceptedLines(3, 'alice@example.com', '203.0.113.9', '2026-11-05') +
  acceptedLines(2, 'bob', '198.51.100.9', '2026-11-05') +
  acceptedLines(2, 'carol@example.net', '2001:db8::1', '2026-11-05') +
  acceptedLine('carol@example.net', '2001:db8::2', '2026-11-06T10:00:00Z') +
  acceptedLine('carol@example.net', '2001:db8:0:1::2', '2026-11-06T11:00:00Z') +
  acceptedLine('dave', 'unknown', '2026-11-06T12:00:00Z');

/** Alice is allowed at one of her networks, Bob at his; Carol and Dave have no entry. */
const prepared = () =>
  newDatabase([
    { name: 'alice@example.com', network: '192.0.2.0/24' },
    { name: 'bob', network: '198.51.100.0/24' },
  ]);

const replay = (log: string, ...words: string[]) => run(['replay', ...words, newFile(log)], { db: prepared() });

test('counts, and shows who would be refused, from where and when last', () => {
  assert.deepEqual(replay(LOG), {
    status: 1,
    stdout: [
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
    stderr: 'allow-nets: hint: allow-nets check USER ADDRESS says why; allow-nets learn shows what to add\n',
  });
});

test('as JSON', () => {
  const { status, stdout, stderr } = replay(LOG, '--json');
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
  const stdout = 'deliveries  2\nallowed     2\nrefused     0\nusers       1\n';
  assert.deepEqual(replay(LOG, '--user', 'bob'), { status: 0, stdout, stderr: '' });
});

test('decides as check does, entry by entry, as it is now', () => {
  const db = newDatabase([
    { table: 'network_set', name: 'office', network: '192.0.2.0/25' },
    { name: 'alice@example.com', network: '@office' },
    { name: 'alice@example.com', network: '2001:db8:1::/64' },
    { name: 'bob', network: '198.51.100.0/28' },
    { name: 'bob', network: '203.0.113.0/28', expires: '2020-01-01T00:00:00Z' },
    { name: '@example.com', network: '203.0.113.0/24' },
    { name: '*', network: '10.0.0.0/8' },
  ]);
  const v4 = ['192.0.2.1', '192.0.2.200', '198.51.100.1', '203.0.113.1', '10.1.1.1', '::ffff:10.1.1.1'];
  const addresses = [...v4, '2001:db8:1::5', '2001:db8:2::5'];
  for (const user of ['ALICE@EXAMPLE.COM', 'bob@example.com', 'carol@example.com', 'eve']) {
    const log = newFile(addresses.map((address) => acceptedLine(user, address, '2026-11-04T05:00:00Z')).join(''));
    const { allowed } = JSON.parse(run(['replay', '--json', log], { db }).stdout);
    const checks = addresses.map((address) => run(['check', user, address], { db }).status);
    assert.equal(allowed, checks.filter((status) => status === 0).length, user);
  }
});

test('unreadable lines: the exit status is not 0, because the result is not certain', () => {
  const unknown = acceptedLine('eve', '203.0.113.9', 'Dez  4 05:47:54');
  const { status, stdout, stderr } = replay(acceptedLines(2, 'bob', '198.51.100.9') + unknown);
  assert.deepEqual([status, stdout], [1, 'deliveries  2\nallowed     2\nrefused     0\nusers       1\n']);
  assert.match(stderr, /: 1 line not understood, for example: Dez {2}4 05:47:54 mx1 .*eve\n/);
});

const UNREADABLE = '/proc/self/mem';

test('a file that cannot be read to its end', { skip: !existsSync(UNREADABLE) && 'needs Linux' }, () => {
  const { status, stderr } = run(['replay', newFile(LOG), UNREADABLE, '--user', 'bob'], { db: prepared() });
  const hint = `allow-nets: hint: ${UNREADABLE} could not be read to its end (EIO: i/o error, read): what came before counts\n`;
  assert.deepEqual([status, stderr], [1, hint]);
});

test('nothing found, and no database', () => {
  const { status, stdout, stderr } = replay('');
  assert.deepEqual([status, stdout], [0, 'deliveries  0\nallowed     0\nrefused     0\nusers       0\n']);
  assert.match(stderr, /hint: no mail of an authenticated user was found/);
  const without = run(['replay', newFile(LOG)], { db: newPath() });
  assert.deepEqual([without.status, without.stdout], [1, '']);
  assert.match(without.stderr, /^allow-nets: error: there is no database /);
});
