// What check says, word for word: the decision, who decides, what matched or did not, and the one thing that stood in the way.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newDatabase } from '../rig/database';
import { mustRun, run, shell } from '../rig/run';

const LATER = '2098-12-24T23:00:00Z';
const OVER = '2020-01-01T00:00:00Z';
const UNTIL_LATER = `until ${LATER} (2098-12-25 00:00:00 local time)`;
const UNTIL_OVER = `until ${OVER} (2020-01-01 01:00:00 local time)`;
const DESK = '192.0.2.0/24, added by hans on 2026-11-24T11:25:55Z (desk)';
const OF_OFFICE = '203.0.113.0/24 of @office';
const ALICE = 'the entries of alice@example.com decide';
const BERLIN = { TZ: 'Europe/Berlin' };

const expired = (entry: string) => `it would be allowed if this had not expired: ${entry}`;
const passedOn = (user: string) =>
  `no entry of ${user} allows the address; its entry inherit hands the decision on to the next wider subject`;
const toAllow = (words: string) => `to allow it: allow-nets add ${words}`;

const db = newDatabase([
  { table: 'network_set', name: 'office', network: '203.0.113.0/24' },
  { name: 'alice@example.com', network: '@office', expires: LATER },
  {
    name: 'alice@example.com',
    network: '192.0.2.0/24',
    note: 'desk',
    added_by: 'hans',
    added_at: '2026-11-24T11:25:55Z',
  },
  { name: 'alice@example.com', network: '198.51.100.0/24', expires: OVER },
  { name: 'alice@example.com', network: '198.51.0.0/16', expires: OVER },
  { name: 'bob', network: '2001:db8::/32' },
  { name: '@example.com', network: '10.0.0.0/8' },
  { name: '*', network: 'any', expires: OVER },
  { name: 'carol@example.net', network: '@gone', byHand: true },
  { name: 'carol@example.net', network: '10.0.0', byHand: true },
  { name: 'carol@example.net', network: '10.0.0.0/8', expires: 'soon', byHand: true },
  { name: 'Dave', network: ' @Office ', expires: OVER, byHand: true },
]);

const withInherit = newDatabase([
  { name: '@example.com', network: '192.0.2.0/24' },
  { name: '*', network: 'any' },
  { name: 'carol@example.com', network: 'inherit' },
  { name: 'carol@example.com', network: '203.0.113.10', expires: OVER },
  { name: 'dave', network: ' Inherit ', byHand: true },
  { name: 'dave', network: '10.0.0.0/8', byHand: true },
  { name: 'eve@example.com', network: '10.0.0.0/8' },
  { name: 'eve@example.com', network: 'NONE', byHand: true },
  { name: '@example.net', network: 'none' },
  { name: '--all', network: '10.0.0.0/8' },
  { name: "o'neill smith", network: '10.0.0.0/8' },
]);

const empty = newDatabase();

/** The hint of a refusal is by default to add the address. */
type Case = [db: string, user: string, address: string, at: string | null, lines: string[], hint?: string | null];

