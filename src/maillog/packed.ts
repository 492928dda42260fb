// Sightings side by side in one piece of memory that one thread can hand to another: numbers, and behind them the address and the user
// as the line spells them. Made into texts only when they were not seen lately (recent), since that would cost more than all the rest.
import type { Sighting } from './sighting';

/** A sighting in words of 4 bytes: these, then the bytes of the address and the user, filled up with zeros. */
export const SECONDS = 0;
export const TIMES = 1;
/** Of the address, times 65536, plus that of the user. */
export const LENGTHS = 2;
/** Of address and user. */
export const HASH = 3;
/** Where the line begins in the bytes that it was found in. */
export const LINE = 4;
export const TEXT = 5;

export class Packed {
  /** In words. */
  used = 0;
  readonly words: Int32Array;
  private readonly bytes: Buffer;

  /** `buffer`: not smaller than the lines that sightings are added from. A sighting takes less room than its line. */
  constructor(buffer: ArrayBuffer) {
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
    const end = used + TEXT + textWords(lengths);
    words[end - 1] = 0;
    let to = (used + TEXT) * 4;
    for (let i = addressStart; i < addressEnd; i++) bytes[to++] = from[i] as number;
    for (let i = userStart; i < userEnd; i++) bytes[to++] = from[i] as number;
    // FNV-1a, four bytes at a time.
    let hash = 0x811c9dc5 ^ lengths;
    for (let i = used + TEXT; i < end; i++) {
      hash = Math.imul(hash ^ (words[i] as number), 0x01000193);
      hash ^= hash >>> 15;
    }
    words[used + SECONDS] = seconds;
    words[used + TIMES] = times;
    words[used + LENGTHS] = lengths;
    words[used + HASH] = hash;
    words[used + LINE] = line;
    this.used = end;
  }

  /** The sighting behind the one at `at`. */
  after(at: number): number {
    return at + TEXT + textWords(this.words[at + LENGTHS] as number);
  }

  addressAt(at: number): string {
    const start = (at + TEXT) * 4;
    return this.bytes.toString('latin1', start, start + addressLength(this.words[at + LENGTHS] as number));
  }

  /** Bytes that are not UTF-8 stand in it as U+FFFD. */
  userAt(at: number): string {
    const lengths = this.words[at + LENGTHS] as number;
    const start = (at + TEXT) * 4 + addressLength(lengths);
    return this.bytes.toString('utf8', start, start + (lengths & 0xffff));
  }
}

/** So many words the address and the user take. */
export function textWords(lengths: number): number {
  return (addressLength(lengths) + (lengths & 0xffff) + 3) >> 2;
}

function addressLength(lengths: number): number {
  return lengths >>> 16;
}
