// What was seen of each person in each network, in columns: a place is a number, and each column holds one figure of it.
import type { Family } from '../rules/address';
import { byAddress, formatNetwork, type Network } from '../rules/network';
import { withRoom } from './columns';
import { type DayBits, DayColumns } from './day-columns';
import { PairTable } from './pair-table';
import { V6Numbers } from './v6-numbers';

/** By what an address is allowed: an entry of the database. */
export interface Grant {
  readonly subject: string;
  readonly network: string;
  readonly set: string | null;
}

/** One person in one network. Times in seconds since 1970. */
export interface Seen {
  /** Null: from where, the log does not know. */
  readonly network: Network | null;
  readonly messages: number;
  readonly allowed: number;
  /** By what one of the allowed messages is. */
  readonly by: Grant | null;
  readonly first: number;
  readonly last: number;
  readonly days: DayBits;
  /** Null: by nobody else, or not looked for yet. */
  readonly usage: Usage | null;
}

/** How a network is used by all persons together, more than one. */
export interface Usage {
  readonly users: number;
  readonly messages: number;
}

const MESSAGES = 0;
const ALLOWED = 1;
const GRANT = 2;
const FIRST = 3;
const LAST = 4;
const LAST_DAY = 5;
const BEFORE = 6;
/** A power of two: the figures of a place then lie in one cache line. */
const FIGURES = 8;

/** So many grants are known again by what they are. */
const MOST_NUMBERED = 5000;

/** The grant number of an entry of that user for that network itself: after `learn --apply` there are as many as places. */
const ITSELF = 0x7fff_ffff;

/** In the place of an IPv6 network's number. */
const NO_NETWORK = -1;

export class SeenColumns {
  /** Of person * 2 (+ 1 for IPv6) and the network: an IPv4 one by its bits, an IPv6 one by its number. */
  private readonly places = new PairTable();
  private readonly v6Networks = new V6Numbers();
  private readonly grants: Grant[] = [];
  private readonly grantNumbers = new Map<string, number>();
  private readonly days = new DayColumns();
  /** Of each place the figures named below, side by side. */
  private figures = new Uint32Array(FIGURES << 8);
  /** The places of a person are a chain: its newest, and the one before as a figure. Plus one, since 0 is none. */
  private newest = new Int32Array(1 << 8);

  private readonly shared: { [family in Family]?: ReadonlyMap<number, Usage> } = {};

  /** All networks of a family have the same prefix length. */
  constructor(
    private readonly v4Prefix: number,
    private readonly v6Prefix: number,
  ) {}

  get size(): number {
    return this.places.size;
  }

  /** The place of a person in a network, a new one when there is none yet. */
  placeOf(person: number, network: Network | null): number {
    const before = this.size;
    const place = this.places.numberOf(...this.key(person, network));
    if (place === before) this.makeRoom(person, place);
    return place;
  }

  /** For `add` to this place, of that user: greater than 0. */
  grantNumber(place: number, user: string, grant: Grant): number {
    if (grant.subject === user && isSame(this.itself(place, user), grant)) return ITSELF;
    const before = this.figure(place, GRANT);
    if (before > 0 && isSame(this.grants[before - 1], grant)) return before;
    // Wide entries allow much and are few; narrow ones are as many as places, and each is of no use for another place.
    const key = keyOf(grant);
    let number = this.grantNumbers.get(key);
    if (number === undefined) {
      number = this.grants.push(grant);
      if (this.grantNumbers.size === MOST_NUMBERED) this.grantNumbers.clear();
      this.grantNumbers.set(key, number);
    }
    return number;
  }

  /** `grant`: a grant number, or 0 when refused. */
  add(place: number, grant: number, times: number, seconds: number, day: number): void {
    const { figures } = this;
    const at = place * FIGURES;
    figures[at + MESSAGES] = (figures[at + MESSAGES] as number) + times;
    if (grant > 0) {
      figures[at + ALLOWED] = (figures[at + ALLOWED] as number) + times;
      if (figures[at + GRANT] !== grant)
        figures[at + GRANT] = this.oneOf(figures[at + GRANT] as number, grant);
    }
    if (seconds < (figures[at + FIRST] as number)) figures[at + FIRST] = seconds;
    if (seconds > (figures[at + LAST] as number)) figures[at + LAST] = seconds;
    if (figures[at + LAST_DAY] !== day + 1) {
      figures[at + LAST_DAY] = day + 1;
      this.days.add(place, day);
    }
  }

  /** Has the figures of these places (below 0: none) brought into the cache, all at once and not one after the other. */
  fetch(places: Int32Array, count: number): number {
    let sum = 0;
    for (let i = 0; i < count; i++) sum ^= this.figures[Math.max(0, places[i] as number) * FIGURES] as number;
    // For nobody; but what has no result is not done.
    return sum;
  }

  /** How many messages there are of a person, and how many of them are from no known network. */
  messagesOf(person: number): { all: number; withoutNetwork: number } {
    let [all, withoutNetwork] = [0, 0];
    for (let next = this.newest[person] ?? 0; next > 0; next = this.figure(next - 1, BEFORE)) {
      const messages = this.figure(next - 1, MESSAGES);
      all += messages;
      if (this.isWithoutNetwork(next - 1)) withoutNetwork += messages;
    }
    return { all, withoutNetwork };
  }

