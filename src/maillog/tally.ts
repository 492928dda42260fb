// Adds up the lines of a log by user and network. The current database gives the verdict for each address.
import { decide, type Verdict } from '../policy/decide';
import type { Rules, SubjectRules } from '../rules/lookup';
import { foldName } from '../rules/meaning';
import { formatNetwork, type Network, parseAddress, truncate } from '../rules/network';
import type { Sighting } from './read-log';

/** The lines of one login name at one address. `first`, `last`: ms since 1970. */
interface Lines {
  readonly login: string;
  readonly address: string;
  /** The number of lines of each day, in days since 1970 (UTC). */
  readonly days: Map<number, number>;
  messages: number;
  first: number;
  last: number;
  /** Of the last line. `place`: its place in the log, among those that count. */
  reason: string;
  place: number;
}

export interface Part extends Readonly<Lines> {
  readonly verdict: Verdict;
}

export type UserNetwork = ReturnType<typeof userNetwork>;

export const DAY = 86_400_000;

export class Tally {
  /** By login name and address, in the order of the log. */
  private readonly all = new Map<string, Lines>();
  private count = 0;

  record({ user, address, reason, time, count }: Sighting): void {
    const lines = getOrMake(this.all, `${user}\n${address}`, () => {
      return { login: user, address, days: new Map(), messages: 0, first: time, last: time, reason, place: 0 };
    });
    const day = Math.floor(time / DAY);
    lines.days.set(day, (lines.days.get(day) ?? 0) + count);
    lines.messages += count;
    lines.first = Math.min(lines.first, time);
    if (time < lines.last) return;
    lines.last = time;
    lines.reason = reason;
    lines.place = this.count++;
  }

  /** In the order of the log. `prefixes`: the lengths by which addresses are grouped, by family. `now`: ms since 1970. */
  networks(rules: Rules, prefixes: { 4: number; 6: number }, now: number): UserNetwork[] {
    const subjects = new Map<string, SubjectRules | null>();
    const cached = { of: (subject: string) => getOrMake(subjects, subject, () => rules.of(subject)) };
    const groups = new Map<string, { user: string; network: Network | null; parts: Part[] }>();
    for (const lines of this.all.values()) {
      const user = foldName(lines.login);
      const client = parseAddress(lines.address);
      const network = client && truncate(client, prefixes[client.family]);
      const verdict = decide({ user: lines.login, address: lines.address }, cached, now);
      const key = `${user}\n${network && formatNetwork(network)}`;
      getOrMake(groups, key, () => ({ user, network, parts: [] })).parts.push({ ...lines, verdict });
    }
    return [...groups.values()].map(({ user, network, parts }) => userNetwork(user, network, parts));
  }
}

/**
 * One user in one network, with a part for each login name and address. `user`: folded. `network`: null if Postfix does
 * not know the address.
 */
export function userNetwork(user: string, network: Network | null, parts: readonly Part[]) {
  const allDays = new Set<number>();
  const sums = { messages: 0, refused: 0, first: Number.POSITIVE_INFINITY, last: 0, place: 0 };
  for (const part of parts) {
    const { messages, days, first, last, place, verdict } = part;
    for (const day of days.keys()) allDays.add(day);
    sums.messages += messages;
    if (verdict.kind === 'refused') sums.refused += messages;
    sums.first = Math.min(sums.first, first);
    if (isLater(part, sums)) Object.assign(sums, { last, place });
  }
  return { user, network, name: network === null ? 'unknown' : formatNetwork(network), parts, days: allDays, ...sums };
}

/** Whether the last line of one is later than that of the other. Of one second, the place in the log decides. */
export function isLater(one: Pick<Lines, 'last' | 'place'>, other: Pick<Lines, 'last' | 'place'>): boolean {
  return one.last > other.last || (one.last === other.last && one.place > other.place);
}

/** The number of messages, or of refused ones. */
export function count(networks: readonly UserNetwork[], what: 'messages' | 'refused' = 'messages'): number {
  return networks.reduce((sum, one) => sum + one[what], 0);
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
