// The binary key of a network, by which the networks of a database are ordered: family, address, prefix length. So those that contain an
// address come before it, the wider before the narrower.
import type { Address, Family } from './address';
import { clearHostBits, commonPrefix, type Network } from './network';

/** The longest prefix, in bits. */
export const LONGEST: Record<Family, number> = { 4: 32, 6: 128 };

export function networkKey({ family, bytes, prefix }: Network): Buffer {
  const key = Buffer.allocUnsafe(bytes.length + 2);
  key[0] = family;
  key.set(bytes, 1);
  key[bytes.length + 1] = prefix;
  return key;
}

/** The network that a key stands for, whose prefix length is known. */
export function networkOfKey(key: Uint8Array, family: Family, prefix: number): Network {
  return { family, bytes: key.subarray(1, -1), prefix };
}

/** The prefix length of the network that a key stands for, or -1 when that is none of the family. */
export function prefixOfKey(key: Uint8Array, family: Family): number {
  const prefix = key[key.length - 1] ?? 0;
  return key[0] === family && key.length === LONGEST[family] / 8 + 2 && prefix <= LONGEST[family]
    ? prefix
    : -1;
}

/** How many leading bits the network of a key shares with an address of its family. */
export function sharedWithKey(key: Uint8Array, { bytes }: Address): number {
  return commonPrefix(key, bytes, 1);
}

/** The least key above the keys of all networks that contain the address. */
export function keyAbove({ family, bytes }: Address): Buffer {
  return networkKey({ family, bytes, prefix: LONGEST[family] + 1 });
}

/** Makes a key that `keyAbove` returned the least one above the networks that contain the address and have `prefix` bits at the most. */
export function lowerKey(key: Buffer, prefix: number): void {
  const last = key.length - 1;
  clearHostBits(key, prefix, 1, last);
  key[last] = prefix + 1;
}
