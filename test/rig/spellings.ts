// IP addresses and networks for tests, in every spelling a person may use: made from bits, so that their meaning is known without
// reading them.
//
// For the oracles of the tests: nothing of src/ is used here.
import { oneOf, type Pick } from './random';

/** `bytes`: 4 or 16. */
export interface Bits {
  readonly family: 4 | 6;
  readonly bytes: readonly number[];
}

export interface Block extends Bits {
  readonly prefix: number;
}

/** The words of a table of texts without spaces. */
export function words(text: string): string[] {
  return text.split(/\s+/);
}

/** The one spelling that nobody reads in two ways: dotted quad, or eight groups. */
export function plainText({ family, bytes }: Bits): string {
  return family === 4 ? bytes.join('.') : groupsOf(bytes).join(':');
}

export function randomBits(pick: Pick, family: 4 | 6 = pick(2) === 0 ? 4 : 6): Bits {
  // Few different bytes, so that addresses are near each other and have runs of zeros.
  const bytes = Array.from({ length: family === 4 ? 4 : 16 }, () => (pick(3) > 0 ? oneOf(pick, BYTES) : pick(256)));
  if (family === 6 && pick(2) === 0) bytes.fill(0, 2 * pick(4), 8 + 2 * pick(5));
  return isMapped(bytes) ? { family: 4, bytes: bytes.slice(12) } : { family, bytes };
}

const BYTES = [0, 0, 0, 1, 10, 127, 128, 192, 254, 255];

/** The address, or one that shares a number of leading bits with it. */
export function near(address: Bits, pick: Pick): Bits {
  const bytes = [...address.bytes];
  const bit = pick(bytes.length * 8 + 1);
  for (let i = bit; i < bytes.length * 8; i++) {
    if (i === bit || pick(2) === 0) bytes[i >> 3] = (bytes[i >> 3] ?? 0) ^ (0x80 >> (i & 7));
  }
  return isMapped(bytes) ? address : { family: address.family, bytes };
}

/** Any spelling of an address that has no other meaning. An IPv4 address comes as mapped IPv6 too. */
export function spellAddress(address: Bits, pick: Pick): string {
  return spell(address, address.family === 4 && pick(3) === 0, pick);
}

/** Any spelling of the block, with host bits or none, as CIDR or (one address) bare. */
export function spellBlock(block: Block, pick: Pick): string {
  const mapped = block.family === 4 && pick(4) === 0;
  const address = spell(pick(2) === 0 ? withHostBits(block, pick) : masked(block), mapped, pick);
  const prefix = `${mapped ? block.prefix + 96 : block.prefix}`;
  const digits = mapped || block.family === 6 ? 3 : 2;
  const length = pick(8) === 0 ? prefix.padStart(1 + pick(digits), '0') : prefix;
  const text = block.prefix === block.bytes.length * 8 && pick(2) === 0 ? address : `${address}/${length}`;
  return `${oneOf(pick, SPACE)}${text}${oneOf(pick, SPACE)}`;
}

const SPACE = ['', '', '', '', '', ' ', '\t', '\n', ' \r\n'];

function spell(address: Bits, mapped: boolean, pick: Pick): string {
  if (mapped) return spellIpv6([...Array(10).fill(0), 255, 255, ...address.bytes], pick);
  return address.family === 4 ? plainText(address) : spellIpv6(address.bytes, pick);
}

function spellIpv6(bytes: readonly number[], pick: Pick): string {
  const parts = groupsOf(bytes).map((group) => {
    const padded = pick(4) === 0 ? group.padStart(1 + pick(4), '0') : group;
    return pick(4) === 0 ? padded.toUpperCase() : padded;
  });
  const dotted = pick(4) === 0;
  if (dotted) parts.splice(6, 2, bytes.slice(12).join('.'));
  if (pick(8) === 0) return parts.join(':');
  // A gap for some run of zero groups, not always the longest.
  const zeros = parts.map((part) => /^0+$/.test(part));
  const starts = zeros.flatMap((zero, i) => (zero ? [i] : []));
  if (starts.length === 0) return parts.join(':');
  const from = oneOf(pick, starts);
  let to = from;
  while (zeros[to] && (to === from || pick(8) > 0)) to++;
  return `${parts.slice(0, from).join(':')}::${parts.slice(to).join(':')}`;
}

function groupsOf(bytes: readonly number[]): string[] {
  return Array.from({ length: 8 }, (_, i) => ((bytes[2 * i] ?? 0) * 256 + (bytes[2 * i + 1] ?? 0)).toString(16));
}

/** The first address of the block. */
export function masked({ family, bytes, prefix }: Block): Block {
  return { family, prefix, bytes: bytes.map((byte, i) => byte & ~hostMask(prefix, i)) };
}

function withHostBits(block: Block, pick: Pick): Bits {
  const { family, bytes } = masked(block);
  return { family, bytes: bytes.map((byte, i) => byte | (pick(256) & hostMask(block.prefix, i))) };
}

/** The bits of byte number `i` behind the prefix. */
function hostMask(prefix: number, i: number): number {
  return 0xff >> Math.min(8, Math.max(0, prefix - 8 * i));
}

function isMapped(bytes: readonly number[]): boolean {
  return bytes.length === 16 && bytes.every((byte, i) => i > 11 || byte === (i < 10 ? 0 : 255));
}
