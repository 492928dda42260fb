// What stands in the `network` column of a row: a network, `any`, a set, or one of the words `inherit` and `none`.

import type { Address } from './address';
import { contains, formatNetwork, isCertain, type Network, networkKey, parseNetwork } from './network';
import type { Table } from './schema';
import { foldName, isComparable } from './subject';

/** `any`: every IPv4 and every IPv6 address. `inherit`: what the next wider subject allows, too. `none`: the user is blocked. */
export type Word = 'any' | 'inherit' | 'none';

export type Meaning =
  | { readonly kind: 'network'; readonly network: Network }
  | { readonly kind: 'set'; readonly name: string }
  | { readonly kind: Word };

/**
 * The meaning of what stands in a `network` column, or null when it cannot be read and so grants nothing. With an address, a network that
 * does not contain it is null, too: ip-cidr is then asked about few of many rows.
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

/** As all commands store it. */
export function meaningText(meaning: Meaning): string {
  if (meaning.kind === 'network') return formatNetwork(meaning.network);
  return meaning.kind === 'set' ? `@${meaning.name}` : meaning.kind;
}

/** The `key` column: what is not one network has a zero byte and its text, and so comes before all networks, which begin with 4 or 6. */
export function keyOf(meaning: Meaning): Buffer {
  return meaning.kind === 'network' ? networkKey(meaning.network) : Buffer.from(`\0${meaningText(meaning)}`);
}
