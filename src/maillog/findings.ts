// What `learn` found out: for each user the networks, the most used first, with what should be looked at twice.
import { formatNetwork, type Network } from '../rules/network';
import { countDays } from './day-columns';
import { type Joined, joinNetworks, type Located } from './join';
import { isGateway, isSpread, type Mark, manyUsers } from './marks';
import type { Grant, Seen, Usage } from './seen-columns';
import type { Tally } from './tally';

/** What a network must have been seen for. */
export interface Least {
  readonly messages: number;
  readonly days: number;
}

export interface Finding {
  readonly user: string;
  /** Canonical text. */
  readonly network: string;
  readonly messages: number;
  readonly days: number;
  /** Seconds since 1970. */
  readonly first: number;
  readonly last: number;
  /** Whether all, some or none of the messages would be allowed now, and by what. */
  readonly allowed: 'all' | 'some' | 'none';
  readonly by: Grant | null;
  readonly marks: readonly Mark[];
}

const NO_MARKS: readonly Mark[] = [];

export class Findings {
  /** Messages of the users that may be a subject, those from no known address among them. */
  readonly messages: number;
  readonly withoutAddress: number;
  /** User names that would mean more than one user in the database: their messages count nowhere. */
  readonly unfit: readonly string[];
  /** The networks of more than one user, before any were joined. */
  private readonly shared: readonly { network: Network; usage: Usage }[];
  private readonly manyUsers: number;
  /** Numbers of the tally, who sent most first. */
  private readonly people: readonly number[];

  /** `unseen`: see joinNetworks. `isSubject`: whether a name can be the subject of an entry, for one user alone. */
  constructor(
    private readonly tally: Tally,
    private readonly least: Least,
    private readonly unseen: number,
    isSubject: (user: string) => boolean,
  ) {
    const { people, seen } = tally;
    const counts = people.map((_, person) => seen.messagesOf(person));
    const totals = counts.map(({ all }) => all);
    const withMail = [...people.keys()].filter((person) => (totals[person] ?? 0) > 0);
    const nameOf = (person: number) => people[person] ?? '';
    this.people = withMail
      .filter((person) => isSubject(nameOf(person)))
      .sort((a, b) => (totals[b] ?? 0) - (totals[a] ?? 0) || (nameOf(a) < nameOf(b) ? -1 : 1));
    this.unfit = withMail
      .map(nameOf)
      .filter((name) => !isSubject(name))
      .sort();
    this.messages = this.people.reduce((all, person) => all + (totals[person] ?? 0), 0);
    this.withoutAddress = this.people.reduce((all, person) => all + (counts[person]?.withoutNetwork ?? 0), 0);
    this.shared = seen.findShared();
    this.manyUsers = manyUsers(this.people.length);
  }

  get users(): number {
    return this.people.length;
  }

  /** The networks of many users, before any were joined, and how many those are; the most first. */
  usedByMany(): (readonly [network: string, users: number])[] {
    return this.shared
      .filter(({ network, usage }) => this.markOf(network, usage) === 'many-users')
      .map(({ network, usage }) => [formatNetwork(network), usage.users] as const);
  }

  /** User by user. Worked out each time: to keep them would take more memory, and so more time, than to do it twice. */
  *all(): Iterable<Finding> {
    for (const person of this.people) yield* this.of(person);
  }

  private of(person: number): Finding[] {
    const { messages, days } = this.least;
    const user = this.tally.people[person] ?? '';
    const seen = this.tally.seen.of(person, user).filter(isLocated);
    const spread = isSpread(seen);
    const isEnough = (one: Located) => one.messages >= messages && (days <= 1 || countDays(one.days) >= days);
    const enough = messages <= 1 && days <= 1 ? seen : seen.filter(isEnough);
    return joinNetworks(enough, this.unseen)
      .map((joined) => ({
        user,
        network: formatNetwork(joined.network),
        messages: joined.messages,
        days: countDays(joined.days),
        first: joined.first,
        last: joined.last,
        allowed: allowedOf(joined),
        by: joined.by,
        marks: this.marksOf(joined, spread),
      }))
      .sort((a, b) => b.messages - a.messages || b.last - a.last || (a.network < b.network ? -1 : 1));
  }

  private marksOf({ parts, messages }: Joined, spread: boolean): readonly Mark[] {
    const marks: Mark[] = [];
    for (const { network, usage } of parts) {
      const mark = usage && this.markOf(network, usage);
      if (mark && !marks.includes(mark)) marks.push(mark);
    }
    if (messages === 1) marks.push('once');
    if (spread) marks.push('many-networks');
    return marks.length === 0 ? NO_MARKS : marks;
  }

  private markOf(network: Network, usage: Usage): Mark | null {
    if (isGateway(network, usage, this.messages)) return 'gateway';
    return usage.users >= this.manyUsers ? 'many-users' : null;
  }
}

function isLocated(seen: Seen): seen is Located {
  return seen.network !== null && seen.messages > 0;
}

function allowedOf({ allowed, messages }: Seen): Finding['allowed'] {
  if (allowed === 0) return 'none';
  return allowed === messages ? 'all' : 'some';
}
