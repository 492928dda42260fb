// What was found out about an address and a user as they are spelled, for those seen lately: a place and a grant (tally).
//
// Waiting for memory would be most of the time that `learn` takes. So the texts lie packed, their numbers before them, and those of many
// lines are fetched at once. When the room is used up all are forgotten, and it begins anew: nothing grows.
import { withRoom } from './columns';
import type { Sighting } from './sighting';

/** An entry in words of 4 bytes: these, then the address and the user. */
const HASH = 0;
const LENGTHS = 1;
const PLACE = 2;
const GRANT = 3;
const TEXT = 4;

/** In words: 8 MB, more than a hundred thousand entries. */
const ROOM = 1 << 21;

export class RecentTexts {
  private words = new Int32Array(1 << 14);
  private bytes = Buffer.from(this.words.buffer);
  private used = 1;
  private size = 0;
  /** Where the entry of a hash begins, in words; 0 is free. */
  private starts = new Int32Array(1 << 10);

  /** Has the entries that these hashes lead to brought into the cache, all at once and not one after the other. */
  fetch(hashes: Int32Array, count: number): number {
    const mask = this.starts.length - 1;
    let sum = 0;
    for (let i = 0; i < count; i++) sum ^= this.starts[(hashes[i] as number) & mask] as number;
    for (let i = 0; i < count; i++) {
      sum ^= this.words[(this.starts[(hashes[i] as number) & mask] as number) + HASH] as number;
    }
    // For nobody; but what has no result is not done.
    return sum;
  }

  /** The entry of the texts whose hash is `hash`; 0 when they are not known. */
  find(hash: number, bytes: Buffer, { addressStart, addressEnd, userStart, userEnd }: Sighting): number {
    const { words, starts } = this;
    const mask = starts.length - 1;
    const addressLength = addressEnd - addressStart;
    const lengths = (addressLength << 16) | (userEnd - userStart);
    for (let place = hash & mask; ; place = (place + 1) & mask) {
      const entry = starts[place] as number;
      if (entry === 0) return 0;
      if (words[entry + HASH] !== hash || words[entry + LENGTHS] !== lengths) continue;
      const text = (entry + TEXT) * 4;
      if (!isEqual(this.bytes, text, bytes, addressStart, addressEnd)) continue;
      if (isEqual(this.bytes, text + addressLength, bytes, userStart, userEnd)) return entry;
    }
  }

  placeOf(entry: number): number {
    return this.words[entry + PLACE] as number;
  }

  grantOf(entry: number): number {
    return this.words[entry + GRANT] as number;
  }

  /** Keeps what was found out about texts that are not known yet. */
  keep(hash: number, bytes: Buffer, sighting: Sighting, place: number, grant: number): void {
    const { addressStart, addressEnd, userStart, userEnd } = sighting;
    const addressLength = addressEnd - addressStart;
    const lengths = (addressLength << 16) | (userEnd - userStart);
    const entry = this.roomFor(entryWords(lengths));
    this.words[entry + HASH] = hash;
    this.words[entry + LENGTHS] = lengths;
    this.words[entry + PLACE] = place;
    this.words[entry + GRANT] = grant;
    const text = (entry + TEXT) * 4;
    bytes.copy(this.bytes, text, addressStart, addressEnd);
    bytes.copy(this.bytes, text + addressLength, userStart, userEnd);
    this.enter(entry);
  }

  private roomFor(words: number): number {
    if (this.used + words > ROOM) {
      this.used = 1;
      this.size = 0;
      this.starts.fill(0);
    }
    const entry = this.used;
    this.used += words;
    if (this.used > this.words.length) {
      this.words = withRoom(this.words, this.used);
      this.bytes = Buffer.from(this.words.buffer);
    }
    return entry;
  }

  private enter(entry: number): void {
    if (++this.size * 2 > this.starts.length) {
      this.starts = new Int32Array(this.starts.length * 2);
      for (let other = 1; other < entry; other += entryWords(this.words[other + LENGTHS] as number)) {
        this.put(other);
      }
    }
    this.put(entry);
  }

  private put(entry: number): void {
    const mask = this.starts.length - 1;
    let place = (this.words[entry + HASH] as number) & mask;
    while (this.starts[place] !== 0) place = (place + 1) & mask;
    this.starts[place] = entry;
  }
}

/** FNV-1a over both texts. */
export function hashOf(bytes: Buffer, { addressStart, addressEnd, userStart, userEnd }: Sighting): number {
  let hash = 0x811c9dc5;
  for (let i = addressStart; i < addressEnd; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
  for (let i = userStart; i < userEnd; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
  return hash ^ (hash >>> 15);
}

function entryWords(lengths: number): number {
  return TEXT + (((lengths >>> 16) + (lengths & 0xffff) + 3) >> 2);
}

function isEqual(kept: Buffer, at: number, bytes: Buffer, start: number, end: number): boolean {
  const ahead = at - start;
  for (let i = start; i < end; i++) if (kept[i + ahead] !== bytes[i]) return false;
  return true;
}
