// Parses and formats IP addresses.
//
// Parsing is strict, since an ambiguous text could let somebody in: decimal octets without leading zeros, hexadecimal
// groups of at most four digits, no zone, no prefix length, no white space. Anything else is null, never a guess.

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
export function addressBytes(text: string): Uint8Array | null {
  return text.includes(':') ? ipv6Bytes(text) : ipv4Bytes(text);
}

/** Whether 16 bytes lie in ::ffff:0:0/96. */
export function isMapped(bytes: Uint8Array): boolean {
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
  const bytes = groups.map((group) => Number.parseInt(group, 16)).flatMap((group) => [group >> 8, group & 0xff]);
  return Uint8Array.from([...bytes, ...(dotted ?? [])]);
}

/** Formats an address as a dotted quad, or as RFC 5952 prescribes. */
export function formatAddress({ family, bytes }: Address): string {
  if (family === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0));
  // RFC 5952: `::` stands for the first of the longest runs of two or more zero groups.
  let from = 0;
  let longest = 1;
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (groups[start + length] === 0) length++;
    if (length > longest) {
      from = start;
      longest = length;
    }
  }
  const joined = (some: readonly number[]) => some.map((group) => group.toString(16)).join(':');
  if (longest === 1) return joined(groups);
  return `${joined(groups.slice(0, from))}::${joined(groups.slice(from + longest))}`;
}
