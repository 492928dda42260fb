// Networks of one user put together where they lie side by side.
import type { Address } from '../rules/address';
import { byAddress, commonPrefix, type Network, truncate } from '../rules/network';
import { joinDays } from './day-columns';
import type { Seen } from './seen-columns';

/** What was seen in a network, and what it was put together from. */
export interface Joined extends Seen {
  readonly network: Network;
  readonly parts: readonly Located[];
}

/**
 * The networks put together into wider ones of which at most the share `unseen` (0 to below 1) is in none of them. 0: only what covers no
 * address beyond them. All networks of a family must have one prefix length. A network alone is never widened.
 */
export function joinNetworks(seen: readonly Located[], unseen: number): Joined[] {
  const sorted = [...seen].sort(byAddress);
  if (unseen === 0 && !sorted.some(isBesideNext)) return sorted.map(alone);
  return ([4, 6] as const).flatMap((family) => {
    const ofFamily = sorted.filter(({ network }) => network.family === family);
    return ofFamily.length === 0 ? [] : joinRange(ofFamily, unseen);
  });
}

/** Whether the next network is the other half of the one that both are in. Where none is, nothing can be joined without a gap. */
function isBesideNext({ network }: Located, i: number, sorted: readonly Located[]): boolean {
  const next = sorted[i + 1]?.network;
  if (next?.family !== network.family) return false;
  return commonPrefix(network.bytes, next.bytes) === network.prefix - 1;
}

function alone(one: Located): Joined {
  const { network, messages, allowed, by, first, last, days } = one;
  return { network, messages, allowed, by, first, last, days, usage: null, parts: [one] };
}

export type Located = Seen & { readonly network: Network };

function joinRange(sorted: readonly Located[], unseen: number): Joined[] {
  const [first, last] = [sorted[0] as Located, sorted[sorted.length - 1] as Located];
  if (first === last) return [alone(first)];
  const prefix = commonPrefix(first.network.bytes, last.network.bytes);
  const room = 2 ** (first.network.prefix - prefix);
  if (sorted.length >= room * (1 - unseen)) return [together(sorted, truncate(first.network, prefix))];
  const middle = sorted.findIndex(({ network }) => bit(network, prefix) === 1);
  return [...joinRange(sorted.slice(0, middle), unseen), ...joinRange(sorted.slice(middle), unseen)];
}

function together(seen: readonly Located[], network: Network): Joined {
  const sum = (figure: (one: Located) => number) => seen.reduce((total, one) => total + figure(one), 0);
  return {
    network,
    parts: seen,
    messages: sum((one) => one.messages),
    allowed: sum((one) => one.allowed),
    by: seen.find((one) => one.by !== null)?.by ?? null,
    first: Math.min(...seen.map((one) => one.first)),
    last: Math.max(...seen.map((one) => one.last)),
    days: joinDays(seen.map((one) => one.days)),
    usage: null,
  };
}

function bit({ bytes }: Address, position: number): number {
  return ((bytes[position >> 3] ?? 0) >> (7 - (position & 7))) & 1;
}