  /** All that was seen of a person. `user`: the name. */
  of(person: number, user: string): Seen[] {
    const seen: Seen[] = [];
    for (let next = this.newest[person] ?? 0; next > 0; next = this.figure(next - 1, BEFORE)) {
      const place = next - 1;
      seen.push({
        network: this.networkOf(place),
        messages: this.figure(place, MESSAGES),
        allowed: this.figure(place, ALLOWED),
        by: this.grantOf(place, user),
        first: this.figure(place, FIRST),
        last: this.figure(place, LAST),
        days: this.days.of(place),
        usage: this.shared[this.familyOf(place)]?.get(this.places.secondOf(place)) ?? null,
      });
    }
    return seen;
  }

  /** The networks that more than one person was seen in, the most used first. From then on `of` tells their usage. */
  findShared(): { network: Network; usage: Usage }[] {
    const found = ([4, 6] as const).flatMap((family) => {
      const shared = this.sharedOf(family);
      this.shared[family] = shared;
      return [...shared].map(([key, usage]) => ({ network: this.network(family, key), usage }));
    });
    return found.filter(isLocated).sort((a, b) => b.usage.users - a.usage.users || byAddress(a, b));
  }

  private grantOf(place: number, user: string): Grant | null {
    const number = this.figure(place, GRANT);
    return number === ITSELF ? this.itself(place, user) : (this.grants[number - 1] ?? null);
  }

  private itself(place: number, user: string): Grant | null {
    const network = this.networkOf(place);
    return network && { subject: user, network: formatNetwork(network), set: null };
  }

  /** Of two grants, of which 0 is none, always the same one: which comes first is chance. */
  private oneOf(first: number, second: number): number {
    if (first === 0 || second === ITSELF) return second;
    if (first === ITSELF) return first;
    const [one, other] = [first, second].map((number) => keyOf(this.grants[number - 1] as Grant));
    return (other as string) < (one as string) ? second : first;
  }

  private sharedOf(family: Family): Map<number, Usage> {
    const keys = new Int32Array(this.size);
    let count = 0;
    for (let place = 0; place < this.size; place++) {
      if (this.familyOf(place) === family) keys[count++] = this.places.secondOf(place);
    }
    // Side by side, the places of one network are as many as its users.
    const sorted = keys.subarray(0, count).sort();
    const shared = new Map<number, { users: number; messages: number }>();
    for (let from = 0, to = 0; from < count; from = to) {
      while (to < count && sorted[to] === sorted[from]) to++;
      if (to - from > 1) shared.set(sorted[from] as number, { users: to - from, messages: 0 });
    }
    for (let place = 0; place < this.size && shared.size > 0; place++) {
      const usage = this.familyOf(place) === family ? shared.get(this.places.secondOf(place)) : undefined;
      if (usage) usage.messages += this.figure(place, MESSAGES);
    }
    return shared;
  }

  private key(person: number, network: Network | null): [number, number] {
    if (network?.family === 4) return [person * 2, bitsOf(network.bytes)];
    return [person * 2 + 1, network ? this.v6Networks.numberOf(network.bytes) : NO_NETWORK];
  }

  private figure(place: number, which: number): number {
    return this.figures[place * FIGURES + which] as number;
  }

  private makeRoom(person: number, place: number): void {
    const at = place * FIGURES;
    this.figures = withRoom(this.figures, at + FIGURES - 1);
    this.newest = withRoom(this.newest, person);
    this.figures[at + FIRST] = 0xffffffff;
    this.figures[at + BEFORE] = this.newest[person] as number;
    this.newest[person] = place + 1;
  }

  private familyOf(place: number): Family {
    return (this.places.firstOf(place) & 1) === 0 ? 4 : 6;
  }

  private isWithoutNetwork(place: number): boolean {
    return this.familyOf(place) === 6 && this.places.secondOf(place) === NO_NETWORK;
  }

  private networkOf(place: number): Network | null {
    return this.network(this.familyOf(place), this.places.secondOf(place));
  }

  private network(family: Family, key: number): Network | null {
    if (family === 4) {
      const bytes = new Uint8Array(4);
      for (let i = 0; i < 4; i++) bytes[i] = key >>> (24 - i * 8);
      return { family, bytes, prefix: this.v4Prefix };
    }
    return key === NO_NETWORK ? null : { family, bytes: this.v6Networks.bytesOf(key), prefix: this.v6Prefix };
  }
}

function keyOf({ subject, network, set }: Grant): string {
  return JSON.stringify([subject, network, set]);
}

function isSame(a: Grant | null | undefined, b: Grant): boolean {
  return a?.network === b.network && a.subject === b.subject && a.set === b.set;
}

function bitsOf(bytes: Uint8Array): number {
  const [a = 0, b = 0, c = 0, d = 0] = bytes;
  return (a << 24) | (b << 16) | (c << 8) | d;
}

function isLocated<T extends { network: Network | null }>(one: T): one is T & { network: Network } {
  return one.network !== null;
}
