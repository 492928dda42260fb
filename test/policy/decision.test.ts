// Every row of the decision through the shipped program: the exact bytes of the answer, the exit status, the mail log, and nothing else.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { newDatabase, type TestRow } from '../rig/database';
import { converse, request } from '../rig/policy-program';
import { newPath } from '../rig/scratch';

const PAST = '2020-01-01T00:00:00Z';
const FUTURE = '2999-01-01T00:00:00Z';

const ROWS: TestRow[] = [
  { name: 'test1', network: '127.0.0.1/32' },
  { name: 'test2', network: '172.31.27.95/32' },
  { name: 'test3', network: '10.0.0.0/8' },
  { name: 'test3', network: '10.1.0.0/16', expires: PAST },
  { name: 'test3', network: '2001:db8::/32' },
  { name: 'hand', network: '127.0.0.1/32', byHand: true },
  { name: 'Hand', network: '192.0.2.77', byHand: true },
  { name: 'HAND', network: ' 198.51.100.7/24 ', byHand: true },
  { name: 'hand', network: '2001:DB8:0:0::/32', byHand: true },
  { name: 'hand', network: '::ffff:203.0.113.0/120', byHand: true },
  { name: 'every', network: 'any' },
  { name: 'every-by-hand', network: 'ANY', byHand: true },
  { name: 'all4', network: '0.0.0.0/0' },
  { name: 'all6', network: '::/0' },
  { name: 'over', network: '10.0.0.0/8', expires: PAST },
  { name: 'not-over', network: '10.0.0.0/8', expires: FUTURE },
  { name: 'no-time', network: '10.0.0.0/8', expires: 'tomorrow', byHand: true },
  { name: 'junk', network: 'localhost', byHand: true },
  { name: 'junk-and-good', network: '10.0.0.0/33', byHand: true },
  { name: 'junk-and-good', network: '10.0.0.0/8', byHand: true },
  { name: 'alice@example.com', network: '192.0.2.0/24' },
  { name: 'alice', network: '10.0.0.0/8' },
  { name: '@example.com', network: '198.51.100.0/24' },
  { name: 'bob@example.com', network: '192.0.2.0/24', expires: PAST },
  { name: 'carol@example.com', network: 'nonsense', byHand: true },
  { name: 'dave', network: '10.0.0.0/8' },
  { name: 'staff', network: '@office' },
  { name: 'staff-by-hand', network: '@OFFICE', byHand: true },
  { name: 'staff-over', network: '@office', expires: PAST },
  { name: 'nowhere', network: '@no-such-set', byHand: true },
  { table: 'network_set', name: 'office', network: '203.0.113.0/24' },
  { table: 'network_set', name: 'office', network: '2001:db8:1::/48' },
  { table: 'network_set', name: 'Office', network: '192.0.2.1', byHand: true },
  { table: 'network_set', name: 'office', network: '@office', byHand: true },
  { table: 'network_set', name: 'office', network: 'nonsense', byHand: true },
  { name: 'josé', network: '10.0.0.0/8' },
  { name: 'JOSE\u0301-BY-HAND', network: '10.0.0.0/8', byHand: true },
  { name: 'josé-by-hand', network: '10.0.0.0/8', byHand: true },
  { name: 'with space', network: '10.0.0.0/8' },
  { name: 'equals=sign', network: '10.0.0.0/8' },
  { name: 'a@b@example.org', network: '10.0.0.0/8' },
];

type Case = [user: string, address: string, answer: 'dunno' | 'reject', log: string];

const no = (user: string, address: string, subject: string, why: string, entry = ''): Case => [
  user,
  address,
  'reject',
  `subject=${subject} entry=${entry} reason=${why}`,
];
const yes = (user: string, address: string, subject: string, entry: string): Case => [
  user,
  address,
  'dunno',
  `subject=${subject} entry=${entry}`,
];

