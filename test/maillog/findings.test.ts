// What learn makes of the networks of each user: which are joined, and which are marked for a second look.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Finding, findingsOf } from '../../src/maillog/findings';
import { Tally } from '../../src/maillog/tally';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

type Line = readonly [user: string, address: string, time?: number];

function found(lines: Iterable<Line>, prefixes = { 4: 32, 6: 64 }): readonly Finding[] {
  const tally = new Tally();
  for (const [user, address, time = 0] of lines) tally.record({ user, address, reason: '', time, count: 1 });
  return findingsOf(tally.networks({ of: () => null }, prefixes, 0), { messages: 1, days: 1 }).all;
}

const times = (count: number, lineOf: (i: number) => Line): Line[] =>
  Array.from({ length: count }, (_, i) => lineOf(i));

describe('adjacent networks', () => {
  // biome-ignore format: a table
  const rows: readonly [addresses: string, joined: string, v4Prefix?: number][] = [
    ['192.0.2.1', '192.0.2.1/32'],
    ['192.0.2.3 192.0.2.2', '192.0.2.2/31'],
    ['192.0.2.1 192.0.2.2', '192.0.2.1/32 192.0.2.2/32'],
    ['192.0.2.0 192.0.2.1 192.0.2.2 192.0.2.3', '192.0.2.0/30'],
    ['192.0.2.0 192.0.2.1 192.0.2.2', '192.0.2.0/31 192.0.2.2/32'],
    ['10.0.0.9 10.0.1.0 10.0.3.7', '10.0.0.0/23 10.0.3.0/24', 24],
    ['127.255.255.255 128.0.0.0', '127.255.255.255/32 128.0.0.0/32'],
    ['2001:db8:0:2::1 2001:db8:0:3::1 192.0.2.1', '192.0.2.1/32 2001:db8:0:2::/63'],
  ];
  for (const [addresses, joined, v4 = 32] of rows) {
    test(addresses, () => {
      const findings = found(
        addresses.split(' ').map((address) => ['alice', address]),
        { 4: v4, 6: 64 },
      );
      assert.deepEqual(findings.map(({ name }) => name).sort(), joined.split(' '));
    });
  }
});

describe('marks', () => {
  const own = times(20, (i) => [`u${i}`, `198.51.100.${i * 2}`]);
  const shared = (users: number, address: string, each = 1) => times(users * each, (i) => [`u${i % users}`, address]);
  const seen = (count: number, address: (i: number) => string, every: number) =>
    times(count, (i) => ['eve', address(i), i * every]);
  const one = (i: number) => `203.0.113.${i * 2}`;
  const another = (i: number) => `10.${i * 2}.0.1`;
  const marks = (lines: readonly Line[], text: string) =>
    new Set(
      found(lines)
        .filter(({ name }) => name.startsWith(text))
        .flatMap((finding) => finding.marks),
    );
  // biome-ignore format: a table
  const rows: readonly (readonly [name: string, lines: readonly Line[], network: string, marks: string])[] = [
    ['4 users', [...own, ...shared(4, '203.0.113.80', 2)], '203.0.113.80', ''],
    ['5 users', [...own, ...shared(5, '203.0.113.80', 2)], '203.0.113.80', 'many-users'],
    ['2 users of 2', shared(2, '203.0.113.80', 2), '203.0.113.80', ''],
    ['3 users of 6', [...own.slice(0, 3), ...shared(3, '203.0.113.80', 2).map(([user, address]): Line => [`x${user}`, address])], '203.0.113.80', 'many-users'],
    ['3 users of 7', [...own.slice(0, 4), ...shared(3, '203.0.113.80', 2).map(([user, address]): Line => [`x${user}`, address])], '203.0.113.80', ''],
    ['one message', [['bob', '192.0.2.9']], '192.0.2.9', 'once'],
    ['two messages', [['bob', '192.0.2.9'], ['bob', '192.0.2.9']], '192.0.2.9', ''],
    ['79 % of all messages', [...own, ...shared(2, '172.17.0.1', 38)], '172.17', ''],
    ['80 % of all messages', [...own, ...shared(2, '172.17.0.1', 40)], '172.17', 'gateway'],
    ['one user', shared(1, '172.17.0.1', 80), '172.17', ''],
    ...['10.0.0.1', '192.168.1.1', '100.64.0.1', '127.0.0.1', '169.254.1.1', '172.31.0.1', '::1', 'fd00:1::9', 'fe80::9'].map(
      (address) => [address, shared(9, address, 9), '', 'gateway'] as const),
    ...['172.32.0.1', '172.15.0.1', '100.128.0.1', '203.0.113.5', '2001:db8::9', 'f000::1'].map(
      (address) => [address, shared(9, address, 9), '', 'many-users'] as const),
    ['9 networks of one provider', seen(9, one, MINUTE), '', 'once'],
    ['10 networks of one provider', seen(10, one, MINUTE), '', 'many-networks once'],
    ['10 networks, one an hour', seen(10, one, HOUR), '', 'many-networks once'],
    ['10 networks, one every 3 hours', seen(10, one, 3 * HOUR), '', 'once'],
    ['4 providers', seen(4, another, MINUTE), '', 'once'],
    ['5 providers', seen(5, another, MINUTE), '', 'many-networks once'],
    ['5 providers, one every 5 hours', seen(5, another, 5 * HOUR), '', 'many-networks once'],
    ['5 providers, one every 6 hours', seen(5, another, 6 * HOUR), '', 'once'],
    ['50 providers, one a day', seen(50, another, 24 * HOUR), '', 'once'],
    ['9 IPv6 sites', seen(9, (i) => `2001:db8:${i * 2}::1`, MINUTE), '', 'once'],
    ['5 IPv6 providers', seen(5, (i) => `2a0${i}:db8::1`, MINUTE), '', 'many-networks once'],
    ['5 providers in any order', seen(5, another, MINUTE).reverse(), '', 'many-networks once'],
  ];
  for (const [name, lines, network, wanted] of rows) {
    test(name, () => assert.equal([...marks(lines, network)].join(' '), wanted));
  }
});
