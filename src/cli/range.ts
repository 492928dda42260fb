// Parses ranges of addresses, merges adjacent ones, and splits a range into the fewest networks.
import { type Family, type Network, parseAddress, parseNetwork } from '../rules/network';

/** The addresses from `first` to `last`, inclusive, as numbers. */
export interface Range {
  readonly family: Family;
  readonly first: bigint;
  readonly last: bigint;
}

/** Parses `198.51.100.7 - 198.51.100.20`; null if it is not a range. */
export function parseRange(text: string): Range | null {
  const [from = '', to = '', more] = text.split('-').map((end) => end.trim());
  return more === undefined ? rangeBetween(from, to) : null;
}

/** The range between two addresses; null unless both are of one family and in order. */
export function rangeBetween(from: string, to: string): Range | null {
  const first = parseAddress(from);
  const last = parseAddress(to);
  if (first === null || last === null || first.family !== last.family) return null;
  const range = { family: first.family, first: numberOf(first.bytes), last: numberOf(last.bytes) };
  return range.first <= range.last ? range : null;
}

/** The range of a network or an address, ignoring host bits; null if it is neither. */
export function rangeOfNetwork(text: string): Range | null {
  const network = parseNetwork(text)?.network;
  if (network === undefined) return null;
  const first = numberOf(network.bytes);
  return {
    family: network.family,
    first,
    last: first + (1n << BigInt(bitsOf(network.family) - network.prefix)) - 1n,
  };
}

/** The range of `count` addresses that starts at an address, or null. */
export function rangeFrom(from: string, count: bigint): Range | null {
  const first = parseAddress(from);
  if (first === null || count < 1n) return null;
  const start = numberOf(first.bytes);
  const last = start + count - 1n;
  return last < 1n << BigInt(bitsOf(first.family)) ? { family: first.family, first: start, last } : null;
}

/** The same addresses in the fewest ranges, in order. */
export function mergeRanges(ranges: readonly Range[]): Range[] {
  const merged: Range[] = [];
  for (const range of [...ranges].sort(byStart)) {
    const before = merged.at(-1);
    if (before === undefined || before.family !== range.family || range.first > before.last + 1n) merged.push(range);
    else if (range.last > before.last) merged[merged.length - 1] = { ...before, last: range.last };
  }
  return merged;
}

function byStart(a: Range, b: Range): number {
  if (a.family !== b.family) return a.family - b.family;
  if (a.first === b.first) return 0;
  return a.first < b.first ? -1 : 1;
}

/** The fewest networks that make up exactly the range, in order. */
export function networksOf({ family, first, last }: Range): Network[] {
  const bits = bitsOf(family);
  const networks: Network[] = [];
  for (let start = first; start <= last; ) {
    let size = 1n;
    let prefix = bits;
    // Widen the network as far as the alignment of its first address and the end of the range allow.
    while (prefix > 0 && (start & (size * 2n - 1n)) === 0n && start + size * 2n - 1n <= last) {
      size *= 2n;
      prefix--;
    }
    networks.push({ family, bytes: bytesOf(start, bits), prefix });
    start += size;
  }
  return networks;
}

function bitsOf(family: Family): 32 | 128 {
  return family === 4 ? 32 : 128;
}

function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
}

function bytesOf(number: bigint, bits: number): Uint8Array {
  return Uint8Array.from(Buffer.from(number.toString(16).padStart(bits / 4, '0'), 'hex'));
}
