// Look-ups among networks that lie close to each other and in each other: all that contain the address.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { type Rules, rulesOf } from '../../src/rules/lookup';
import {
  type Address,
  contains,
  formatNetwork,
  type Network,
  parseAddress,
  parseNetwork,
} from '../../src/rules/network';
import { SCHEMA } from '../../src/rules/schema';
import { forRandom } from '../rig/random';

function network(text: string): Network {
  const parsed = parseNetwork(text);
  assert.ok(parsed, text);
  return parsed.network;
}

function address(text: string): Address {
  const parsed = parseAddress(text);
  assert.ok(parsed, text);
  return parsed;
}

const covering = (rules: Rules, name: string, client: Address) => [...(rules.of(name)?.covering(client) ?? [])];

/** The rules of a database where each name has its networks. */
function rulesWith(names: Record<string, readonly Network[]>) {
  const connection = new Database(':memory:');
  connection.exec(SCHEMA);
  const insert = connection.prepare('insert or ignore into access (user, network, canonical) values (?, ?, ?)');
  for (const [name, networks] of Object.entries(names)) {
    for (const text of networks.map(formatNetwork)) insert.run(name, text, `${name} ${text}`);
  }
  return rulesOf(connection);
}

const DENSE: Record<string, (number: number) => string> = {
  '4': (number) => `10.0.${number >> 8}.${number & 255}`,
  '6': (number) => `2001:db8:0:${number.toString(16)}::1`,
};

for (const [family, text] of Object.entries(DENSE)) {
  const whole = family === '4' ? 32 : 64;
  const host = (number: number) => network(`${text(number)}/${whole}`);

  test(`IPv${family}: all networks around an address, whatever their lengths`, () => {
    forRandom(30, (random) => {
      const lengths = Array.from({ length: 1 + random(6) }, () => whole - random(14));
      const networks = Array.from({ length: 300 }, () =>
        network(`${text(random(4096))}/${lengths[random(lengths.length)]}`),
      );
      if (random(3) === 0) networks.push(network(family === '4' ? '0.0.0.0/0' : '::/0'));
      const rules = rulesWith({ one: networks, two: [host(1)] });
      for (let i = 0; i < 200; i++) {
        const one = address(text(random(8192)));
        const expected = networks.filter((other) => contains(other, one)).map(formatNetwork);
        const found = covering(rules, 'one', one).map((entry) => entry.network);
        assert.deepEqual(found.sort(), [...new Set(expected)].sort());
      }
    });
  });
}
