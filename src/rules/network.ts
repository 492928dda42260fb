// Parses, formats and compares addresses and networks.
//
// Parsing is strict, since an ambiguous text could let somebody in: decimal octets without leading zeros, hexadecimal
// groups of at most four digits, no zone, no white space in an address. Anything else is null, never a guess.
//
// IPv4 and IPv6 never match each other, at any prefix length: `contains` compares the families first, which ip-cidr
// does not. An IPv4-mapped network (::ffff:10.0.0.0/104) is its IPv4 network (10.0.0.0/8), which ip-cidr gets wrong.
//
// A network in a non-canonical spelling counts only if this parser and ip-cidr agree on it, so that an ambiguous
// spelling grants nothing. ip-cidr is loaded only for that, and only here.
import type IPCIDR from 'ip-cidr';

export type Family = 4 | 6;

/** `bytes`: 4 (IPv4) or 16 (IPv6), network byte order. */
export interface Address {
  readonly family: Family;
  readonly bytes: Uint8Array;
}

/** Parses an address, or returns null. An IPv4-mapped IPv6 address (RFC 4291, 2.5.5.2) becomes its IPv4 address. */
export function parseAddress(text: string): Address | null {
  const bytes = addressBytes(text);
  if (bytes === null) return null;
  if (bytes.length === 4) return { family: 4, bytes };
  return isMapped(bytes) ? { family: 4, bytes: bytes.subarray(12) } : { family: 6, bytes };
}

/** The 4 or 16 bytes of an address, or null. A mapped address keeps its 16 bytes. */
function addressBytes(text: string): Uint8Array | null {
  return text.includes(':') ? ipv6Bytes(text) : ipv4Bytes(text);
}

/** Whether 16 bytes lie in ::ffff:0:0/96. */
function isMapped(bytes: Uint8Array): boolean {
  return bytes.every((byte, i) => i > 11 || byte === (i < 10 ? 0 : 0xff));
}

const OCTET = /^(?:0|[1-9]\d{0,2})$/;

function ipv4Bytes(text: string): Uint8Array | null {
  const octets = text.split('.');
  const isAddress = octets.length === 4 && octets.every((octet) => OCTET.test(octet) && Number(octet) <= 255);
  return isAddress ? Uint8Array.from(octets, Number) : null;
}

const GROUP = /^[0-9a-f]{1,4}$/i;

function ipv6Bytes(text: string): Uint8Array | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const [head = [], tail = []] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const last = tail.length > 0 ? tail : head;
  const dotted = last.at(-1)?.includes('.') ? ipv4Bytes(last.pop() ?? '') : undefined;
  if (dotted === null) return null;
  // The dotted form must be last, so `a.b.c.d::` is not an address.
  if (dotted !== undefined && halves.length === 2 && last === head) return null;
  const missing = (dotted === undefined ? 8 : 6) - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return null;
  const groups = [...head, ...Array<string>(missing).fill('0'), ...tail];
  if (!groups.every((group) => GROUP.test(group))) return null;
  const bytes = new Uint8Array(16);
  groups.forEach((group, i) => {
    const number = Number.parseInt(group, 16);
    bytes[2 * i] = number >> 8;
    bytes[2 * i + 1] = number & 0xff;
  });
  if (dotted !== undefined) bytes.set(dotted, 12);
  return bytes;
}