const CASES: Case[] = [
  yes('test1', '127.0.0.1', 'test1', '127.0.0.1/32'),
  no('test1', '127.0.0.2', 'test1', 'not-covered'),
  no('test2', '127.0.0.1', 'test2', 'not-covered'),
  yes('test2', '172.31.27.95', 'test2', '172.31.27.95/32'),
  yes('TEST2', '172.31.27.95', 'test2', '172.31.27.95/32'),
  no('test4', '127.0.0.1', '', 'no-entry'),
  no('test1 ', '127.0.0.1', '', 'no-entry'),
  yes('test3', '10.255.255.255', 'test3', '10.0.0.0/8'),
  yes('test3', '10.1.2.3', 'test3', '10.0.0.0/8'), // beside a narrower one that has expired
  no('test3', '11.0.0.0', 'test3', 'not-covered'),
  yes('test3', '2001:db8:ffff::1', 'test3', '2001:db8::/32'),
  no('test3', '2001:db9::1', 'test3', 'not-covered'),
  // Mapped addresses are IPv4 addresses, and families never meet.
  yes('test3', '::ffff:10.0.0.1', 'test3', '10.0.0.0/8'),
  yes('test3', '::FFFF:0a00:0001', 'test3', '10.0.0.0/8'),
  no('test3', 'a00::1', 'test3', 'not-covered'),
  no('all4', '2001:db8::1', 'all4', 'not-covered'),
  yes('all4', '::ffff:192.0.2.1', 'all4', '0.0.0.0/0'),
  no('all6', '192.0.2.1', 'all6', 'not-covered'),
  no('all6', '::ffff:192.0.2.1', 'all6', 'not-covered'),
  yes('all6', '::1', 'all6', '::/0'),
  yes('every', '192.0.2.1', 'every', 'any'),
  yes('every', '2001:db8::1', 'every', 'any'),
  yes('every-by-hand', '::ffff:192.0.2.1', 'every-by-hand', 'ANY'),
  // What is no address is in no network, not even in any.
  ...['unknown', '', '10.0.0.1%eth0', 'fe80::1%eth0', '10.0.0.1/32', '010.0.0.1', '10.0.0.1\0', ' 10.0.0.1'].flatMap(
    (address) => [no('every', address, 'every', 'no-address'), no('test3', address, 'test3', 'no-address')],
  ),
  no('test4', 'unknown', '', 'no-entry'),
  // Rows that were written by hand.
  yes('hand', '127.0.0.1', 'hand', '127.0.0.1/32'),
  yes('hand', '192.0.2.77', 'hand', '192.0.2.77'),
  no('hand', '192.0.2.78', 'hand', 'not-covered'),
  yes('hand', '198.51.100.200', 'hand', '198.51.100.7/24'),
  yes('hand', '2001:db8::1', 'hand', '2001:DB8:0:0::/32'),
  yes('hand', '203.0.113.9', 'hand', '::ffff:203.0.113.0/120'),
  // Expiry; and an entry that cannot be read is an entry.
  no('over', '10.1.1.1', 'over', 'expired', '10.0.0.0/8'),
  yes('not-over', '10.1.1.1', 'not-over', '10.0.0.0/8'),
  no('no-time', '10.1.1.1', 'no-time', 'expired', '10.0.0.0/8'),
  no('junk', '127.0.0.1', 'junk', 'not-covered'),
  yes('junk-and-good', '10.1.1.1', 'junk-and-good', '10.0.0.0/8'),
  // The first subject with an entry decides alone.
  yes('alice@example.com', '192.0.2.1', 'alice@example.com', '192.0.2.0/24'),
  no('alice@example.com', '10.1.1.1', 'alice@example.com', 'not-covered'),
  no('alice@example.com', '198.51.100.1', 'alice@example.com', 'not-covered'),
  yes('alice@example.net', '10.1.1.1', 'alice', '10.0.0.0/8'),
  yes('alice', '10.1.1.1', 'alice', '10.0.0.0/8'),
  no('alice', '192.0.2.1', 'alice', 'not-covered'),
  no('bob@example.com', '192.0.2.1', 'bob@example.com', 'expired', '192.0.2.0/24'),
  no('bob@example.com', '198.51.100.1', 'bob@example.com', 'not-covered'),
  no('carol@example.com', '198.51.100.1', 'carol@example.com', 'not-covered'),
  yes('dave@example.com', '10.1.1.1', 'dave', '10.0.0.0/8'),
  no('dave@example.com', '198.51.100.1', 'dave', 'not-covered'),
  yes('erin@example.com', '198.51.100.1', '@example.com', '198.51.100.0/24'),
  yes('ERIN@Example.Com', '198.51.100.1', '@example.com', '198.51.100.0/24'),
  yes('a@b@example.org', '10.1.1.1', 'a@b@example.org', '10.0.0.0/8'),
  // Sets.
  yes('staff', '203.0.113.1', 'staff', '@office:203.0.113.0/24'),
  yes('staff', '2001:db8:1:2::3', 'staff', '@office:2001:db8:1::/48'),
  yes('staff', '192.0.2.1', 'staff', '@office:192.0.2.1'),
  no('staff', '203.0.114.1', 'staff', 'not-covered'),
  yes('staff-by-hand', '203.0.113.1', 'staff-by-hand', '@office:203.0.113.0/24'),
  no('staff-over', '203.0.113.1', 'staff-over', 'expired', '@office:203.0.113.0/24'),
  no('nowhere', '203.0.113.1', 'nowhere', 'not-covered'),
  no('office', '203.0.113.1', '', 'no-entry'),
  no('@office', '203.0.113.1', '', 'no-entry'),
  // Names.
  yes('JOSÉ', '10.1.1.1', '"jos\\u00e9"', '10.0.0.0/8'),
  yes('jose\u0301', '10.1.1.1', '"jos\\u00e9"', '10.0.0.0/8'),
  yes('josé-by-hand', '10.1.1.1', '"jos\\u00e9-by-hand"', '10.0.0.0/8'),
  no('jose', '10.1.1.1', '', 'no-entry'),
  yes('with space', '10.1.1.1', '"with space"', '10.0.0.0/8'),
  yes('equals=sign', '10.1.1.1', 'equals=sign', '10.0.0.0/8'),
];

