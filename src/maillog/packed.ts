// Sightings side by side in one piece of memory: numbers, and behind them the address and the user as the line spells them. They are made
// into texts only when they were not seen lately (text-numbers), since that would cost more than all the rest.
import type { Sighting } from './sighting';

/** A sighting in words of 4 bytes: these, then its texts. */
export const SECONDS = 0;
export const TIMES = 1;
/** Where the line begins in the bytes that it was found in. */
export const LINE = 2;
export const TEXTS = 3;

/** Texts in words: these, then the bytes of the address and the user, filled up with zeros. */
export const HASH = 0;
/** Of the address, times 65536, plus that of the user. */
export const LENGTHS = 1;
const BYTES = 2;

/** The same memory as words and as bytes. */
export interface Memory {
  readonly words: Int32Array;
  readonly bytes: Buffer;
}

export class Packed implements Memory {
  /** In words. */
  used = 0;
  sightings = 0;
  readonly words: Int32Array;
  readonly bytes: Buffer;

  /** `size`: in bytes, not less than the lines that sightings are added from. A sighting takes less room than its line. */
  constructor(size: number) {
    const buffer = new ArrayBuffer(size);
    this.words = new Int32Array(buffer);
    this.bytes = Buffer.from(buffer);
  }

  /** `line`: where the line of it begins in `from`. */
  add(
    from: Buffer,
    { seconds, times, addressStart, addressEnd, userStart, userEnd }: Sighting,
    line: number,
  ): void {
    const { words, bytes, used } = this;
    const lengths = ((addressEnd - addressStart) << 16) | (userEnd - userStart);
    const texts = used + TEXTS;
    const end = texts + sizeOfTexts(lengths);
    words[end - 1] = 0;
    let to = (texts + BYTES) * 4;
    for (let i = addressStart; i < addressEnd; i++) bytes[to++] = from[i] as number;
    for (let i = userStart; i < userEnd; i++) bytes[to++] = from[i] as number;
    // FNV-1a, four bytes at a time.
    let hash = 0x811c9dc5 ^ lengths;
    for (let i = texts + BYTES; i < end; i++) {
      hash = Math.imul(hash ^ (words[i] as number), 0x01000193);
      hash ^= hash >>> 15;
    }
    words[used + SECONDS] = seconds;
    words[used + TIMES] = times;
    words[used + LINE] = line;
    words[texts + HASH] = hash;
    words[texts + LENGTHS] = lengths;
    this.used = end;
    this.sightings++;
  }

  clear(): void {
    this.used = 0;
    this.sightings = 0;
  }

  /** The sighting behind the one at `at`. */
  after(at: number): number {
    return at + TEXTS + sizeOfTexts(this.words[at + TEXTS + LENGTHS] as number);
  }
}

/** So many words texts take that have these lengths, at least BYTES + 1. */
export function sizeOfTexts(lengths: number): number {
  return BYTES + ((addressLength(lengths) + (lengths & 0xffff) + 3) >> 2);
}

/** Whether the texts at two places are the same. Those of different hash or lengths are soon told apart. */
export function isSameText(words: Int32Array, at: number, others: Int32Array, other: number): boolean {
  if (words[at + HASH] !== others[other + HASH]) return false;
  const size = sizeOfTexts(words[at + LENGTHS] as number);
  for (let i = LENGTHS; i < size; i++) if (words[at + i] !== others[other + i]) return false;
  return true;
}

/** The address in the texts at `at`. */
export function addressAt({ words, bytes }: Memory, at: number): string {
  const start = (at + BYTES) * 4;
  return bytes.toString('latin1', start, start + addressLength(words[at + LENGTHS] as number));
}

/** The user in the texts at `at`. Bytes that are not UTF-8 stand in it as U+FFFD. */
export function userAt({ words, bytes }: Memory, at: number): string {
  const lengths = words[at + LENGTHS] as number;
  const start = (at + BYTES) * 4 + addressLength(lengths);
  return bytes.toString('utf8', start, start + (lengths & 0xffff));
}

function addressLength(lengths: number): number {
  return lengths >>> 16;
}
