// What is marked for a second look.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSpread, sharedMark } from '../../src/maillog/marks';
import { type Network, parseNetwork } from '../../src/rules/network';

function network(text: string): Network {
  const parsed = parseNetwork(text);
  if (parsed === null) throw new Error(text);
  return parsed.network;
}

test('how many users of one network are many', () => {
  const home = network('203.0.113.80');
  const rows: [users: number, many: number][] = [
    [1, 3],
    [5, 3],
    [6, 3],
    [7, 4],
    [8, 4],
    [9, 5],
    [10, 5],
    [500, 5],
  ];
  for (const [users, many] of rows) {
    const marks = [many - 1, many].map((count) =>
      sharedMark({ network: home, users: count, messages: 9 }, { users, messages: 10 }),
    );
    assert.deepEqual(marks, [null, 'many-users'], `of ${users}`);
  }
});

test('a gateway: private, of more than one user, and of nearly all messages', async (t) => {
  const rows: [text: string, users: number, messages: number, is: boolean][] = [
    ['172.17.0.1/32', 30, 100, true],
    ['172.17.0.1/32', 1, 100, false],
    ['172.17.0.1/32', 2, 80, true],
    ['172.17.0.1/32', 30, 79, false],
    ['10.0.0.0/24', 30, 100, true],
    ['192.168.1.1/32', 30, 100, true],
    ['100.64.0.1/32', 30, 100, true],
    ['127.0.0.1/32', 30, 100, true],
    ['::1/128', 30, 100, true],
    ['fd00:1::/64', 30, 100, true],
    ['172.32.0.1/32', 30, 100, false],
    ['203.0.113.5/32', 30, 100, false],
    ['0.0.0.0/1', 30, 100, false],
    ['2001:db8::/64', 30, 100, false],
  ];
  for (const [text, users, messages, is] of rows) {
    await t.test(`${text}, ${users} users, ${messages} of 100 messages`, () =>
      assert.equal(
        sharedMark({ network: network(text), users, messages }, { users: 100, messages: 100 }) === 'gateway',
        is,
      ),
    );
  }
});

test('many networks within a day', async (t) => {
  const hour = 3600;
  const each = (count: number, text: (i: number) => string, every: number) =>
    Array.from({ length: count }, (_, i) => ({ network: network(text(i)), at: 1.7e9 + i * every }));
  const one = (i: number) => `203.0.113.${i}`;
  const another = (i: number) => `10.${i}.0.1`;
  const v6 = (i: number) => `2001:db8:${i}::/64`;
  const v6Another = (i: number) => `2a0${i}:db8::/64`;
  const rows: [string, boolean, ReturnType<typeof each>][] = [
    ['no network', false, []],
    ['9 of one provider', false, each(9, one, 60)],
    ['10 of one provider', true, each(10, one, 60)],
    ['10 of one provider, one an hour', true, each(10, one, hour)],
    ['10 of one provider, one every 3 hours', false, each(10, one, 3 * hour)],
    ['4 providers', false, each(4, another, 60)],
    ['5 providers', true, each(5, another, 60)],
    ['5 providers, one every 5 hours', true, each(5, another, 5 * hour)],
    ['5 providers, one every 6 hours', false, each(5, another, 6 * hour)],
    ['50 providers, one a day', false, each(50, another, 24 * hour)],
    ['9 IPv6 sites', false, each(9, v6, 60)],
    ['5 IPv6 providers', true, each(5, v6Another, 60)],
    ['5 providers in any order', true, each(5, another, 60).reverse()],
  ];
  for (const [name, is, networks] of rows) {
    await t.test(name, () => assert.equal(isSpread(networks), is));
  }
});
