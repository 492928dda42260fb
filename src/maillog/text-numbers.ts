// Numbers for texts (packed), an address and a user as they are spelled: those seen lately have the number that they got first.
//
// Waiting for memory would be most of the time that this takes. So the texts lie packed, their numbers before them, and what those of many
// lines lead to is fetched at once. When the room is used up all are forgotten, and the numbers begin anew: nothing grows.
import { withRoom } from './columns';
import { HASH, isSameText, LENGTHS, sizeOfTexts } from './packed';

/** An entry in words of 4 bytes: this, then the texts. */
const NUMBER = 0;
const TEXTS = 1;

/** In words: 8 MB, more than a hundred thousand entries. */
const ROOM = 1 << 21;

export class TextNumbers {
  /** How many numbers were given, from 0 on. */
  size = 0;
  private words: Int32Array<ArrayBuffer>;
  private used = 1;
  /** Where the entry of a hash begins, in words; 0 is free. */
  private starts = new Int32Array(1 << 10);

  /** `room`: in words; so much is kept. */
  constructor(private readonly room = ROOM) {
    // What is not used takes no memory.
    this.words = new Int32Array(room);
  }

  /** Forgets all texts when the room will not do for texts of so many words more. */
  makeRoom(words: number): void {
    // An entry takes a word more than its texts, which have three or more.
    if (this.used + words + (words >> 1) <= this.room) return;
    this.used = 1;
    this.size = 0;
    this.starts.fill(0);
  }

  /** Has the entries that these hashes lead to brought into the cache, all at once and not one after the other. */
  fetch(hashes: Int32Array, count: number): number {
    const mask = this.starts.length - 1;
    let sum = 0;
    for (let i = 0; i < count; i++) sum ^= this.starts[(hashes[i] as number) & mask] as number;
    for (let i = 0; i < count; i++) {
      sum ^= this.words[this.starts[(hashes[i] as number) & mask] as number] as number;
    }
    // For nobody; but what has no result is not done.
    return sum;
  }

  /** The number of the texts at `at`: what `size` was before when they are new. */
  numberOf(words: Int32Array, at: number): number {
    const mask = this.starts.length - 1;
    for (let place = (words[at + HASH] as number) & mask; ; place = (place + 1) & mask) {
      const entry = this.starts[place] as number;
      if (entry === 0) return this.add(words, at);
      if (isSameText(this.words, entry + TEXTS, words, at)) return this.words[entry + NUMBER] as number;
    }
  }

  private add(words: Int32Array, at: number): number {
    const number = this.size++;
    const size = sizeOfTexts(words[at + LENGTHS] as number);
    const entry = this.used;
    this.used += TEXTS + size;
    this.words = withRoom(this.words, this.used);
    this.words[entry + NUMBER] = number;
    for (let i = 0; i < size; i++) this.words[entry + TEXTS + i] = words[at + i] as number;
    if (this.size * 2 > this.starts.length) this.enterAll();
    else this.enter(entry);
    return number;
  }

  /** Into a table of twice the length. */
  private enterAll(): void {
    this.starts = new Int32Array(this.starts.length * 2);
    for (let entry = 1; entry < this.used; ) {
      this.enter(entry);
      entry += TEXTS + sizeOfTexts(this.words[entry + TEXTS + LENGTHS] as number);
    }
  }

  private enter(entry: number): void {
    const mask = this.starts.length - 1;
    let place = (this.words[entry + TEXTS + HASH] as number) & mask;
    while (this.starts[place] !== 0) place = (place + 1) & mask;
    this.starts[place] = entry;
  }
}
