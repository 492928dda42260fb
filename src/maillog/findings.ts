// What `learn` found out: the networks of each user, with what should be looked at twice.
import { isOneUser } from '../cli/command-text';
import type { Network } from '../rules/network';
import { joinNetworks } from './join';
import { isSpread, type Mark, sharedMark, type Usage } from './marks';
import type { Grant, Tally, UserNetwork } from './tally';

/** What a network must have been seen for. */
export interface Least {
  readonly messages: number;
  readonly days: number;
}

export interface Finding {
  readonly user: string;
  readonly network: Network;
  readonly messages: number;
  readonly refused: number;
  /** Days in local time, since 1970. */
  readonly days: ReadonlySet<number>;
  /** Seconds since 1970. */
  readonly first: number;
  readonly last: number;
  /** By what an allowed message is allowed. */
  readonly by: Grant | null;
  readonly marks: readonly Mark[];
}

export interface Findings {
  /** User by user, the one with most messages first. */
  readonly all: readonly Finding[];
  readonly users: number;
  /** Of users that can be the subject of an entry, also from no known address. */
  readonly messages: number;
  readonly withoutAddress: number;
  /** User names that would mean more than one user in the database. Their messages count nowhere. */
  readonly unfit: readonly string[];
  /** The networks of many users before any were joined, the most used first. */
  readonly usedByMany: readonly (readonly [network: string, users: number])[];
}

export function findingsOf(tally: Tally, least: Least): Findings {
  const users = [...tally.users]
    .filter(([user]) => isOneUser(user))
    .map(([user, networks]) => ({ user, networks: [...networks.values()], messages: sum(networks.values()) }))
    .sort((a, b) => b.messages - a.messages || (a.user < b.user ? -1 : 1));
  const messages = sum(users);
  const usage = usageOf(tally);
  const shared = new Map([...usage].map(([name, used]) => [name, sharedMark(used, { users: users.length, messages })]));
  const findingsOfUser = (networks: readonly UserNetwork[]) => {
    const known = networks.flatMap((one) => (one.network === null ? [] : [{ ...one, network: one.network }]));
    const isStolen = isSpread(known.map(({ network, first }) => ({ network, at: first })));
    const found = known
      .filter((one) => one.messages >= least.messages && one.days.size >= least.days)
      .map((one) => ({ ...one, marks: [shared.get(one.name) ?? []].flat() }));
    return joinNetworks<Finding>(found, together)
      .map((one) => ({ ...one, marks: [...one.marks, ...ownMarks(one, isStolen)] }))
      .sort((a, b) => b.messages - a.messages || b.last - a.last);
  };
  return {
    all: users.flatMap(({ networks }) => findingsOfUser(networks)),
    users: users.length,
    messages,
    withoutAddress: sum(users.flatMap(({ networks }) => networks.filter(({ network }) => network === null))),
    unfit: [...tally.users.keys()].filter((user) => !isOneUser(user)).sort(),
    usedByMany: [...usage]
      .filter(([name]) => shared.get(name) === 'many-users')
      .map(([name, used]) => [name, used.users] as const)
      .sort(([a, count], [b, other]) => other - count || (a < b ? -1 : 1)),
  };
}

function ownMarks({ messages }: Finding, isStolen: boolean): Mark[] {
  return [...(messages === 1 ? (['once'] as const) : []), ...(isStolen ? (['many-networks'] as const) : [])];
}

function together(a: Finding, b: Finding, network: Network): Finding {
  return {
    user: a.user,
    network,
    messages: a.messages + b.messages,
    refused: a.refused + b.refused,
    days: new Set([...a.days, ...b.days]),
    first: Math.min(a.first, b.first),
    last: Math.max(a.last, b.last),
    by: a.by ?? b.by,
    marks: [...new Set([...a.marks, ...b.marks])],
  };
}

/** By the network's text. */
function usageOf({ users }: Tally): Map<string, Usage> {
  const usage = new Map<string, Usage>();
  for (const { name, network, messages } of [...users.values()].flatMap((networks) => [...networks.values()])) {
    if (network === null) continue;
    const used = usage.get(name) ?? { network, users: 0, messages: 0 };
    usage.set(name, { network, users: used.users + 1, messages: used.messages + messages });
  }
  return usage;
}

function sum(all: Iterable<{ readonly messages: number }>): number {
  return [...all].reduce((total, { messages }) => total + messages, 0);
}
