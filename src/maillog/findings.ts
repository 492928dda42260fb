// What `learn` found out: for each user the networks, the most used first, with what should be looked at twice.
import { formatNetwork, type Network } from '../rules/network';
import { type Joined, joinNetworks, type Located } from './join';
import type { Grant } from './judge';
import { isGateway, isSpread, type Mark, manyUsers, type Usage } from './marks';
import type { Seen, Tally } from './tally';

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

export interface Findings {
  /** User by user, who sent most first. */
  readonly all: readonly Finding[];
  readonly users: number;
  /** Of users that can be the subject of an entry, those from no known address among them. */
  readonly messages: number;
  readonly withoutAddress: number;
  /** User names that would mean more than one user in the database: their messages count nowhere. */
  readonly unfit: readonly string[];
  /** The networks of many users before any were joined, the most used first. */
  readonly usedByMany: readonly (readonly [network: string, users: number])[];
}

/** `isSubject`: whether a name can be the subject of an entry, for one user alone. */
export function findingsOf(tally: Tally, least: Least, isSubject: (user: string) => boolean): Findings {
  const people = [...tally.people].map(([user, places]) => {
    const seen = [...places.values()];
    return { user, seen, messages: sum(seen) };
  });
  const fit = people
    .filter(({ user }) => isSubject(user))
    .sort((a, b) => b.messages - a.messages || (a.user < b.user ? -1 : 1));
  const unfit = people.map(({ user }) => user).filter((user) => !isSubject(user));
  const messages = sum(fit);

  const usage = usageOf(people.flatMap(({ seen }) => seen).filter(isLocated));
  const many = manyUsers(fit.length);
  const markOf = (network: Network): Mark | null => {
    const used = usage.get(formatNetwork(network));
    if (used === undefined || used.users < 2) return null;
    if (isGateway(network, used, messages)) return 'gateway';
    return used.users >= many ? 'many-users' : null;
  };
  const findingOf = (user: string, isStolen: boolean, joined: Joined): Finding => ({
    user,
    network: formatNetwork(joined.network),
    messages: joined.messages,
    days: joined.days.size,
    first: joined.first,
    last: joined.last,
    allowed: joined.refused === 0 ? 'all' : joined.refused < joined.messages ? 'some' : 'none',
    by: joined.by,
    marks: [
      ...new Set(joined.parts.flatMap(({ network }) => markOf(network) ?? [])),
      ...(joined.messages === 1 ? (['once'] as const) : []),
      ...(isStolen ? (['many-networks'] as const) : []),
    ],
  });

  const all = fit.flatMap(({ user, seen }) => {
    const located = seen.filter(isLocated);
    const isStolen = isSpread(located);
    return joinNetworks(located.filter((one) => one.messages >= least.messages && one.days.size >= least.days))
      .map((joined) => findingOf(user, isStolen, joined))
      .sort((a, b) => b.messages - a.messages || b.last - a.last || (a.network < b.network ? -1 : 1));
  });
  const usedByMany = [...tally.people.values()]
    .flatMap((places) => [...places.values()].filter(isLocated))
    .filter(({ network }) => markOf(network) === 'many-users')
    .map(({ network }) => formatNetwork(network));
  return {
    all,
    users: fit.length,
    messages,
    withoutAddress: sum(fit.flatMap(({ seen }) => seen.filter(({ network }) => network === null))),
    unfit: unfit.sort(),
    usedByMany: [...new Set(usedByMany)]
      .map((network) => [network, usage.get(network)?.users ?? 0] as const)
      .sort(([a, times], [b, others]) => others - times || (a < b ? -1 : 1)),
  };
}

function usageOf(seen: readonly Located[]): Map<string, Usage> {
  const usage = new Map<string, Usage>();
  for (const { network, messages } of seen) {
    const key = formatNetwork(network);
    const used = usage.get(key) ?? { users: 0, messages: 0 };
    usage.set(key, { users: used.users + 1, messages: used.messages + messages });
  }
  return usage;
}

function sum(all: readonly { readonly messages: number }[]): number {
  return all.reduce((total, { messages }) => total + messages, 0);
}

function isLocated(seen: Seen): seen is Located {
  return seen.network !== null;
}