// biome-ignore format: a case a few lines
const CASES: Case[] = [
  [db, 'alice@example.com', '192.0.2.7', null, ['allowed', ALICE, `allowed by ${DESK}`]],
  [db, 'ALICE@Example.COM', '::ffff:192.0.2.7', null, ['allowed', ALICE, `allowed by ${DESK}`]],
  [db, 'alice@example.com', '203.0.113.9', null, ['allowed', ALICE, `allowed by ${OF_OFFICE}, ${UNTIL_LATER}`]],
  [db, 'alice@example.com', '203.0.113.9', '2098-12-24T22:59:59Z', ['allowed', ALICE, `allowed by ${OF_OFFICE}, ${UNTIL_LATER}`]],
  // The entry stops counting at that second; a date alone is the beginning of the day, local time.
  ...['2098-12-24T23:00:00Z', '2098-12-25', '2098-12-25T00:00', '2098-12-25 00:00+01:00'].map((at): Case =>
    [db, 'alice@example.com', '203.0.113.9', at, ['refused', ALICE, expired(`${OF_OFFICE}, ${UNTIL_LATER}`),
      `not in ${DESK}`, `not in 198.51.0.0/16: expired on ${OVER}`, `not in 198.51.100.0/24: expired on ${OVER}`], null]),
  [db, 'alice@example.com', '198.51.100.1', null, ['refused', ALICE, expired(`198.51.100.0/24, ${UNTIL_OVER}`), expired(`198.51.0.0/16, ${UNTIL_OVER}`), `not in ${DESK}`, 'not in @office']],
  [db, 'alice@example.com', '198.51.100.1', '2019-12-31', ['allowed', ALICE, `allowed by 198.51.100.0/24, ${UNTIL_OVER}`]],
  [db, 'alice@example.com', '10.0.0.1', null, ['refused', ALICE, `not in ${DESK}`, `not in 198.51.0.0/16: expired on ${OVER}`, `not in 198.51.100.0/24: expired on ${OVER}`, 'not in @office',
    '@example.com has 10.0.0.0/8, which does not count: alice@example.com has own entries']],
  [db, 'alice@example.com', 'unknown', null, ['refused', ALICE, 'unknown is not an IP address, so it is in no network'], null],
  [db, 'bob@example.com', '10.0.0.1', null, ['refused', 'the entries of bob decide for bob@example.com', 'not in 2001:db8::/32', '@example.com has 10.0.0.0/8, which does not count: bob has own entries']],
  [db, 'eve@example.com', '10.0.0.1', null, ['allowed', 'the entries of @example.com decide for eve@example.com', 'allowed by 10.0.0.0/8']],
  [db, 'eve@example.com', '11.0.0.1', null, ['refused', 'the entries of @example.com decide for eve@example.com', 'not in 10.0.0.0/8']],
  [db, 'eve', '10.0.0.1', null, ['refused', 'the entries of * decide for eve', expired(`any, ${UNTIL_OVER}`)]],
  [db, 'carol@example.net', '10.0.0.1', null, ['refused', 'the entries of carol@example.net decide', 'it would be allowed if its time could be read: 10.0.0.0/8',
    'not in @gone: there is no set gone', 'not in 10.0.0: the network cannot be read']],
  [db, 'dave', '203.0.113.9', null, ['refused', 'the entries of dave decide', expired(`${OF_OFFICE}, ${UNTIL_OVER}`)]],
  [db, '', '10.0.0.1', null, ['allowed', 'no SASL user: the restrictions that follow decide']],
  [empty, 'eve@example.com', '10.0.0.1', null, ['refused', 'no entry for eve@example.com, eve, @example.com, *']],
  [withInherit, 'carol@example.com', '192.0.2.7', null, ['allowed', passedOn('carol@example.com'), 'the entries of @example.com decide for carol@example.com', 'allowed by 192.0.2.0/24']],
  [withInherit, 'carol@example.com', '203.0.113.10', null, ['refused', passedOn('carol@example.com'), expired(`203.0.113.10/32, ${UNTIL_OVER}`),
    'the entries of @example.com decide for carol@example.com', 'not in 192.0.2.0/24', '* has any, which does not count: @example.com has own entries']],
  [withInherit, 'dave', '10.0.0.1', null, ['allowed', 'the entries of dave decide', 'allowed by 10.0.0.0/8']],
  [withInherit, 'dave', '11.0.0.1', null, ['allowed', passedOn('dave'), 'the entries of * decide for dave', 'allowed by any']],
  [withInherit, 'eve@example.com', '10.0.0.1', null, ['refused', 'the entries of eve@example.com decide', 'blocked by NONE'], `to unblock: allow-nets unblock eve@example.com --db ${withInherit}`],
  [withInherit, 'zoe@example.net', '10.0.0.1', null, ['refused', 'the entries of @example.net decide for zoe@example.net', 'blocked by none'], `to unblock: allow-nets unblock @example.net --db ${withInherit}`],
  [withInherit, '--all', '2001:db8:1:2:3::4', null, ['refused', 'the entries of --all decide', 'not in 10.0.0.0/8', '* has any, which does not count: --all has own entries'],
    toAllow(`--for 3d --db ${withInherit} -- --all 2001:db8:1:2::/64`)],
  [withInherit, "o'neill smith", '192.0.2.1', null, ['refused', "the entries of o'neill smith decide", 'not in 10.0.0.0/8', "* has any, which does not count: o'neill smith has own entries"],
    toAllow(`'o'\\''neill smith' 192.0.2.1 --for 3d --db ${withInherit}`)],
];

test('check says who decides, what matches, and what to do about a refusal', async (t) => {
  for (const [db, user, address, at, [decision, ...reasons], hint] of CASES) {
    await t.test([user, address, at ?? 'now'].join(' '), () => {
      const words = [...(at === null ? [] : ['--at', at]), '--db', db, '--', user, address];
      const isRefused = decision === 'refused';
      const command = hint ?? toAllow(`${user} ${address} --for 3d --db ${db}`);
      assert.deepEqual(run(['check', ...words], { env: BERLIN }), {
        status: isRefused ? 1 : 0,
        stdout: `${[decision, ...reasons.map((reason) => `  ${reason}`)].join('\n')}\n`,
        stderr: isRefused && hint !== null ? `allow-nets: hint: ${command}\n` : '',
      });
    });
  }
});

test('check --json prints the same as an object', () => {
  // biome-ignore format: a case a line
  const rows: [user: string, address: string, decision: 'allow' | 'reject', subject: string | null, network: string | null, set: string | null, reason: string][] = [
    ['Alice@example.com', '203.0.113.9', 'allow', 'alice@example.com', '203.0.113.0/24', 'office', `${ALICE}; allowed by ${OF_OFFICE}, ${UNTIL_LATER}`],
    ['eve@example.com', '10.0.0.1', 'allow', '@example.com', '10.0.0.0/8', null, 'the entries of @example.com decide for eve@example.com; allowed by 10.0.0.0/8'],
    ['eve@example.com', '2001:db8::1', 'reject', '@example.com', null, null, 'the entries of @example.com decide for eve@example.com; not in 10.0.0.0/8'],
    ['', '10.0.0.1', 'allow', null, null, null, 'no SASL user: the restrictions that follow decide'],
  ];
  for (const [user, address, decision, subject, network, set, reason] of rows) {
    const stdout = `${JSON.stringify({ user, address, decision, subject, network, set, reason })}\n`;
    const outcome = { status: decision === 'allow' ? 0 : 1, stdout, stderr: '' };
    assert.deepEqual(run(['check', user, address, '--json'], { db, env: BERLIN }), outcome);
  }
});

test('the command of the hint lets the user in when it is pasted', () => {
  for (const user of ['--all', "o'neill smith", 'carol@example.com']) {
    const words = ['check', '--db', withInherit, '--', user, '198.51.100.9'];
    const [, line = ''] = /allow-nets (add .*)/.exec(run(words).stderr) ?? [];
    assert.equal(shell(`allow-nets ${line}`).status, 0, line);
    mustRun(words);
  }
});
