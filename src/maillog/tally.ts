// Adds up the lines of a log by user and network. The current database gives the verdict for each.
import type { Verdict } from '../policy/decide';
import { type Address, parseAddress } from '../rules/address';
import { formatNetwork, type Network } from '../rules/network';
import { foldName } from '../rules/subject';
import type { Sighting } from './read-log';

/** Which lines count, and how they are grouped and judged. */
export interface Scope {
  /** Seconds since 1970; `until` itself does not count. */
  readonly since: number;
  readonly until: number;
  /** Whether the lines of a user count. `user`: folded. */
  includes(user: string): boolean;
  /** The network that an address is counted for. */
  networkOf(address: Address): Network;
  decide(user: string, address: string): Verdict;
}

/** The database entry that allows a message. */
export interface Grant {
  readonly subject: string;
  readonly network: string;
  readonly set: string | null;
}

/** One user at one address. */
interface UserAddress {
  readonly network: UserNetwork;
  readonly verdict: Verdict;
}

/** One user in one network. */
export class UserNetwork {
  messages = 0;
  refused = 0;
  /** The entry that allows one of the allowed messages. */
  by: Grant | null = null;
  /** Seconds since 1970. */
  first = Number.POSITIVE_INFINITY;
  last = 0;
  lastRefused = 0;
  /** Days in local time, since 1970. */
  readonly days = new Set<number>();
  /** These three are those of the last line. */
  address = '';
  reason = '';
  verdict: Verdict | null = null;

  /** `user`: folded. `network`: null when the log does not know the address. `name`: its text, or `unknown`. */
  constructor(
    readonly user: string,
    readonly network: Network | null,
    readonly name: string,
  ) {}
}

const DAY = 86_400;
/** When the cache is full, it is emptied. */
const MOST_ADDRESSES = 200_000;

export class Tally {
  /** By folded name, then by the network's text. */
  readonly users = new Map<string, Map<string, UserNetwork>>();
  /** Users for whom the database has no entry. */
  readonly withoutEntry = new Set<string>();
  /** Messages by day in local time, since 1970. */
  readonly days = new Map<number, { allowed: number; refused: number }>();
  /** Cache, by name and address as the log has them; null for a user who does not count. */
  private readonly addresses = new Map<string, UserAddress | null>();

  constructor(private readonly scope: Scope) {}

  /** `seconds`: since 1970. */
  record({ user, address, times, reason = '' }: Sighting, seconds: number): void {
    if (seconds < this.scope.since || seconds >= this.scope.until) return;
    if (this.addresses.size === MOST_ADDRESSES) this.addresses.clear();
    const found = getOrMake(this.addresses, `${user}\n${address}`, () => this.judge(user, address));
    if (found === null) return;
    const { network, verdict } = found;
    const day = Math.floor(seconds / DAY - new Date(seconds * 1000).getTimezoneOffset() / 1440);
    const total = getOrMake(this.days, day, () => ({ allowed: 0, refused: 0 }));
    network.days.add(day);
    network.messages += times;
    network.first = Math.min(network.first, seconds);
    if (seconds >= network.last) {
      network.last = seconds;
      network.address = address;
      network.reason = reason;
      network.verdict = verdict;
    }
    if (verdict.kind === 'allowed') {
      total.allowed += times;
      return;
    }
    total.refused += times;
    network.refused += times;
    network.lastRefused = Math.max(network.lastRefused, seconds);
  }

  private judge(login: string, address: string): UserAddress | null {
    const user = foldName(login);
    if (!this.scope.includes(user)) return null;
    const verdict = this.scope.decide(login, address);
    if (verdict.kind === 'refused' && verdict.why === 'no-entry') this.withoutEntry.add(user);
    const client = parseAddress(address);
    const block = client && this.scope.networkOf(client);
    const name = block === null ? 'unknown' : formatNetwork(block);
    const networks = getOrMake(this.users, user, () => new Map<string, UserNetwork>());
    const network = getOrMake(networks, name, () => new UserNetwork(user, block, name));
    if (verdict.kind === 'allowed') {
      const by = { subject: verdict.subject, network: verdict.entry.network, set: verdict.entry.set };
      // Of several entries the choice must not depend on the order of the lines.
      if (network.by === null || JSON.stringify(by) < JSON.stringify(network.by)) network.by = by;
    }
    return { network, verdict };
  }
}

/** The value of a key, created if it is missing. */
function getOrMake<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