/** Formats an address as a dotted quad, or as RFC 5952 prescribes. */
export function formatAddress({ family, bytes }: Address): string {
  if (family === 4) return bytes.join('.');
  const groups: string[] = [];
  // The first of the longest runs of zero groups becomes `::`, unless it is a single one.
  let start = 0;
  let length = 1;
  for (let i = 0, run = 0; i < 8; i++) {
    const group = ((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0);
    groups.push(group.toString(16));
    run = group === 0 ? run + 1 : 0;
    if (run > length) [start, length] = [i + 1 - run, run];
  }
  if (length === 1) return groups.join(':');
  return `${groups.slice(0, start).join(':')}::${groups.slice(start + length).join(':')}`;
}

/** The address has no host bits. `prefix`: 0 to 32, or to 128. */
export interface Network extends Address {
  readonly prefix: number;
}

export type ParsedNetwork = { readonly network: Network; readonly hostBits: boolean };

/** A decimal prefix length. Like ip-cidr, parseNetwork accepts leading zeros up to two digits (IPv4) or three (IPv6). */
const PREFIX = /^\d{1,3}$/;

/**
 * Parses a CIDR or an address, ignoring white space around it; null if it is neither. `hostBits`: whether the address
 * was not the first one of the network.
 */
export function parseNetwork(text: string): ParsedNetwork | null {
  const spelled = text.trim();
  const slash = spelled.indexOf('/');
  const bytes = addressBytes(slash < 0 ? spelled : spelled.slice(0, slash));
  if (bytes === null) return null;
  const bits = bytes.length * 8;
  const digits = slash < 0 ? `${bits}` : spelled.slice(slash + 1);
  const prefix = Number(digits);
  if (!PREFIX.test(digits) || digits.length > `${bits}`.length || prefix > bits) return null;
  if (bytes.length === 4) return masked(4, bytes, prefix);
  if (prefix >= 96 && isMapped(bytes)) return masked(4, bytes.subarray(12), prefix - 96);
  return masked(6, bytes, prefix);
}

function masked(family: Family, bytes: Uint8Array, prefix: number): ParsedNetwork {
  const network = truncate({ family, bytes }, prefix);
  return { network, hostBits: commonPrefix(network.bytes, bytes) < bytes.length * 8 };
}

/** The network with this prefix length that contains the address. */
export function truncate({ family, bytes }: Address, prefix: number): Network {
  const kept = new Uint8Array(bytes.length);
  for (let i = 0; 8 * i < prefix; i++) kept[i] = (bytes[i] ?? 0) & (0xff00 >> Math.min(8, prefix - 8 * i));
  return { family, bytes: kept, prefix };
}

/** The text that commands store: dotted quad or RFC 5952, always with the prefix length. */
export function formatNetwork(network: Network): string {
  return `${formatAddress(network)}/${network.prefix}`;
}

export function contains(network: Network, address: Address): boolean {
  return network.family === address.family && commonPrefix(network.bytes, address.bytes) >= network.prefix;
}

/** The number of leading bits that two addresses of one family share. */
export function commonPrefix(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < a.length; i++) {
    const difference = (a[i] ?? 0) ^ (b[i] ?? 0);
    if (difference !== 0) return i * 8 + Math.clz32(difference) - 24;
  }
  return a.length * 8;
}

/** The canonical texts of all networks that contain the address, narrowest first: 33 (IPv4) or 129 (IPv6). */
export function networksAround({ family, bytes }: Address): string[] {
  const kept = Uint8Array.from(bytes);
  let text = formatAddress({ family, bytes: kept });
  const networks = [`${text}/${bytes.length * 8}`];
  for (let prefix = bytes.length * 8 - 1; prefix >= 0; prefix--) {
    const byte = kept[prefix >> 3] ?? 0;
    const bit = 0x80 >> (prefix & 7);
    // Most bits are zero already.
    if ((byte & bit) !== 0) {
      kept[prefix >> 3] = byte ^ bit;
      text = formatAddress({ family, bytes: kept });
    }
    networks.push(`${text}/${prefix}`);
  }
  return networks;
}

/** Whether the text surely means `network`: it is canonical, or ip-cidr parses it to the same. */
export function isCertain(text: string, network: Network): boolean {
  return text === formatNetwork(network) || ipCidrAgrees(text, network);
}

function ipCidrAgrees(text: string, network: Network): boolean {
  const [address = '', prefix = network.prefix] = text.trim().split('/');
  // ip-cidr misparses mapped addresses and dotted tails (::ffff:10.0.0.0, 2001:db8::1.2.3.4): it gets canonical text.
  const misread = address.includes(':') && (network.family === 4 || address.includes('.'));
  // Outside the try: if ip-cidr cannot be loaded, that is trouble (a temporary error), not a refusal.
  const Cidr = ipCidr();
  try {
    // ip-cidr's constructor needs ip-address 9, which has a known bug; package.json overrides it with version 10.
    const read = Cidr.createAddress(misread ? formatNetwork(network) : `${address}/${prefix}`);
    const first = addressBytes(String(read.startAddress().addressMinusSuffix));
    return read.subnetMask === network.prefix && first !== null && Buffer.compare(first, network.bytes) === 0;
  } catch {
    return false;
  }
}

function ipCidr(): typeof IPCIDR {
  const module = require('ip-cidr');
  return module.default ?? module;
}
