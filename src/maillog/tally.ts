// Sightings added up by user and network, each decided on the way.
//
// The numbers lie in columns with a place for each user and network, so that a million of those fit into little memory. Addresses are
// remembered only while they come again soon: what is kept for good grows with the networks, not with the messages or the addresses.
import { type Address, parseAddress } from '../rules/address';
import { type Network, truncate } from '../rules/network';
import { foldName } from '../rules/subject';
import { LocalDays } from './local-day';
import { hashOf, RecentTexts } from './recent';
import { type Grant, SeenColumns } from './seen-columns';
import { BATCH, type Batch, type Sighting } from './sighting';

/** What counts, and how addresses are put together. */
export interface Scope {
  /** Seconds since 1970; `until` itself does not count. */
  readonly since: number;
  readonly until: number;
  /** `user`: folded. */
  readonly isAsked: (user: string) => boolean;
  readonly v4Prefix: number;
  readonly v6Prefix: number;
}

/** By what the database allows a user to send from an address, or why it does not. */
export type Answer = Grant | 'no-entry' | 'refused';

/** Decides about users and addresses. */
export interface Asking {
  ask(user: string, address: string): Answer;
  /** All questions of one batch have been asked. */
  rest(): void;
}

export interface DayTotal {
  allowed: number;
  refused: number;
}

const NOT_ASKED = -1;
const UNREADABLE = -2;

export class Tally {
  /** Folded names; the person's number is the index. */
  readonly people: string[] = [];
  /** Of whom no entry of the database is about. */
  readonly withoutEntry = new Set<number>();
  readonly seen: SeenColumns;
  /** By day number, see local-day. */
  readonly days = new Map<number, DayTotal>();
  private readonly numbers = new Map<string, number>();
  /** Of an address and a user as spelled, the place and the grant. */
  private readonly recent = new RecentTexts();
  private readonly hashes = new Int32Array(BATCH);
  private readonly places = new Int32Array(BATCH);
  private readonly grants = new Int32Array(BATCH);
  private readonly localDays = new LocalDays();
  private today: DayTotal = { allowed: 0, refused: 0 };
  private todayNumber = Number.NaN;

  constructor(
    private readonly scope: Scope,
    private readonly judge: Asking,
  ) {
    this.seen = new SeenColumns(scope.v4Prefix, scope.v6Prefix);
  }

  /**
   * Adds the sightings that are in the scope. `onUnreadable` is told of each whose user name or address cannot be one.
   *
   * Step by step for all of them: each step waits for memory, and so they wait together.
   */
  record(bytes: Buffer, { sightings, size }: Batch, onUnreadable: (sighting: Sighting) => void): void {
    const { hashes, places, grants } = this;
    for (let i = 0; i < size; i++) hashes[i] = hashOf(bytes, sightings[i] as Sighting);
    this.recent.fetch(hashes, size);
    for (let i = 0; i < size; i++) {
      const sighting = sightings[i] as Sighting;
      const entry = this.recent.find(hashes[i] as number, bytes, sighting);
      if (entry === 0) this.findOut(i, bytes, sighting);
      else {
        places[i] = this.recent.placeOf(entry);
        grants[i] = this.recent.grantOf(entry);
      }
    }
    this.judge.rest();
    for (let i = 0; i < size; i++) {
      const sighting = sightings[i] as Sighting;
      if ((places[i] as number) >= 0) this.add(sighting, places[i] as number, grants[i] as number);
      else if (places[i] === UNREADABLE) onUnreadable(sighting);
    }
  }

  private add({ seconds, times }: Sighting, place: number, grant: number): void {
    if (seconds < this.scope.since || seconds >= this.scope.until) return;
    const day = this.localDays.of(seconds);
    this.seen.add(place, grant, times, seconds, day);
    const total = this.totalOf(day);
    if (grant > 0) total.allowed += times;
    else total.refused += times;
  }

  private findOut(i: number, bytes: Buffer, sighting: Sighting): void {
    const address = bytes.toString('latin1', sighting.addressStart, sighting.addressEnd);
    const user = bytes.toString('utf8', sighting.userStart, sighting.userEnd);
    const [place, grant] = this.answerFor(user, address);
    this.places[i] = place;
    this.grants[i] = grant;
    this.recent.keep(this.hashes[i] as number, bytes, sighting, place, grant);
  }

  /** The place of a user at an address and the number of the grant; or NOT_ASKED or UNREADABLE. */
  private answerFor(user: string, address: string): [place: number, grant: number] {
    const parsed = parseAddress(address);
    if (user.includes('\ufffd') || (parsed === null && !isWithoutAddress(address))) return [UNREADABLE, 0];
    const folded = foldName(user);
    if (!this.scope.isAsked(folded)) return [NOT_ASKED, 0];
    const person = this.personNumber(folded);
    const answer = this.judge.ask(user, address);
    if (answer === 'no-entry') this.withoutEntry.add(person);
    const grant = typeof answer === 'string' ? 0 : this.seen.grantNumber(answer);
    return [this.seen.placeOf(person, parsed && this.networkOf(parsed)), grant];
  }

  private networkOf(address: Address): Network {
    return truncate(address, address.family === 4 ? this.scope.v4Prefix : this.scope.v6Prefix);
  }

  private personNumber(name: string): number {
    let number = this.numbers.get(name);
    if (number === undefined) {
      number = this.people.push(name) - 1;
      this.numbers.set(name, number);
    }
    return number;
  }

  private totalOf(day: number): DayTotal {
    if (day === this.todayNumber) return this.today;
    this.todayNumber = day;
    this.today = this.days.get(day) ?? { allowed: 0, refused: 0 };
    this.days.set(day, this.today);
    return this.today;
  }
}

/** Postfix's word for a client whose address it does not know; and link-local addresses, good for one interface only. */
function isWithoutAddress(address: string): boolean {
  const zone = address.indexOf('%');
  return address === 'unknown' || (zone > 0 && parseAddress(address.slice(0, zone)) !== null);
}
