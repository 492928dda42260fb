// Parses the `network` column of a row: a network, `any`, a set, `inherit` or `none`.

import type { Address } from './address';
import { contains, formatNetwork, isCertain, type Network, networkKey, parseNetwork } from './network';
import type { Table } from './schema';
import { foldName, isComparable } from './subject';

/**
 * `any`: all IPv4 and IPv6 addresses. `inherit`: also what the next wider subject allows. `none`: the user is blocked.
 */
export type Word = 'any' | 'inherit' | 'none';

export type Meaning =
  | { readonly kind: 'network'; readonly network: Network }
  | { readonly kind: 'set'; readonly name: string }
  | { readonly kind: Word };

/**
 * The meaning of a `network` column, or null if it is unreadable and so grants nothing. With `address`, a network that
 * does not contain it is null, too, which saves most calls of ip-cidr.
 */
export function meaningOf(table: Table, network: unknown, address?: Address): Meaning | null {
  const meaning = readMeaning(table, network);
  if (meaning?.kind !== 'network') return meaning;
  if (address !== undefined && !contains(meaning.network, address)) return null;
  return isCertain(String(network).trim(), meaning.network) ? meaning : null;
}

function readMeaning(table: Table, network: unknown): Meaning | null {
  if (typeof network !== 'string') return null;
  const text = network.trim();
  const parsed = parseNetwork(text);
  if (parsed !== null) return { kind: 'network', network: parsed.network };
  const word = text.toLowerCase();
  if (word === 'any') return { kind: word };
  if (table === 'network_set') return null;
  if (word === 'inherit' || word === 'none') return { kind: word };
  const name = foldName(text.slice(1));
  return text.startsWith('@') && isComparable(name) ? { kind: 'set', name } : null;
}

/** The text that commands store. */
export function meaningText(meaning: Meaning): string {
  if (meaning.kind === 'network') return formatNetwork(meaning.network);
  return meaning.kind === 'set' ? `@${meaning.name}` : meaning.kind;
}

/**
 * The `key` column. Sets and words get a zero byte and their text, so they sort before networks (first byte 4 or 6).
 */
export function keyOf(meaning: Meaning): Buffer {
  return meaning.kind === 'network' ? networkKey(meaning.network) : Buffer.from(`\0${meaningText(meaning)}`);
}
