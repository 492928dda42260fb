// Sightings added up by user and network, each decided on the way.
//
// The numbers lie in columns with a place for each user and network, so that a million of those fit into little memory. Addresses are
// remembered only while they come again soon: what is kept for good grows with the networks, not with the messages or the addresses.
import { type Address, parseAddress } from '../rules/address';
import { type Network, truncate } from '../rules/network';
import { foldName } from '../rules/subject';
import { Answers } from './answers';
import { LocalDays } from './local-day';
import type { Numbered } from './numbered';
import { addressAt, userAt } from './packed';
import { type Grant, SeenColumns } from './seen-columns';
import { TextNumbers } from './text-numbers';

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

/** Few enough to stay in the cache. */
const BATCH = 512;

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
  /** What was found out about texts lately, whoever read them. */
  private readonly texts = new TextNumbers();
  private readonly answers = new Answers();
  /** Of a batch. */
  private readonly places = new Int32Array(BATCH);
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
   * Adds the sightings that are in the scope. `answers`: about the texts of their reader. `onUnreadable` is told the line of each whose user
   * name or address cannot be one.
   */
  record(numbered: Numbered, answers: Answers, onUnreadable: (line: number) => void): void {
    this.answerNew(numbered, answers);
    const { places } = this;
    for (let from = 0; from < numbered.sightings; from += BATCH) {
      const size = Math.min(BATCH, numbered.sightings - from);
      for (let i = 0; i < size; i++) places[i] = answers.placeOf(numbered.textsOf(from + i));
      this.seen.fetch(places, size);
      for (let i = 0; i < size; i++) {
        const place = places[i] as number;
        if (place >= 0) {
          const grant = answers.grantOf(numbered.textsOf(from + i));
          this.add(place, grant, numbered.secondsOf(from + i), numbered.timesOf(from + i));
        } else if (place === UNREADABLE) onUnreadable(numbered.lineOf(from + i));
      }
    }
    this.judge.rest();
  }

  private answerNew(numbered: Numbered, answers: Answers): void {
    const { words } = numbered;
    this.texts.makeRoom(words.length);
    let next = numbered.firstNew;
    for (const at of numbered.newTextsAt()) {
      const before = this.texts.size;
      const number = this.texts.numberOf(words, at);
      if (number === before)
        this.answers.set(number, ...this.answerFor(userAt(numbered, at), addressAt(numbered, at)));
      answers.set(next++, this.answers.placeOf(number), this.answers.grantOf(number));
    }
  }

  private add(place: number, grant: number, seconds: number, times: number): void {
    if (seconds < this.scope.since || seconds >= this.scope.until) return;
    const day = this.localDays.of(seconds);
    this.seen.add(place, grant, times, seconds, day);
    const total = this.totalOf(day);
    if (grant > 0) total.allowed += times;
    else total.refused += times;
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
    const place = this.seen.placeOf(person, parsed && this.networkOf(parsed));
    return [place, typeof answer === 'string' ? 0 : this.seen.grantNumber(place, folded, answer)];
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
