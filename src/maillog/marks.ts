// What an administrator should look at twice before a network is allowed.
import { contains, formatNetwork, type Network, parseNetwork, truncate } from '../rules/network';

/** How a network is used by all users together. */
export interface Usage {
  users: number;
  messages: number;
}

/**
 * `gateway`: a private network that nearly everybody seems to send from: a proxy or a container's network in front hides the clients.
 * `many-users`: a network used by many users: likely the webmail, or an office. `many-networks`: a user with many networks in a short
 * time: likely a stolen password. `once`: seen once.
 */
export type Mark = 'gateway' | 'many-users' | 'many-networks' | 'once';

/** So many users make a network shared; half of all users do, too, if they are MANY_OF_FEW. */
const MANY_USERS = 5;
const MANY_OF_FEW = 3;
/** So great a part of the messages makes a private network a gateway. */
const NEARLY_ALL = 0.8;
/** Within DAY, so many networks, or so many of different providers, are more than one person's telephone, home and work. */
const DAY = 86_400;
const MANY_NETWORKS = 10;
const MANY_PROVIDERS = 5;
/** What addresses of one provider, or of one site, have in common. */
const PROVIDER = { 4: 16, 6: 32 };

/** Not reachable from the Internet (RFC 1918, 3927, 4193, 4291, 6598). */
const PRIVATE = [
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '::1/128',
  'fc00::/7',
  'fe80::/10',
].map((text) => (parseNetwork(text) as { network: Network }).network);

/** So many users of a network are many, when there are `people` in all. */
export function manyUsers(people: number): number {
  return Math.min(MANY_USERS, Math.max(MANY_OF_FEW, Math.ceil(people / 2)));
}

/** Whether a network hides the clients. `all`: messages in all. */
export function isGateway(network: Network, { users, messages }: Usage, all: number): boolean {
  return users > 1 && messages >= all * NEARLY_ALL && PRIVATE.some((range) => contains(range, network));
}

/** Whether one user was first seen in so many networks in so short a time. */
export function isSpread(networks: readonly { network: Network; first: number }[]): boolean {
  const sorted = [...networks].sort((a, b) => a.first - b.first);
  return sorted.some((oldest, i) => {
    const ofDay = sorted.slice(i, i + MANY_NETWORKS).filter(({ first }) => first < oldest.first + DAY);
    const providers = new Set(ofDay.map(({ network }) => providerOf(network)));
    return ofDay.length === MANY_NETWORKS || providers.size >= MANY_PROVIDERS;
  });
}

function providerOf(network: Network): string {
  return formatNetwork(truncate(network, Math.min(network.prefix, PROVIDER[network.family])));
}