/** The other database, with an entry for everybody. */
const EVERYBODY_ROWS: TestRow[] = [
  { name: '*', network: '10.0.0.0/8' },
  { name: '@example.com', network: '192.0.2.0/24' },
  { name: 'anna@example.com', network: '10.0.0.0/8' },
  { name: 'bob\0aaaa', network: 'any', byHand: true },
  { name: 'bob\ufffd', network: 'any', byHand: true },
];

const EVERYBODY_CASES: Case[] = [
  yes('anna', '10.1.1.1', '*', '10.0.0.0/8'),
  yes('anna@example.net', '10.1.1.1', '*', '10.0.0.0/8'),
  no('anna@example.net', '192.0.2.1', '*', 'not-covered'),
  no('carl@example.com', '10.1.1.1', '@example.com', 'not-covered'),
  yes('*', '10.1.1.1', '*', '10.0.0.0/8'),
  // A local part that would be a subject of another kind is none.
  no('*@example.com', '10.1.1.1', '@example.com', 'not-covered'),
  // Written by hand, and compared whole.
  no('bob\0zzzz', '192.0.2.1', '*', 'not-covered'),
  no('bob\ufffd', '192.0.2.1', '*', 'not-covered'),
];

function answerOf([user, address, answer]: Case): string {
  if (answer === 'dunno') return 'action=dunno';
  const printable = `${user} may not send mail from ${address}`.replace(/[^ -~]/gu, '?').trimEnd();
  return `action=reject 5.7.1 ${printable}`;
}

function logOf([user, address, answer, rest]: Case): string {
  return `info: verdict=${answer} user=${quoted(user)} address=${quoted(address)} ${rest}`;
}

function quoted(value: string): string {
  if (!/[^!-~]/.test(value)) return value;
  return JSON.stringify(value).replace(/[^ -~]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

for (const [name, rows, cases] of [
  ['users, domains and sets', ROWS, CASES],
  ['an entry for everybody', EVERYBODY_ROWS, EVERYBODY_CASES],
] as const) {
  test(`the decision with ${name}, and its log line`, async () => {
    const words = ['--db', newDatabase(rows), '--persistent', '--log', 'all'];
    const input = cases.map(([user, address]) => request(user, address)).join('');
    const { bytes, log, ...how } = await converse(words, input);
    assert.deepEqual(bytes.split('\n\n'), [...cases.map(answerOf), '']);
    const decisions = log.map((line) => line.replace(/( client_name=unknown)? request\.request=.*$/, ''));
    assert.deepEqual(decisions, cases.map(logOf));
    assert.deepEqual(how, { status: 0, signal: null });
  });
}

describe('a client without a user', () => {
  for (const [name, input] of [
    ['an empty user', request('', '192.0.2.1')],
    ['no sasl_username', 'request=smtpd_access_policy\nclient_address=192.0.2.1\n\n'],
    ['no attribute at all', '\n'],
  ] as const) {
    test(`${name}: dunno, whatever the state of the database`, async () => {
      for (const db of [newDatabase(ROWS), newPath('no-such.db')]) {
        const answer = { bytes: 'action=dunno\n\n', status: 0, signal: null, log: [] };
        assert.deepEqual(await converse(['--db', db], input), answer);
      }
    });
  }
});
