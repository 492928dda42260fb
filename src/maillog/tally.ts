// Sightings added up by user and network, each decided about on the way.
import type { Verdict } from '../policy/decide';
import { type Address, parseAddress } from '../rules/address';
import { formatNetwork, type Network, truncate } from '../rules/network';
import { foldName } from '../rules/subject';
import type { Sighting } from './line-kind';

/** What counts, and how addresses are grouped. */
export interface Scope {
  /** Seconds since 1970; `until` itself does not count. */
  readonly since: number;
  readonly until: number;
  /** `user`: folded. */
  readonly isAsked: (user: string) => boolean;
  readonly v4Prefix: number;
  readonly v6Prefix: number;
}

/** An entry of the database that allows something. */
export interface Grant {
  readonly subject: string;
  readonly network: string;
  readonly set: string | null;
}

/** One user in one network. Times in seconds since 1970. */
export interface Seen {
  /** Folded. */
  readonly user: string;
  /** Null: the log does not know from where. */
  readonly network: Network | null;
  /** Canonical text of the network, or `unknown`. */
  readonly name: string;
  messages: number;
  refused: number;
  /** By what one of the allowed messages is allowed. */
  by: Grant | null;
  first: number;
  last: number;
  lastRefused: number;
  /** In local time, as `2026-11-04`. */
  readonly days: Set<string>;
  /** Of the line with the last time; of several, of the last one: where the user was, why refused, and the line's number. */
  lastPlace: Place | null;
  reason: string;
  line: number;
}

/** One user at one address. */
interface Place {
  readonly seen: Seen;
  readonly address: string;
  /** The decision by the database as it is now. */
  readonly verdict: Verdict;
}

export interface Day {
  /** In local time, as `2026-11-04`. */
  readonly day: string;
  allowed: number;
  refused: number;
}

const QUARTER = 900;
/** More are forgotten, and asked for again. */
const MOST_PLACES = 200_000;

export class Tally {
  /** By folded name, then by the network's text. */
  readonly people = new Map<string, Map<string, Seen>>();
  /** People about whom the database has no entry. */
  readonly withoutEntry = new Set<string>();
  /** By their names. */
  readonly days = new Map<string, Day>();
  private lines = 0;
  /** The day of the last line, and its quarter of an hour: no time zone changes its clock within one. */
  private today: Day = { day: '', allowed: 0, refused: 0 };
  private quarter = -1;
  /** By name and address as the log has them; null for a user who is not asked for. */
  private readonly places = new Map<string, Place | null>();

  constructor(
    private readonly scope: Scope,
    private readonly ask: (user: string, address: string) => Verdict,
  ) {}

  record({ user, address, times, reason = '' }: Sighting, seconds: number): void {
    if (seconds < this.scope.since || seconds >= this.scope.until) return;
    if (this.places.size === MOST_PLACES) this.places.clear();
    const place = getOrMake(this.places, `${user}\n${address}`, () => this.placeOf(user, address));
    if (place === null) return;
    const { seen, verdict } = place;
    const today = this.dayOf(seconds);
    seen.messages += times;
    seen.first = Math.min(seen.first, seconds);
    if (seconds >= seen.last) {
      seen.last = seconds;
      seen.lastPlace = place;
      seen.reason = reason;
      seen.line = this.lines++;
    }
    seen.days.add(today.day);
    if (verdict.kind === 'allowed') today.allowed += times;
    else {
      today.refused += times;
      seen.refused += times;
      seen.lastRefused = Math.max(seen.lastRefused, seconds);
    }
  }

  private placeOf(user: string, address: string): Place | null {
    const name = foldName(user);
    if (!this.scope.isAsked(name)) return null;
    const verdict = this.ask(user, address);
    if (verdict.kind === 'refused' && verdict.why === 'no-entry') this.withoutEntry.add(name);
    const parsed = parseAddress(address);
    const seen = this.seenIn(name, parsed && this.networkOf(parsed));
    if (verdict.kind === 'allowed') {
      const by = { subject: verdict.subject, network: verdict.entry.network, set: verdict.entry.set };
      // Of several always the same one, whatever the order of the lines.
      if (seen.by === null || textOf(by) < textOf(seen.by)) seen.by = by;
    }
    return { seen, address, verdict };
  }

  private seenIn(user: string, network: Network | null): Seen {
    const name = network === null ? 'unknown' : formatNetwork(network);
    const places = getOrMake(this.people, user, () => new Map<string, Seen>());
    return getOrMake(places, name, () => ({
      ...{ user, network, name, messages: 0, refused: 0, by: null },
      ...{
        first: Number.POSITIVE_INFINITY,
        last: 0,
        lastRefused: 0,
        days: new Set<string>(),
        lastPlace: null,
        reason: '',
        line: 0,
      },
    }));
  }

  private dayOf(seconds: number): Day {
    const quarter = Math.floor(seconds / QUARTER);
    if (quarter !== this.quarter) {
      const day = localDay(seconds);
      this.today = getOrMake(this.days, day, () => ({ day, allowed: 0, refused: 0 }));
      this.quarter = quarter;
    }
    return this.today;
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
