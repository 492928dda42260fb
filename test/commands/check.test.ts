// What check says, word for word: the decision, who decides, what matched or did not, and the one thing that stood in the way.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { change, writeDatabase } from '../rig/database';
import { run, shell } from '../rig/run';
import { newPath } from '../rig/scratch';

const db = newPath();
const LATER = '2098-12-24T23:00:00Z';
const OVER = '2020-01-01T00:00:00Z';

before(() => {
  writeDatabase(db, [
    { table: 'network_set', name: 'office', network: '203.0.113.0/24' },
    { name: 'alice@example.com', network: '@office', expires: LATER },
    { name: 'alice@example.com', network: '192.0.2.0/24' },
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
  change(
    db,
    `update access set note = 'desk', added_by = 'hans', added_at = '2026-11-24T11:25:55Z' where network = '192.0.2.0/24'`,
  );
});

const DESK = '192.0.2.0/24, added by hans on 2026-11-24T11:25:55Z (desk)';
const TOLD_LATER = `${LATER} (2098-12-25 00:00:00 local time)`;
const TOLD_OVER = `${OVER} (2020-01-01 01:00:00 local time)`;
const ALICE = 'the entries of alice@example.com decide';

// biome-ignore format: a case a few lines
const CASES: [user: string, address: string, at: string | null, decision: 'allowed' | 'refused', ...reasons: string[]][] = [
  ['alice@example.com', '192.0.2.7', null, 'allowed', ALICE, `allowed by ${DESK}`],
  ['ALICE@Example.COM', '::ffff:192.0.2.7', null, 'allowed', ALICE, `allowed by ${DESK}`],
  ['alice@example.com', '203.0.113.9', null, 'allowed', ALICE, `allowed by 203.0.113.0/24 of @office, until ${TOLD_LATER}`],
  ['alice@example.com', '203.0.113.9', '2098-12-24T22:59:59Z', 'allowed', ALICE, `allowed by 203.0.113.0/24 of @office, until ${TOLD_LATER}`],
  // The entry stops counting at that second; a date alone is the beginning of the day, local time.
  ...['2098-12-24T23:00:00Z', '2098-12-25', '2098-12-25T00:00', '2098-12-25 00:00+01:00'].map((at) =>
    ['alice@example.com', '203.0.113.9', at, 'refused', ALICE,
      `it would be allowed if this had not expired: 203.0.113.0/24 of @office, until ${TOLD_LATER}`,
      `not in ${DESK}`, `not in 198.51.0.0/16: expired on ${OVER}`, `not in 198.51.100.0/24: expired on ${OVER}`] satisfies (typeof CASES)[number]),
  ['alice@example.com', '198.51.100.1', null, 'refused', ALICE,
    `it would be allowed if this had not expired: 198.51.100.0/24, until ${TOLD_OVER}`,
    `it would be allowed if this had not expired: 198.51.0.0/16, until ${TOLD_OVER}`,
    'not in @office', `not in ${DESK}`],
  ['alice@example.com', '198.51.100.1', '2019-12-31', 'allowed', ALICE, `allowed by 198.51.100.0/24, until ${TOLD_OVER}`],
  ['alice@example.com', '10.0.0.1', null, 'refused', ALICE,
    'not in @office', `not in ${DESK}`, `not in 198.51.0.0/16: expired on ${OVER}`, `not in 198.51.100.0/24: expired on ${OVER}`,
    '@example.com has 10.0.0.0/8, which does not count: alice@example.com has own entries'],
  ['alice@example.com', 'unknown', null, 'refused', ALICE, 'unknown is not an IP address, so it is in no network'],
  ['bob@example.com', '10.0.0.1', null, 'refused', 'the entries of bob decide for bob@example.com', 'not in 2001:db8::/32',
    '@example.com has 10.0.0.0/8, which does not count: bob has own entries'],
  ['eve@example.com', '10.0.0.1', null, 'allowed', 'the entries of @example.com decide for eve@example.com', 'allowed by 10.0.0.0/8'],
  ['eve@example.com', '11.0.0.1', null, 'refused', 'the entries of @example.com decide for eve@example.com', 'not in 10.0.0.0/8'],
  ['eve', '10.0.0.1', null, 'refused', 'the entries of * decide for eve', `it would be allowed if this had not expired: any, until ${TOLD_OVER}`],
  ['carol@example.net', '10.0.0.1', null, 'refused', 'the entries of carol@example.net decide',
    'it would be allowed if its time of expiry could be read: 10.0.0.0/8', 'not in @gone: there is no set gone', 'not in 10.0.0: the network cannot be read'],
  ['dave', '203.0.113.9', null, 'refused', 'the entries of dave decide', `it would be allowed if this had not expired: 203.0.113.0/24 of @office, until ${TOLD_OVER}`],
];

const letIn = (user: string, network: string, db: string) =>
  `allow-nets: hint: to allow it: allow-nets add ${user} ${network} --for 3d --db ${db}\n`;

test('check, in words', async (t) => {
  for (const [user, address, at, decision, ...reasons] of CASES) {
    await t.test([user, address, at ?? 'now'].join(' '), () => {
      const words = ['check', user, address, ...(at === null ? [] : ['--at', at]), '--db', db];
      assert.deepEqual(run(words, { env: { TZ: 'Europe/Berlin' } }), {
        status: decision === 'allowed' ? 0 : 1,
        stdout: `${[decision, ...reasons.map((reason) => `  ${reason}`)].join('\n')}\n`,
        stderr: at === null && decision === 'refused' && address !== 'unknown' ? letIn(user, address, db) : '',
      });
    });
  }
});

test('nobody has an entry', () => {
  const none = newPath();
  writeDatabase(none, []);
  assert.deepEqual(run(['check', 'eve@example.com', '10.0.0.1', '--db', none]), {
    status: 1,
    stdout: `refused
  no entry for eve@example.com, eve, @example.com, *
`,
    stderr: letIn('eve@example.com', '10.0.0.1', none),
  });
});

test('check --json', async (t) => {
  // biome-ignore format: a case a line
  const rows: [user: string, address: string, decision: 'allow' | 'reject', subject: string | null, network: string | null, set: string | null, reason: string][] = [
    ['Alice@example.com', '203.0.113.9', 'allow', 'alice@example.com', '203.0.113.0/24', 'office', `${ALICE}; allowed by 203.0.113.0/24 of @office, until ${TOLD_LATER}`],
    ['eve@example.com', '10.0.0.1', 'allow', '@example.com', '10.0.0.0/8', null, 'the entries of @example.com decide for eve@example.com; allowed by 10.0.0.0/8'],
    ['eve@example.com', '2001:db8::1', 'reject', '@example.com', null, null, 'the entries of @example.com decide for eve@example.com; not in 10.0.0.0/8'],
    ['', '10.0.0.1', 'allow', null, null, null, 'no SASL user: the restrictions that follow decide'],
  ];
  for (const [user, address, decision, subject, network, set, reason] of rows) {
    await t.test(`${user} ${address}`, () => {
      const { status, stdout, stderr } = run(['check', user, address, '--json', '--db', db], {
        env: { TZ: 'Europe/Berlin' },
      });
      assert.deepEqual({ status, stderr }, { status: decision === 'allow' ? 0 : 1, stderr: '' });
      assert.equal(stdout, `${JSON.stringify({ user, address, decision, subject, network, set, reason })}\n`);
    });
  }
});

test('inherit, blocked, and the command that lets the user in', async (t) => {
  const own = newPath();
  writeDatabase(own, [
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
  const asked = (user: string) =>
    `no entry of ${user} allows the address; its entry inherit hands the decision on to the next wider subject`;
  const CAROL = 'the entries of @example.com decide for carol@example.com';
  const over = `it would be allowed if this had not expired: 203.0.113.10/32, until ${TOLD_OVER}`;
  // biome-ignore format: a case a few lines
  const cases: [user: string, address: string, lines: string[], hint?: string][] = [
    ['carol@example.com', '192.0.2.7', ['allowed', asked('carol@example.com'), CAROL, 'allowed by 192.0.2.0/24']],
    ['carol@example.com', '203.0.113.10', ['refused', asked('carol@example.com'), over, CAROL, 'not in 192.0.2.0/24',
      '* has any, which does not count: @example.com has own entries'], 'to allow it: allow-nets add carol@example.com 203.0.113.10 --for 3d'],
    ['dave', '10.0.0.1', ['allowed', 'the entries of dave decide', 'allowed by 10.0.0.0/8']],
    ['dave', '11.0.0.1', ['allowed', asked('dave'), 'the entries of * decide for dave', 'allowed by any']],
    ['eve@example.com', '10.0.0.1', ['refused', 'the entries of eve@example.com decide', 'blocked by NONE'],
      'to unblock: allow-nets unblock eve@example.com'],
    ['zoe@example.net', '10.0.0.1', ['refused', 'the entries of @example.net decide for zoe@example.net', 'blocked by none'],
      'to unblock: allow-nets unblock @example.net'],
    ['--all', '2001:db8:1:2:3::4', ['refused', 'the entries of --all decide', 'not in 10.0.0.0/8',
      '* has any, which does not count: --all has own entries'], 'to allow it: allow-nets add --for 3d --db DB -- --all 2001:db8:1:2::/64'],
    ["o'neill smith", '192.0.2.1', ['refused', "the entries of o'neill smith decide", 'not in 10.0.0.0/8',
      "* has any, which does not count: o'neill smith has own entries"], "to allow it: allow-nets add 'o'\\''neill smith' 192.0.2.1 --for 3d"],
  ];
  for (const [user, address, [decision, ...because], hint] of cases) {
    await t.test(`${user} ${address}`, () => {
      const found = run(['check', '--db', own, '--', user, address], { env: { TZ: 'Europe/Berlin' } });
      const command = hint?.includes('--db') ? hint.replace('DB', own) : `${hint} --db ${own}`;
      assert.deepEqual(found, {
        status: decision === 'allowed' ? 0 : 1,
        stdout: `${[decision, ...because.map((line) => `  ${line}`)].join('\n')}\n`,
        stderr: hint === undefined ? '' : `allow-nets: hint: ${command}\n`,
      });
    });
  }
  await t.test('the command does what it says when it is pasted', () => {
    for (const user of ['--all', "o'neill smith", 'carol@example.com']) {
      const { stderr } = run(['check', '--db', own, '--', user, '198.51.100.9']);
      const [, line = ''] = /allow-nets (add .*)/.exec(stderr) ?? [];
      assert.equal(shell(`allow-nets ${line}`, { db: own }).status, 0, line);
      assert.equal(run(['check', '--db', own, '--', user, '198.51.100.9']).status, 0, line);
    }
  });
});
