// What learn must have found, worked out another way: from the messages that a log was made of, with net.BlockList and
// sets.
import assert from 'node:assert/strict';
import { BlockList, isIPv4 } from 'node:net';
import type { Sent } from './generator';

/** A row of `learn --json`. */
export interface Learned {
  readonly user: string;
  readonly network: string;
  readonly messages: number;
  readonly days: number;
  readonly first: string;
  readonly last: string;
  readonly note: string;
  readonly allowed: string;
  readonly marks: readonly string[];
}

const family = (address: string) => (isIPv4(address) ? 'ipv4' : 'ipv6');
const plain = (address: string) => address.replace(/^::ffff:(?=\d+\.)/, '');
const fold = (user: string) => user.normalize('NFC').toLowerCase().normalize('NFC');
const instant = (seconds: number) => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');

/**
 * Addresses are one /32, IPv6 addresses one /64, as long as the generator makes no others that share the first four
 * groups.
 */
const groupOf = (address: string) => (isIPv4(address) ? address : address.replace(/::.*$/, ''));

/** Throws unless the rows are exactly what was sent. */
export function assertLearned(rows: readonly Learned[], sent: readonly Sent[]): void {
  const left = new Set(sent);
  for (const row of rows) {
    const [base = '', prefix] = row.network.split('/');
    const list = new BlockList();
    list.addSubnet(base, Number(prefix), family(base));
    const of = sent.filter(({ user, address }) => {
      const client = plain(address);
      return fold(user) === row.user && family(client) === family(base) && list.check(client, family(client));
    });
    for (const one of of) assert.ok(left.delete(one), `${row.network} of ${row.user} is covered twice`);
    const seconds = of.map((one) => one.seconds);
    const days = new Set(seconds.map((second) => Math.floor(second / 86_400)));
    const groups = new Set(of.map((one) => groupOf(plain(one.address))));
    const { messages, first, last, days: dayCount } = row;
    assert.deepEqual(
      { user: row.user, network: row.network, messages, first, last, days: dayCount },
      {
        user: row.user,
        network: row.network,
        messages: of.length,
        first: instant(Math.min(...seconds)),
        last: instant(Math.max(...seconds)),
        days: days.size,
      },
    );
    const room = 2 ** ((isIPv4(base) ? 32 : 64) - Number(prefix));
    assert.equal(groups.size, room, `${row.network} of ${row.user} covers more than was seen`);
    const count = of.length === 1 ? '1 message' : `${of.length} messages`;
    assert.equal(row.note, `learned from ${count}, ${row.first} to ${row.last}`);
  }
  assert.deepEqual([...left], [], 'not learned');
}
