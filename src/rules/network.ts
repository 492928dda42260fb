// Networks: text to bits, canonical text, and whether an address lies inside. The only importer of ip-cidr.
//
// IPv4 and IPv6 never match each other, at any prefix length: `contains` compares the families before anything else, which ip-cidr
// does not. An IPv4-mapped network (::ffff:10.0.0.0/104) is its IPv4 network (10.0.0.0/8), which ip-cidr gets wrong.
// A network in an uncommon spelling counts only when two readers agree on it, this one and ip-cidr: a spelling that can be read in
// two ways grants nothing. ip-cidr is loaded for that alone; the canonical spelling, which all commands store, does not need it.
import type IPCIDR from 'ip-cidr';
import { type Address, addressBytes, type Family, formatAddress, isMapped } from './address';

/** `bytes`: 4 or 16, host bits zero. `prefix`: 0 to 32, or to 128. */
export interface Network {
  readonly family: Family;
  readonly bytes: Uint8Array;
  readonly prefix: number;
}

/** Where a network is written, `any` stands for every IPv4 and every IPv6 address. */
export const ANY = 'any';

export type Parsed = { readonly network: Network; readonly hostBits: boolean };

/**
 * The network that `text` spells: a CIDR or a bare address, white space around it left aside. `hostBits` tells that the address
 * was not the first of the network. Null when it is none.
 */
export function parseNetwork(text: string): Parsed | null {
  const spelled = text.trim();
  const slash = spelled.indexOf('/');
  const bytes = addressBytes(slash < 0 ? spelled : spelled.slice(0, slash));
  if (bytes === null) return null;
  let prefix = bytes.length * 8;
  if (slash >= 0) {
    const digits = spelled.slice(slash + 1);
    const length = decimal(digits);
    if (length < 0 || length > prefix || digits.length > `${prefix}`.length) return null;
    prefix = length;
  }
  if (bytes.length === 4) return masked(4, bytes, prefix);
  if (prefix >= 96 && isMapped(bytes)) return masked(4, bytes.subarray(12), prefix - 96);
  return masked(6, bytes, prefix);
}

/** Decimal digits, leading zeros too, or -1. */
function decimal(digits: string): number {
  let number = digits === '' ? -1 : 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = digits.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return -1;
    number = number * 10 + digit;
  }
  return number;
}

function masked(family: Family, bytes: Uint8Array, prefix: number): Parsed {
  const network = truncate({ family, bytes }, prefix);
  return { network, hostBits: network.bytes.some((byte, i) => byte !== bytes[i]) };
}

/** The network of `prefix` bits that the address lies in. */
export function truncate({ family, bytes }: Address, prefix: number): Network {
  const kept = bytes.slice();
  clearHostBits(kept, prefix);
  return { family, bytes: kept, prefix };
}

/** Makes all bits of an address after the first `prefix` zero; it stands in the bytes from `at` up to `end`. */
export function clearHostBits(bytes: Uint8Array, prefix: number, at = 0, end = bytes.length): void {
  const first = at + (prefix >> 3);
  if (first >= end) return;
  bytes[first] = (bytes[first] ?? 0) & (0xff00 >> (prefix & 7));
  bytes.fill(0, first + 1, end);
}

/** As all commands store it: dotted quad or RFC 5952, always with the prefix length. */
export function formatNetwork(network: Network): string {
  return `${formatAddress(network)}/${network.prefix}`;
}

export function contains(network: Network, address: Address): boolean {
  return network.family === address.family && commonPrefix(network.bytes, address.bytes) >= network.prefix;
}

/** The order of addresses, IPv4 before IPv6. */
export function byAddress(
  { network: a }: { network: Address },
  { network: b }: { network: Address },
): number {
  return a.family - b.family || Buffer.compare(a.bytes, b.bytes);
}

/** How many leading bits two addresses of one family share; the first begins at byte `at`. */
export function commonPrefix(a: Uint8Array, b: Uint8Array, at = 0): number {
  for (let i = 0; i < b.length; i++) {
    const differs = (a[at + i] ?? 0) ^ (b[i] ?? 0);
    if (differs !== 0) return i * 8 + Math.clz32(differs) - 24;
  }
  return b.length * 8;
}

/** Whether the text of a row may be relied on to mean `network`: it is spelled canonically, or ip-cidr reads the same. */
export function isCertain(text: string, network: Network): boolean {
  const canonical = formatNetwork(network);
  if (text === canonical) return true;
  const bare = network.prefix === network.bytes.length * 8 && text === formatAddress(network);
  return bare || ipCidrReads(text, network);
}

function ipCidrReads(text: string, network: Network): boolean {
  const [address = '', prefix] = text.trim().split('/');
  // ip-cidr misreads mapped addresses and dotted tails (::ffff:10.0.0.0, 2001:db8::1.2.3.4): it gets the canonical text of those.
  const misread = address.includes(':') && (network.family === 4 || address.includes('.'));
  const cidr = misread ? formatNetwork(network) : `${address}/${prefix ?? network.prefix}`;
  // Loaded outside the try: a program without its ip-cidr is in trouble, it must not refuse for good.
  const Cidr = ipCidr();
  const range = rangeOf(Cidr, cidr);
  if (range === null) return false;
  const [first = '', final = ''] = range;
  const last = network.bytes.map(
    (byte, i) => byte | (0xff >> Math.min(8, Math.max(0, network.prefix - 8 * i))),
  );
  return same(addressBytes(first), network.bytes) && same(addressBytes(final), last);
}

/**
 * The first and the last address, or null when ip-cidr cannot read the text, for which it throws. Its constructor cannot be used with the
 * version of ip-address that is free of known faults (package.json, overrides).
 */
function rangeOf(Cidr: typeof IPCIDR, cidr: string): string[] | null {
  try {
    const address = Cidr.createAddress(cidr);
    return [address.startAddress(), address.endAddress()].map((end) => String(end.addressMinusSuffix));
  } catch {
    return null;
  }
}

function same(a: Uint8Array | null, b: Uint8Array): boolean {
  return a !== null && a.length === b.length && a.every((byte, i) => byte === b[i]);
}

let loaded: typeof IPCIDR | null = null;
function ipCidr(): typeof IPCIDR {
  if (loaded === null) {
    const module = require('ip-cidr');
    loaded = (module.default ?? module) as typeof IPCIDR;
  }
  return loaded;
}
