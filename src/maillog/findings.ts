// The result of `learn`: the networks that each user sends from, with marks on those to review.
import { isOneUser } from '../cli/command-text';
import { contains, formatNetwork, type Network, truncate } from '../rules/network';
import { count, DAY, groupBy, type UserNetwork, userNetwork } from './tally';

/** `about` in commands/learn.ts explains the marks. */
export type Mark = 'gateway' | 'many-users' | 'many-networks' | 'blocked' | 'once';

export interface Finding extends UserNetwork {
  readonly network: Network;
  readonly marks: readonly Mark[];
}

export type Findings = ReturnType<typeof findingsOf>;

/** `minimum`: a network with less use is not a finding. */
export function findingsOf(tallied: readonly UserNetwork[], minimum: { messages: number; days: number }) {
  const byUser = groupBy(tallied, ({ user }) => user);
  const users = byUser
    .filter(([{ user }]) => isOneUser(user))
    .map((networks) => ({ networks, messages: count(networks) }));
  const countable = users.flatMap(({ networks }) => networks);
  const total = { users: users.length, messages: count(countable) };
  const marksByName = new Map<string, Mark[]>();
  for (const same of groupBy(countable, ({ name }) => name)) marksByName.set(same[0].name, sharedMarks(same, total));
  const findingsOfUser = (networks: readonly UserNetwork[]) => {
    const used = networks.flatMap((one): Finding[] => {
      const { network, messages, days, name } = one;
      if (network === null || messages < minimum.messages || days.size < minimum.days) return [];
      return [{ ...one, network, marks: marksByName.get(name) ?? [] }];
    });
    const isMany = hasManyNetworks(networks);
    return joinNetworks(used)
      .map((one) => ({ ...one, marks: [...one.marks, ...ownMarks(one, isMany)] }))
      .sort((a, b) => b.messages - a.messages || b.last - a.last);
  };
  return {
    /** Grouped by user, the user with most messages first. */
    all: users.sort((a, b) => b.messages - a.messages).flatMap(({ networks }) => findingsOfUser(networks)),
    ...total,
    withoutAddress: count(countable.filter(({ network }) => network === null)),
    /** Login names that an entry cannot stand for, such as `*`. Their messages are not counted. */
    unfit: byUser.flatMap(([{ user }]) => (isOneUser(user) ? [] : user)),
  };
}

/** `isMany`: whether the user has many networks. */
function ownMarks({ parts, messages }: UserNetwork, isMany: boolean): Mark[] {
  const marks: Mark[] = isMany ? ['many-networks'] : [];
  if (parts.some(({ verdict }) => verdict.kind === 'refused' && verdict.why === 'blocked')) marks.push('blocked');
  if (messages === 1) marks.push('once');
  return marks;
}

/** Joins adjacent networks of one user into wider ones that cover exactly the same addresses. */
function joinNetworks(all: readonly Finding[]): Finding[] {
  const joined: Finding[] = [];
  const compare = ({ network: a }: Finding, { network: b }: Finding) =>
    a.family - b.family || Buffer.compare(a.bytes, b.bytes);
  for (let current of [...all].sort(compare)) {
    // While the one before is the other half of the next wider network, that network replaces both.
    for (;;) {
      const before = joined.at(-1);
      const wider = truncate(current.network, current.network.prefix - 1);
      if (before?.network.prefix !== current.network.prefix || !contains(wider, before.network)) break;
      joined.pop();
      const marks = [...new Set([...before.marks, ...current.marks])];
      current = { ...userNetwork(current.user, wider, [...before.parts, ...current.parts]), network: wider, marks };
    }
    joined.push(current);
  }
  return joined;
}

/** A network of this many users is likely a webmail server or an office. */
const MANY_USERS = 5;
/** Where few users send mail, half of all users is many, but not fewer than this. */
const LEAST_MANY_USERS = 3;
/** A private network with at least this share of all messages is likely a proxy, which hides the clients. */
const NEARLY_ALL = 0.8;
/** Networks that are not reachable from the Internet (RFC 1918, 3927, 4193, 4291, 6598). */
const PRIVATE =
  /^(?:(?:10|127|169\.254|192\.168|172\.(?:1[6-9]|2\d|3[01])|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\.|::1?\/|f(?:[cd]..|e[89ab].):)/;

/** The marks of a network that several users share. `total`: the numbers of all users and messages. */
function sharedMarks(
  same: readonly [UserNetwork, ...UserNetwork[]],
  total: { readonly users: number; readonly messages: number },
): Mark[] {
  const isGateway = same.length > 1 && count(same) >= total.messages * NEARLY_ALL && PRIVATE.test(same[0].name);
  if (isGateway) return ['gateway'];
  return same.length >= Math.min(MANY_USERS, Math.max(LEAST_MANY_USERS, total.users / 2)) ? ['many-users'] : [];
}

/** One person does not send from this many networks, or providers, within a day. */
const MANY_NETWORKS = 10;
const MANY_PROVIDERS = 5;
/** Addresses that share a prefix of this length count as one provider. */
const PROVIDER = { 4: 16, 6: 32 };

/**
 * Whether one user has more networks, or providers, within a day than one person uses. `first`: when the network was
 * first seen, in ms since 1970.
 */
export function hasManyNetworks(networks: readonly Pick<UserNetwork, 'network' | 'first'>[]): boolean {
  const sorted = networks.filter(({ network }) => network !== null).sort((a, b) => a.first - b.first);
  // Most users have few networks, and a log may have many users.
  if (sorted.length < MANY_PROVIDERS) return false;
  return sorted.some((oldest, i) => {
    const ofDay = sorted.slice(i, i + MANY_NETWORKS).filter(({ first }) => first < oldest.first + DAY);
    const providers = new Set(ofDay.map(({ network }) => network && providerOf(network)));
    return ofDay.length === MANY_NETWORKS || providers.size >= MANY_PROVIDERS;
  });
}

function providerOf(network: Network): string {
  return formatNetwork(truncate(network, Math.min(network.prefix, PROVIDER[network.family])));
}
