// Sightings added up by user and network, each decided on the way.
import { type Address, parseAddress } from '../rules/address';
import { formatNetwork, type Network, truncate } from '../rules/network';
import { foldName } from '../rules/subject';
import type { Answer, Grant } from './judge';
import type { Span } from './log-reading';
import type { Sighting } from './postfix-line';

/** What counts, and how addresses are grouped. */
export interface Scope extends Span {
  readonly v4Prefix: number;
  readonly v6Prefix: number;
}

/** One user in one network. Times in seconds since 1970. */
export interface Seen {
  /** Null: the log does not know from where. */
  readonly network: Network | null;
  messages: number;
  refused: number;
  /** By what one of the allowed messages is allowed. */
  by: Grant | null;
  first: number;
  last: number;
  lastRefused: number;
  /** In local time, as `2026-11-04`. */
  readonly days: Set<string>;
}

export interface DayTotal {
  allowed: number;
  refused: number;
}

/** What is known about a user at an address. */
interface Place {
  readonly seen: Seen;
  readonly isAllowed: boolean;
}

const QUARTER = 900;
/** More are forgotten, and found out again. */
const MOST_PLACES = 200_000;

export class Tally {
  /** By folded name, then by the network's text. */
  readonly people = new Map<string, Map<string, Seen>>();
  /** People about whom the database has no entry. */
  readonly withoutEntry = new Set<string>();
  /** By day in local time, as `2026-11-04`. */
  readonly days = new Map<string, DayTotal>();
  /** By name and address as the log has them. */
  private readonly places = new Map<string, Place | null>();
  /** The day of the quarter of an hour: no zone changes its clock within one. */
  private readonly dayOf = new Map<number, string>();

  constructor(
    private readonly scope: Scope,
    private readonly ask: (user: string, address: string) => Answer,
  ) {}

  record({ user, address, times }: Sighting, seconds: number): void {
    if (seconds < this.scope.since || seconds >= this.scope.until) return;
    const key = `${user}\n${address}`;
    if (this.places.size === MOST_PLACES) this.places.clear();
    const place = getOrMake(this.places, key, () => this.placeOf(user, address));
    if (place === null) return;
    const { seen, isAllowed } = place;
    const day = getOrMake(this.dayOf, Math.floor(seconds / QUARTER), () => localDay(seconds));
    const total = getOrMake(this.days, day, () => ({ allowed: 0, refused: 0 }));
    seen.messages += times;
    seen.first = Math.min(seen.first, seconds);
    seen.last = Math.max(seen.last, seconds);
    seen.days.add(day);
    if (isAllowed) total.allowed += times;
    else {
      total.refused += times;
      seen.refused += times;
      seen.lastRefused = Math.max(seen.lastRefused, seconds);
    }
  }

  /** Null for a user who is not asked for. */
  private placeOf(user: string, address: string): Place | null {
    const name = foldName(user);
    if (!this.scope.isAsked(name)) return null;
    const answer = this.ask(user, address);
    if (answer === 'no-entry') this.withoutEntry.add(name);
    const parsed = parseAddress(address);
    const seen = this.seenIn(name, parsed && this.networkOf(parsed));
    const by = typeof answer === 'string' ? null : answer;
    // Of several always the same one: which comes first is chance.
    if (by !== null && (seen.by === null || textOf(by) < textOf(seen.by))) seen.by = by;
    return { seen, isAllowed: by !== null };
  }

  private seenIn(name: string, network: Network | null): Seen {
    const places = getOrMake(this.people, name, () => new Map<string, Seen>());
    return getOrMake(places, network === null ? '' : formatNetwork(network), () => ({
      network,
      messages: 0,
      refused: 0,
      by: null,
      first: Number.POSITIVE_INFINITY,
      last: 0,
      lastRefused: 0,
      days: new Set<string>(),
    }));
  }

  private networkOf(address: Address): Network {
    return truncate(address, address.family === 4 ? this.scope.v4Prefix : this.scope.v6Prefix);
  }
}

function textOf({ subject, network, set }: Grant): string {
  return JSON.stringify([subject, network, set]);
}

function localDay(seconds: number): string {
  const date = new Date(seconds * 1000);
  return new Date(Date.UTC(date.getFullYear(), date.getMonth(), date.getDate())).toISOString().slice(0, 10);
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
