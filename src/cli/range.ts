// Parses ranges of addresses, merges adjacent ones, and splits a range into the fewest networks.
import { type Family, type Network, parseAddress } from '../rules/network';

/** The addresses from `first` to `last`, inclusive, as numbers. */
export interface Range {
  readonly family: Family;
  readonly first: bigint;
  readonly last: bigint;
}

/** Parses `198.51.100.7 - 198.51.100.20`; null if it is not a range. */
export function parseRange(text: string): Range | null {
  const dash = text.indexOf('-');
  return dash < 0 ? null : rangeBetween(text.slice(0, dash).trim(), text.slice(dash + 1).trim());
}

/** The range between two addresses; null unless both are of one family and in order. */
export function rangeBetween(from: string, to: string): Range | null {
  const first = parseAddress(from);
  const last = parseAddress(to);
  if (first === null || last === null || first.family !== last.family) return null;
  const range = { family: first.family, first: numberOf(first.bytes), last: numberOf(last.bytes) };
  return range.first <= range.last ? range : null;
}

/** The range of the addresses of a network. */
export function rangeOfNetwork({ family, bytes, prefix }: Network): Range {
  const first = numberOf(bytes);
  return { family, first, last: first + (1n << BigInt(bitsOf(family) - prefix)) - 1n };
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
  const inOrder = [...ranges].sort((a, b) => a.family - b.family || Number(a.first - b.first));
  for (const range of inOrder) {
    const before = merged.at(-1);
    if (before === undefined || before.family !== range.family || range.first > before.last + 1n) merged.push(range);
    else if (range.last > before.last) merged[merged.length - 1] = { ...before, last: range.last };
  }
  return merged;
}

/** The fewest networks that make up exactly the range, in order. */
export function networksOf({ family, first, last }: Range): Network[] {
  const bits = bitsOf(family);
  const networks: Network[] = [];
  for (let start = first; start <= last; ) {
    // A network is as wide as the alignment of its first address and the end of the range allow.
    const aligned = start === 0n ? bits : log2(start & -start);
    const width = Math.min(aligned, log2(last - start + 1n));
    networks.push({ family, bytes: bytesOf(start, bits), prefix: bits - width });
    start += 1n << BigInt(width);
  }
  return networks;
}

/** The logarithm to base 2, rounded down. */
function log2(number: bigint): number {
  return number.toString(2).length - 1;
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
