// Networks of one user joined where they lie side by side.
import { byAddress, commonPrefix, type Network, truncate } from '../rules/network';
import type { Seen } from './tally';

export type Located = Seen & { readonly network: Network };

/** What was seen in a network, and what it was joined from. */
export type Joined = Located & { readonly parts: readonly Located[] };

/** The networks joined into wider ones that cover no address beyond them. */
export function joinNetworks(seen: readonly Located[]): Joined[] {
  const joined: Joined[] = [];
  for (const one of [...seen].sort(byAddress)) {
    let last: Joined = { ...one, parts: [one] };
    for (let before = joined.at(-1); before && areHalves(before.network, last.network); before = joined.at(-1)) {
      joined.pop();
      last = together(before, last);
    }
    joined.push(last);
  }
  return joined;
}

/** Whether two networks, in order, are all of the next wider one. */
function areHalves(a: Network, b: Network): boolean {
  const isAlike = a.family === b.family && a.prefix === b.prefix;
  return isAlike && commonPrefix(a.bytes, b.bytes) === a.prefix - 1;
}

function together(a: Joined, b: Joined): Joined {
  return {
    network: truncate(a.network, a.network.prefix - 1),
    parts: [...a.parts, ...b.parts],
    messages: a.messages + b.messages,
    refused: a.refused + b.refused,
    by: a.by ?? b.by,
    first: Math.min(a.first, b.first),
    last: Math.max(a.last, b.last),
    lastRefused: Math.max(a.lastRefused, b.lastRefused),
    days: new Set([...a.days, ...b.days]),
  };
}
