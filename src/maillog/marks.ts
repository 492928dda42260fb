// What an administrator should look at twice before a network is allowed.
import { contains, formatNetwork, type Network, parseNetwork, truncate } from '../rules/network';

/**
 * `gateway`: a private network of nearly all messages; a proxy or a container's network likely hides the clients.
 * `many-users`: a network of many users, likely the webmail or an office.
 * `many-networks`: a user in many networks within a day, likely a stolen password.
 * `once`: a network with one message.
 */
export type Mark = 'gateway' | 'many-users' | 'many-networks' | 'once';

/** How all users together use a network. */
export interface Usage {
  readonly network: Network;
  users: number;
  messages: number;
}

/** This many users make a network shared; half of all users do, too, if they are MANY_OF_FEW. */
const MANY_USERS = 5;
const MANY_OF_FEW = 3;
/** This part of all messages makes a private network a gateway. */
const NEARLY_ALL = 0.8;
/** Not reachable from the Internet (RFC 1918, 3927, 4193, 4291, 6598). */
const PRIVATE =
  '10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.168.0.0/16 ::1/128 fc00::/7 fe80::/10'
    .split(' ')
    .flatMap((text) => parseNetwork(text)?.network ?? []);

/** The mark of a network that users share, or null. `all`: users and messages in all. */
export function sharedMark({ network, users, messages }: Usage, all: { users: number; messages: number }): Mark | null {
  const isPrivate = PRIVATE.some((range) => contains(range, network));
  if (isPrivate && users > 1 && messages >= all.messages * NEARLY_ALL) return 'gateway';
  return users >= Math.min(MANY_USERS, Math.max(MANY_OF_FEW, Math.ceil(all.users / 2))) ? 'many-users' : null;
}

/** So many networks, or networks of so many providers, within DAY seconds are more than one person has. */
const DAY = 86_400;
const MANY_NETWORKS = 10;
const MANY_PROVIDERS = 5;
/** What addresses of one provider, or of one site, have in common. */
const PROVIDER = { 4: 16, 6: 32 };

/** Whether one user appeared in so many networks in so short a time. `at`: seconds since 1970. */
export function isSpread(networks: readonly { network: Network; at: number }[]): boolean {
  const sorted = [...networks].sort((a, b) => a.at - b.at);
  return sorted.some((oldest, i) => {
    const ofDay = sorted.slice(i, i + MANY_NETWORKS).filter(({ at }) => at < oldest.at + DAY);
    const providers = new Set(ofDay.map(({ network }) => providerOf(network)));
    return ofDay.length === MANY_NETWORKS || providers.size >= MANY_PROVIDERS;
  });
}

function providerOf(network: Network): string {
  return formatNetwork(truncate(network, Math.min(network.prefix, PROVIDER[network.family])));
}
