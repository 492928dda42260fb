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
    const isStolen = isSpread(networks);
    return joinNetworks(used)
      .map((one) => ({ ...one, marks: [...one.marks, ...ownMarks(one, isStolen)] }))
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

function ownMarks({ parts, messages }: UserNetwork, isStolen: boolean): Mark[] {
  const marks: Mark[] = isStolen ? ['many-networks'] : [];
  if (parts.some(({ verdict }) => verdict.kind === 'refused' && verdict.why === 'blocked')) marks.push('blocked');
  if (messages === 1) marks.push('once');
  return marks;
}

/** Joins adjacent networks of one user into wider ones that cover exactly the same addresses. */
function joinNetworks(all: readonly Finding[]): Finding[] {
  const joined: Finding[] = [];
  const compare = ({ network: a }: Finding, { network: b }: Finding) =>
    a.family - b.family || Buffer.compare(a.bytes, b.bytes);
  for (let last of [...all].sort(compare)) {
    for (;;) {
      const before = joined.at(-1);
      const network = truncate(last.network, last.network.prefix - 1);
      if (before?.network.prefix !== last.network.prefix || !contains(network, before.network)) break;
      joined.pop();
      const marks = [...new Set([...before.marks, ...last.marks])];
      last = { ...userNetwork(last.user, network, [...before.parts, ...last.parts]), network, marks };
    }
    joined.push(last);
  }
  return joined;
}

/** A network of that many users, or of half of all and at least MANY_OF_FEW, is likely a webmail or an office. */
const MANY_USERS = 5;
const MANY_OF_FEW = 3;
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
  return same.length >= Math.min(MANY_USERS, Math.max(MANY_OF_FEW, total.users / 2)) ? ['many-users'] : [];
}

/** One person does not send from this many networks, or providers, within a day. */
const MANY_NETWORKS = 10;
const MANY_PROVIDERS = 5;
/** Addresses that share a prefix of this length count as one provider. */
const PROVIDER = { 4: 16, 6: 32 };

/** Whether the known networks of one user are too many for one person. `first`: when seen, in ms since 1970. */
export function isSpread(networks: readonly Pick<UserNetwork, 'network' | 'first'>[]): boolean {
  const sorted = networks.filter(({ network }) => network !== null).sort((a, b) => a.first - b.first);
  // So it is for most users.
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
