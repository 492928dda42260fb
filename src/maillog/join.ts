// Joins adjacent networks into wider ones that cover exactly the same addresses.
import { byAddress, commonPrefix, type Network, truncate } from '../rules/network';

interface Located {
  readonly network: Network;
}

/** `merge` gets the lower half, the upper half, and the network that both make up. */
export function joinNetworks<T extends Located>(all: readonly T[], merge: (a: T, b: T, network: Network) => T): T[] {
  const joined: T[] = [];
  for (let last of [...all].sort(byAddress)) {
    for (let before = joined.at(-1); before && areHalves(before.network, last.network); before = joined.at(-1)) {
      joined.pop();
      last = merge(before, last, truncate(last.network, last.network.prefix - 1));
    }
    joined.push(last);
  }
  return joined;
}

/** Whether the networks, the lower one first, are the two halves of a network. */
function areHalves(a: Network, b: Network): boolean {
  const isAlike = a.family === b.family && a.prefix === b.prefix;
  return isAlike && commonPrefix(a.bytes, b.bytes) === a.prefix - 1;
}
