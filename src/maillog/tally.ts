// Adds up the lines of a log by user and network. The current database gives the verdict for each address.

import { decide, type Verdict } from '../policy/decide';
import type { Rules, SubjectRules } from '../rules/lookup';
import { foldName } from '../rules/meaning';
import { formatNetwork, type Network, parseAddress, truncate } from '../rules/network';
import type { Sighting } from './read-log';

/** The lines of one login name at one address. */
interface Lines {
  readonly login: string;
  readonly address: string;
  /** ms since 1970, one for each line, in any order. */
  readonly times: number[];
  /** Of the last line. */
  last: number;
  reason: string;
}

/** One user at one address. `user`: folded. `network`: null if Postfix does not know the address. */
export interface UserAddress extends Readonly<Lines> {
  readonly user: string;
  readonly network: Network | null;
  readonly verdict: Verdict;
}

/** One user in one network. `name`: the network as text, or `unknown`. */
export interface UserNetwork {
  readonly user: string;
  readonly network: Network | null;
  readonly name: string;
  readonly addresses: readonly UserAddress[];
  /** All messages, and the refused ones, in ms since 1970, in any order. */
  readonly messages: readonly number[];
  readonly refused: readonly number[];
  readonly first: number;
  readonly last: number;
}

export const DAY = 86_400_000;

export class Tally {
  private readonly lines = new Map<string, Lines>();

  record({ user, address, reason, time, count }: Sighting): void {
    const key = `${user}\n${address}`;
    const lines = getOrMake(this.lines, key, () => ({ login: user, address, times: [], last: 0, reason }));
    for (let i = 0; i < count; i++) lines.times.push(time);
    if (time < lines.last) return;
    lines.last = time;
    lines.reason = reason;
  }

  /** In the order of the log. `prefixes`: the lengths by which addresses are grouped, by family. `now`: ms since 1970. */
  networks(rules: Rules, prefixes: { 4: number; 6: number }, now: number): UserNetwork[] {
    const subjects = new Map<string, SubjectRules | null>();
    const cached = { of: (subject: string) => getOrMake(subjects, subject, () => rules.of(subject)) };
    const addresses = [...this.lines.values()].map((lines): UserAddress => {
      const user = foldName(lines.login);
      const client = parseAddress(lines.address);
      const network = client && truncate(client, prefixes[client.family]);
      return { ...lines, user, network, verdict: decide({ user: lines.login, address: lines.address }, cached, now) };
    });
    const groups = groupBy(addresses, ({ user, network }) => `${user}\n${nameOf(network)}`);
    return groups.map((group) => userNetwork(group[0].user, group[0].network, group));
  }
}

/** The addresses of one user in one network together. */
export function userNetwork(user: string, network: Network | null, addresses: readonly UserAddress[]): UserNetwork {
  const messages = timesOf(addresses);
  const refused = timesOf(addresses.filter(({ verdict }) => verdict.kind === 'refused'));
  const first = messages.reduce((least, time) => Math.min(least, time));
  const last = messages.reduce((most, time) => Math.max(most, time));
  return { user, network, name: nameOf(network), addresses, messages, refused, first, last };
}

function timesOf(addresses: readonly UserAddress[]): number[] {
  return addresses.flatMap(({ times }) => times);
}

function nameOf(network: Network | null): string {
  return network === null ? 'unknown' : formatNetwork(network);
}

/** Whether Postfix knows the addresses. */
export function hasNetwork(one: UserNetwork): one is UserNetwork & { readonly network: Network } {
  return one.network !== null;
}

/** The number of messages, or of refused ones. */
export function count(networks: readonly UserNetwork[], what: 'messages' | 'refused' = 'messages'): number {
  return networks.reduce((sum, one) => sum + one[what].length, 0);
}

/** The value of a key, created if it is missing. */
export function getOrMake<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}

/** The items with equal keys together. */
export function groupBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): [Item, ...Item[]][] {
  const groups = new Map<string, Item[]>();
  for (const item of items) getOrMake(groups, keyOf(item), () => []).push(item);
  return [...groups.values()] as [Item, ...Item[]][];
}
