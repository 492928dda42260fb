// Sightings added up by user and network, each decided for on the way.
import type { Verdict } from '../policy/decide';
import { type Address, parseAddress } from '../rules/address';
import { formatNetwork, type Network } from '../rules/network';
import { foldName } from '../rules/subject';
import type { Sighting } from './read-log';

/** What counts, and how. */
export interface Scope {
  /** Seconds since 1970; `until` itself does not count. */
  readonly since: number;
  readonly until: number;
  /** `user`: folded. */
  isAsked(user: string): boolean;
  /** The network that an address is counted in. */
  networkOf(address: Address): Network;
  decide(user: string, address: string): Verdict;
}

/** An entry of the database that allows something. */
export interface Grant {
  readonly subject: string;
  readonly network: string;
  readonly set: string | null;
}

/** One user at one address. `verdict`: by the database as it is now. */
interface Place {
  readonly seen: Seen;
  readonly address: string;
  readonly verdict: Verdict;
}

/** One user in one network. */
export class Seen {
  messages = 0;
  refused = 0;
  /** By what one of the allowed messages is allowed. */
  by: Grant | null = null;
  /** Seconds since 1970. */
  first = Number.POSITIVE_INFINITY;
  last = 0;
  lastRefused = 0;
  /** Days in local time, since 1970. */
  readonly days = new Set<number>();
  /** Of the last line: where the user was, and why refused. */
  place: Place | null = null;
  reason = '';

  /** `user`: folded. `network`: null when the log does not know from where. `name`: its text, or `unknown`. */
  constructor(
    readonly user: string,
    readonly network: Network | null,
    readonly name: string,
  ) {}
}

const DAY = 86_400;
/** More are forgotten, and decided for again. */
const MOST_PLACES = 200_000;

export class Tally {
  /** By folded name, then by the network's text. */
  readonly people = new Map<string, Map<string, Seen>>();
  /** People about whom the database has no entry. */
  readonly withoutEntry = new Set<string>();
  /** Messages by day in local time, since 1970. */
  readonly days = new Map<number, { allowed: number; refused: number }>();
  /** By name and address as the log has them; null for a user who is not asked for. */
  private readonly places = new Map<string, Place | null>();

  constructor(private readonly scope: Scope) {}

  record({ user, address, times, reason = '' }: Sighting, seconds: number): void {
    if (seconds < this.scope.since || seconds >= this.scope.until) return;
    if (this.places.size === MOST_PLACES) this.places.clear();
    const place = getOrMake(this.places, `${user}\n${address}`, () => this.placeOf(user, address));
    if (place === null) return;
    const { seen, verdict } = place;
    const day = Math.floor(seconds / DAY - new Date(seconds * 1000).getTimezoneOffset() / 1440);
    const total = getOrMake(this.days, day, () => ({ allowed: 0, refused: 0 }));
    seen.days.add(day);
    seen.messages += times;
    seen.first = Math.min(seen.first, seconds);
    if (seconds >= seen.last) {
      seen.last = seconds;
      seen.place = place;
      seen.reason = reason;
    }
    if (verdict.kind === 'allowed') {
      total.allowed += times;
      return;
    }
    total.refused += times;
    seen.refused += times;
    seen.lastRefused = Math.max(seen.lastRefused, seconds);
  }

  private placeOf(user: string, address: string): Place | null {
    const name = foldName(user);
    if (!this.scope.isAsked(name)) return null;
    const verdict = this.scope.decide(user, address);
    if (verdict.kind === 'refused' && verdict.why === 'no-entry') this.withoutEntry.add(name);
    const client = parseAddress(address);
    const network = client && this.scope.networkOf(client);
    const places = getOrMake(this.people, name, () => new Map<string, Seen>());
    const where = network === null ? 'unknown' : formatNetwork(network);
    const seen = getOrMake(places, where, () => new Seen(name, network, where));
    if (verdict.kind === 'allowed') {
      const by = { subject: verdict.subject, network: verdict.entry.network, set: verdict.entry.set };
      // Of several always the same one, whatever the order of the lines.
      if (seen.by === null || JSON.stringify(by) < JSON.stringify(seen.by)) seen.by = by;
    }
    return { seen, address, verdict };
  }
}

/** The value of a key, made when there is none yet. */
function getOrMake<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
