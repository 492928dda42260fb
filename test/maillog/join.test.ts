// Networks put together: which, and that nothing is covered beyond them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { joinNetworks, type Located } from '../../src/maillog/join';
import { contains, formatNetwork, parseNetwork } from '../../src/rules/network';
import { randomFrom } from './random';

function seen(text: string): Located {
  const network = parseNetwork(text)?.network;
  if (!network) throw new Error(text);
  const days = new Set(['1']);
  return { network, messages: 1, refused: 1, by: null, first: 5, last: 6, lastRefused: 6, days };
}

const joined = (networks: readonly string[]) =>
  joinNetworks(networks.map(seen)).map(({ network }) => formatNetwork(network));

const JOINS: readonly [networks: string[], joined: string[]][] = [
  [[], []],
  [['192.0.2.1'], ['192.0.2.1/32']],
  [['192.0.2.3', '192.0.2.2'], ['192.0.2.2/31']],
  [
    ['192.0.2.1', '192.0.2.2'],
    ['192.0.2.1/32', '192.0.2.2/32'],
  ],
  [['192.0.2.0', '192.0.2.1', '192.0.2.2', '192.0.2.3'], ['192.0.2.0/30']],
  [
    ['192.0.2.0', '192.0.2.1', '192.0.2.2'],
    ['192.0.2.0/31', '192.0.2.2/32'],
  ],
  [
    ['10.0.0.0/24', '10.0.1.0/24', '10.0.3.0/24'],
    ['10.0.0.0/23', '10.0.3.0/24'],
  ],
  [
    ['127.255.255.255', '128.0.0.0'],
    ['127.255.255.255/32', '128.0.0.0/32'],
  ],
  [
    ['2001:db8:0:2::/64', '2001:db8:0:3::/64', '192.0.2.1'],
    ['192.0.2.1/32', '2001:db8:0:2::/63'],
  ],
];

test('networks side by side', async (t) => {
  for (const [networks, expected] of JOINS) {
    await t.test(networks.join(' '), () => assert.deepEqual(joined(networks), expected));
  }
});

test('the figures of joined networks', () => {
  const some = { ...seen('192.0.2.0'), messages: 5, refused: 2, first: 100, last: 200 };
  const more = { ...seen('192.0.2.1'), messages: 7, refused: 0, first: 50, last: 150, lastRefused: 0 };
  const [one] = joinNetworks([
    { ...more, days: new Set(['1', '2']) },
    { ...some, days: new Set(['2', '3']) },
  ]);
  const { network, parts, days, ...figures } = one ?? assert.fail();
  assert.deepEqual([formatNetwork(network), parts.length, [...days].sort()], ['192.0.2.0/31', 2, ['1', '2', '3']]);
  assert.deepEqual(figures, { messages: 12, refused: 2, by: null, first: 50, last: 200, lastRefused: 6 });
});

test('random networks: all are covered, once, and nothing beyond them', () => {
  const random = randomFrom(11);
  for (let round = 0; round < 500; round++) {
    const prefix = random.pick([24, 28, 32]);
    const step = 2 ** (32 - prefix);
    const texts = new Set<string>();
    for (let i = random.below(40); i >= 0; i--) {
      const address = 0x0a000000 + random.below(32) * step + random.pick([0, 0, 0x10000, 0x4000000]);
      const octets = [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');
      texts.add(`${octets}/${prefix}`);
    }
    const parts = [...texts].map(seen);
    const result = joinNetworks(parts);
    for (const { network } of parts) {
      assert.equal(result.filter((one) => contains(one.network, network)).length, 1);
    }
    for (const one of result) {
      const held = parts.filter(({ network }) => contains(one.network, network)).length;
      assert.equal(one.parts.length, held);
      const room = 2 ** (prefix - one.network.prefix);
      assert.equal(held, room, formatNetwork(one.network));
    }
    // Nothing that could be joined is left apart.
    const names = new Set(result.map(({ network }) => formatNetwork(network)));
    for (const { network } of result) {
      const sibling = network.bytes.slice();
      const bit = network.prefix - 1;
      sibling[bit >> 3] = (sibling[bit >> 3] ?? 0) ^ (0x80 >> (bit & 7));
      assert.ok(!names.has(formatNetwork({ ...network, bytes: sibling })));
    }
  }
});
