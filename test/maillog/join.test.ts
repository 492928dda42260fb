// Networks joined: which, and that nothing is covered beyond them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { joinNetworks } from '../../src/maillog/join';
import { contains, formatNetwork, type Network, parseNetwork } from '../../src/rules/network';

function network(text: string): Network {
  const parsed = parseNetwork(text);
  if (parsed === null) throw new Error(text);
  return parsed.network;
}

/** The joined networks, and how many each was joined from. */
function joined(texts: readonly string[]): { network: Network; parts: number }[] {
  const all = texts.map((text) => ({ network: network(text), parts: 1 }));
  return joinNetworks(all, (a, b, wider) => ({ network: wider, parts: a.parts + b.parts }));
}

// biome-ignore format: a table
const JOINS: readonly [networks: string, joined: string][] = [
  ['192.0.2.1', '192.0.2.1/32'],
  ['192.0.2.3 192.0.2.2', '192.0.2.2/31'],
  ['192.0.2.1 192.0.2.2', '192.0.2.1/32 192.0.2.2/32'],
  ['192.0.2.0 192.0.2.1 192.0.2.2 192.0.2.3', '192.0.2.0/30'],
  ['192.0.2.0 192.0.2.1 192.0.2.2', '192.0.2.0/31 192.0.2.2/32'],
  ['10.0.0.0/24 10.0.1.0/24 10.0.3.0/24', '10.0.0.0/23 10.0.3.0/24'],
  ['127.255.255.255 128.0.0.0', '127.255.255.255/32 128.0.0.0/32'],
  ['2001:db8:0:2::/64 2001:db8:0:3::/64 192.0.2.1', '192.0.2.1/32 2001:db8:0:2::/63'],
];

test('networks side by side', async (t) => {
  for (const [networks, expected] of JOINS) {
    await t.test(networks, () => {
      const names = joined(networks.split(' ')).map((one) => formatNetwork(one.network));
      assert.equal(names.join(' '), expected);
    });
  }
});

test('random networks: all are covered, once, nothing beyond them, and no two are left that could be joined', () => {
  const texts = fc.constantFrom(24, 28, 32).chain((prefix) => {
    const address = fc.tuple(fc.nat(31), fc.constantFrom(0, 0, 0x10000, 0x4000000)).map(([i, far]) => {
      const number = 0x0a000000 + i * 2 ** (32 - prefix) + far;
      return `${[24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join('.')}/${prefix}`;
    });
    return fc.uniqueArray(address, { maxLength: 40 }).map((all) => ({ prefix, all }));
  });
  fc.assert(
    fc.property(texts, ({ prefix, all }) => {
      const result = joined(all);
      for (const text of all) {
        assert.equal(result.filter((one) => contains(one.network, network(text))).length, 1);
      }
      for (const one of result) {
        assert.equal(one.parts, all.filter((text) => contains(one.network, network(text))).length);
        assert.equal(one.parts, 2 ** (prefix - one.network.prefix), formatNetwork(one.network));
      }
      const names = new Set(result.map((one) => formatNetwork(one.network)));
      for (const { network } of result) {
        const sibling = network.bytes.slice();
        const bit = network.prefix - 1;
        sibling[bit >> 3] = (sibling[bit >> 3] ?? 0) ^ (0x80 >> (bit & 7));
        assert.ok(!names.has(formatNetwork({ ...network, bytes: sibling })));
      }
    }),
  );
});
