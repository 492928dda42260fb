// The result of `learn`: the networks that each user sends from, with marks on those to review.
import { isOneUser } from '../cli/command-text';
import type { Network } from '../rules/network';
import { joinNetworks } from './join';
import { isSpread, type Mark, sharedMark, type Usage } from './marks';
import type { Grant, Tally, UserNetwork } from './tally';

/** The least use of a network that makes it a finding. */
export interface Thresholds {
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
  /** The entry that allows messages from there now, or null. */
  readonly by: Grant | null;
  readonly marks: readonly Mark[];
}

export interface Findings {
  /** Grouped by user, the user with most messages first. */
  readonly all: readonly Finding[];
  readonly users: number;
  /** All messages of these users, those without a known address included. */
  readonly messages: number;
  readonly withoutAddress: number;
  /** Login names that an entry cannot stand for, such as `*`. Their messages are not counted. */
  readonly unfit: readonly string[];
  /** The networks marked `many-users`, most users first, before adjacent networks are joined. */
  readonly usedByMany: readonly (readonly [network: string, users: number])[];
}

export function findingsOf(tally: Tally, least: Thresholds): Findings {
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
      .map((one) => ({
        ...one,
        marks: [shared.get(one.name) ?? [], isBlocked(one) ? ('blocked' as const) : []].flat(),
      }));
    return joinNetworks<Finding>(found, mergeFindings)
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

function mergeFindings(a: Finding, b: Finding, network: Network): Finding {
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

/** The usage of each network, by the network's text. */
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

function isBlocked({ verdict }: UserNetwork): boolean {
  return verdict?.kind === 'refused' && verdict.why === 'blocked';
}
