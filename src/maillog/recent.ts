// What was found out about an address and a user as they are spelled, for those seen lately: a place and a grant (tally).
//
// Waiting for memory would be most of the time that `learn` takes. So the texts lie packed, their numbers before them, and those of many
// lines are fetched at once. When the room is used up all are forgotten, and it begins anew: nothing grows.
import { withRoom } from './columns';
import * as packing from './packed';

/** An entry in words of 4 bytes: these, then the text as Packed has it. */
const HASH = 0;
const LENGTHS = 1;
const PLACE = 2;
const GRANT = 3;
const TEXT = 4;

/** In words: 8 MB, more than a hundred thousand entries. */
const ROOM = 1 << 21;

export class RecentTexts {
  private words = new Int32Array(1 << 14);
  private used = 1;
  private size = 0;
  /** Where the entry of a hash begins, in words; 0 is free. */
  private starts = new Int32Array(1 << 10);

  /** `room`: in words; so much is kept. */
  constructor(private readonly room = ROOM) {}

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

  /** The entry of the texts of the sighting at `at`; 0 when they are not known. */
  find(packed: Int32Array, at: number): number {
    const { words, starts } = this;
    const mask = starts.length - 1;
    const hash = packed[at + packing.HASH] as number;
    const lengths = packed[at + packing.LENGTHS] as number;
    const count = packing.textWords(lengths);
    for (let place = hash & mask; ; place = (place + 1) & mask) {
      const entry = starts[place] as number;
      if (entry === 0) return 0;
      if (words[entry + HASH] !== hash || words[entry + LENGTHS] !== lengths) continue;
      if (isEqual(words, entry + TEXT, packed, at + packing.TEXT, count)) return entry;
    }
  }

  placeOf(entry: number): number {
    return this.words[entry + PLACE] as number;
  }

  grantOf(entry: number): number {
    return this.words[entry + GRANT] as number;
  }

  /** Keeps what was found out about texts that are not known yet. */
  keep(packed: Int32Array, at: number, place: number, grant: number): void {
    const lengths = packed[at + packing.LENGTHS] as number;
    const count = packing.textWords(lengths);
    const entry = this.roomFor(TEXT + count);
    this.words[entry + HASH] = packed[at + packing.HASH] as number;
    this.words[entry + LENGTHS] = lengths;
    this.words[entry + PLACE] = place;
    this.words[entry + GRANT] = grant;
    for (let i = 0; i < count; i++) this.words[entry + TEXT + i] = packed[at + packing.TEXT + i] as number;
    this.enter(entry);
  }

  private roomFor(words: number): number {
    if (this.used + words > this.room) {
      this.used = 1;
      this.size = 0;
      this.starts.fill(0);
    }
    const entry = this.used;
    this.used += words;
    this.words = withRoom(this.words, this.used);
    return entry;
  }

  private enter(entry: number): void {
    if (++this.size * 2 > this.starts.length) {
      this.starts = new Int32Array(this.starts.length * 2);
      for (let other = 1; other < entry; ) {
        this.put(other);
        other += TEXT + packing.textWords(this.words[other + LENGTHS] as number);
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

function isEqual(kept: Int32Array, from: number, packed: Int32Array, at: number, count: number): boolean {
  for (let i = 0; i < count; i++) if (kept[from + i] !== packed[at + i]) return false;
  return true;
}
