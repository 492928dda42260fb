// Marks the networks that an administrator should review before allowing them.
import { contains, formatNetwork, type Network, parseNetwork, truncate } from '../rules/network';

/**
 * `gateway`: nearly all messages come from this private network; a proxy or a container network likely hides clients.
 * `many-users`: many users send from this network; it is likely webmail or an office.
 * `many-networks`: the user sent from many networks within a day; the password was likely stolen.
 * `blocked`: the user, or the domain, is blocked now.
 * `once`: the network has one message.
 */
export type Mark = 'gateway' | 'many-users' | 'many-networks' | 'blocked' | 'once';

/** The use of a network by all users together. */
export interface Usage {
  readonly network: Network;
  users: number;
  messages: number;
}

/** A network is shared if it has this many users, or half of all users and at least MANY_OF_FEW. */
const MANY_USERS = 5;
const MANY_OF_FEW = 3;
/** A private network is a gateway if it has at least this share of all messages. */
const NEARLY_ALL = 0.8;
/** Not reachable from the Internet (RFC 1918, 3927, 4193, 4291, 6598). */
const PRIVATE =
  '10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.168.0.0/16 ::1/128 fc00::/7 fe80::/10'
    .split(' ')
    .flatMap((text) => parseNetwork(text)?.network ?? []);

/** The mark of a network that users share, or null. `all`: the numbers of all users and messages. */
export function sharedMark({ network, users, messages }: Usage, all: { users: number; messages: number }): Mark | null {
  const isPrivate = PRIVATE.some((range) => contains(range, network));
  if (isPrivate && users > 1 && messages >= all.messages * NEARLY_ALL) return 'gateway';
  return users >= Math.min(MANY_USERS, Math.max(MANY_OF_FEW, Math.ceil(all.users / 2))) ? 'many-users' : null;
}

/** One person does not send from this many networks, or providers, within DAY seconds. */
const DAY = 86_400;
const MANY_NETWORKS = 10;
const MANY_PROVIDERS = 5;
/** Addresses that share a prefix of this length count as one provider. */
const PROVIDER = { 4: 16, 6: 32 };

/** Whether the networks of one user are too many for one person. `at`: when first seen, in seconds since 1970. */
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
