// IP addresses as bits: text to bytes, bytes to text.
//
// Strict on purpose, since a text read in two ways could let somebody in: decimal octets without leading zeros, hexadecimal groups
// of at most four digits, no zone, no prefix length, no white space. What is not exactly an address is null, never a guess.
// An IPv4-mapped IPv6 address (RFC 4291, 2.5.5.2), in either spelling, is its IPv4 address.

export type Family = 4 | 6;

/** `bytes`: 4 (IPv4) or 16 (IPv6), network byte order. */
export interface Address {
  readonly family: Family;
  readonly bytes: Uint8Array;
}

/** The address in `text` as Postfix, Dovecot or a person writes it, or null. */
export function parseAddress(text: string): Address | null {
  const bytes = addressBytes(text);
  if (bytes === null) return null;
  if (bytes.length === 4) return { family: 4, bytes };
  return isMapped(bytes) ? { family: 4, bytes: bytes.subarray(12) } : { family: 6, bytes };
}

/** The 4 or 16 bytes that `text` spells, a mapped address still in its 16, or null. */
export function addressBytes(text: string): Uint8Array | null {
  return text.includes(':') ? ipv6Bytes(text) : ipv4Bytes(text);
}

/** Whether 16 bytes lie in ::ffff:0:0/96. */
export function isMapped(bytes: Uint8Array): boolean {
  for (let i = 0; i < 10; i++) if (bytes[i] !== 0) return false;
  return bytes[10] === 0xff && bytes[11] === 0xff;
}

function ipv4Bytes(text: string): Uint8Array | null {
  const bytes = new Uint8Array(4);
  return writeIpv4(text, 0, bytes, 0) ? bytes : null;
}

const DOT = 46;
const COLON = 58;
const ZERO = 48;

function writeIpv4(text: string, from: number, into: Uint8Array, at: number): boolean {
  let octet = -1;
  let written = 0;
  for (let i = from; i <= text.length; i++) {
    const code = i < text.length ? text.charCodeAt(i) : DOT;
    if (code === DOT) {
      if (octet < 0 || written === 4) return false;
      into[at + written++] = octet;
      octet = -1;
    } else {
      const digit = code - ZERO;
      if (digit < 0 || digit > 9 || octet === 0) return false;
      octet = octet < 0 ? digit : octet * 10 + digit;
      if (octet > 255) return false;
    }
  }
  return written === 4;
}

function ipv6Bytes(text: string): Uint8Array | null {
  const bytes = new Uint8Array(16);
  let written = 0;
  let gap = -1;
  let i = 0;
  if (text.charCodeAt(0) === COLON) {
    if (text.charCodeAt(1) !== COLON) return null;
    gap = 0;
    i = 2;
  }
  while (i < text.length) {
    let group = 0;
    let digits = 0;
    const start = i;
    for (; i < text.length; i++) {
      const digit = hexDigit(text.charCodeAt(i));
      if (digit < 0) break;
      group = group * 16 + digit;
      digits++;
    }
    if (i < text.length && text.charCodeAt(i) === DOT) {
      if (written > 12 || !writeIpv4(text, start, bytes, written)) return null;
      written += 4;
      i = text.length;
      break;
    }
    if (digits === 0 || digits > 4 || written > 14) return null;
    bytes[written++] = group >> 8;
    bytes[written++] = group & 0xff;
    if (i === text.length) break;
    if (text.charCodeAt(i++) !== COLON) return null;
    if (text.charCodeAt(i) === COLON) {
      if (gap >= 0) return null;
      gap = written;
      i++;
    } else if (i === text.length) return null;
  }
  if (gap < 0) return written === 16 ? bytes : null;
  if (written > 14) return null;
  bytes.copyWithin(16 - (written - gap), gap, written);
  bytes.fill(0, gap, 16 - (written - gap));
  return bytes;
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  if (code >= 97 && code <= 102) return code - 87;
  if (code >= 65 && code <= 70) return code - 55;
  return -1;
}

/** Dotted quad, or the canonical text of RFC 5952. */
export function formatAddress({ family, bytes }: Address): string {
  if (family === 4) return `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}`;
  let gap = -1;
  let longest = 1;
  for (let from = 0; from < 8; from++) {
    let length = 0;
    while (from + length < 8 && groupAt(bytes, from + length) === 0) length++;
    if (length > longest) {
      longest = length;
      gap = from;
    }
  }
  let text = '';
  for (let i = 0; i < 8; i++) {
    if (i === gap) {
      text += '::';
      i += longest - 1;
    } else {
      if (text !== '' && !text.endsWith(':')) text += ':';
      text += groupAt(bytes, i).toString(16);
    }
  }
  return text;
}

/** The 16-bit group `i` of an IPv6 address. */
function groupAt(bytes: Uint8Array, i: number): number {
  return ((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0);
}
