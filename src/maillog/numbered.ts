// The sightings of a piece of a log with numbers in the place of their texts, and the texts that got their number in it. All in one piece of
// memory that one thread can hand to another; who adds up has to look at each text once only, and not in each line.
import { HASH, LENGTHS, LINE, type Memory, type Packed, SECONDS, sizeOfTexts, TEXTS, TIMES } from './packed';
import type { TextNumbers } from './text-numbers';

/** At the beginning, in words of 4 bytes. */
const SIGHTINGS = 0;
const NEW_TEXTS = 1;
const FIRST_NEW = 2;
const END = 3;
const HEAD = 4;
/** A sighting: number of its texts, seconds, times and line as Packed has them. */
const SIGHTING = 4;

/** Few enough to stay in the cache. */
const BATCH = 512;

export class Numbered implements Memory {
  readonly words: Int32Array;
  readonly bytes: Buffer;

  /** `buffer`: as large as the lines that it is for; in them what stands here takes more room. */
  constructor(buffer: ArrayBuffer | SharedArrayBuffer) {
    this.words = new Int32Array(buffer);
    this.bytes = Buffer.from(buffer as ArrayBuffer);
  }

  get sightings(): number {
    return this.words[SIGHTINGS] as number;
  }

  get newTexts(): number {
    return this.words[NEW_TEXTS] as number;
  }

  /** The number of the first new texts; those behind it have the following ones. Texts that had such a number before are forgotten. */
  get firstNew(): number {
    return this.words[FIRST_NEW] as number;
  }

  textsOf(sighting: number): number {
    return this.words[HEAD + sighting * SIGHTING] as number;
  }

  secondsOf(sighting: number): number {
    return (this.words[HEAD + sighting * SIGHTING + 1] as number) >>> 0;
  }

  timesOf(sighting: number): number {
    return this.words[HEAD + sighting * SIGHTING + 2] as number;
  }

  lineOf(sighting: number): number {
    return this.words[HEAD + sighting * SIGHTING + 3] as number;
  }

  /** Where in `words` the new texts are, in the order of their numbers. */
  *newTextsAt(): Iterable<number> {
    let at = HEAD + this.sightings * SIGHTING;
    for (let left = this.newTexts; left > 0; left--) {
      yield at;
      at += sizeOfTexts(this.words[at + LENGTHS] as number);
    }
  }

  /** Becomes the sightings in `packed`. */
  fill(packed: Packed, numbers: TextNumbers): void {
    numbers.makeRoom(packed.used);
    const { words } = this;
    words[SIGHTINGS] = packed.sightings;
    words[NEW_TEXTS] = 0;
    words[FIRST_NEW] = numbers.size;
    words[END] = HEAD + packed.sightings * SIGHTING;
    let next = 0;
    for (let sighting = 0; sighting < packed.sightings; sighting += BATCH) {
      const size = Math.min(BATCH, packed.sightings - sighting);
      for (let i = 0; i < size; i++) {
        starts[i] = next;
        hashes[i] = packed.words[next + TEXTS + HASH] as number;
        next = packed.after(next);
      }
      numbers.fetch(hashes, size);
      for (let i = 0; i < size; i++) this.add(sighting + i, packed.words, starts[i] as number, numbers);
    }
  }

  private add(sighting: number, from: Int32Array, start: number, numbers: TextNumbers): void {
    const { words } = this;
    const before = numbers.size;
    const number = numbers.numberOf(from, start + TEXTS);
    if (number === before) this.addTexts(from, start + TEXTS);
    const at = HEAD + sighting * SIGHTING;
    words[at] = number;
    words[at + 1] = from[start + SECONDS] as number;
    words[at + 2] = from[start + TIMES] as number;
    words[at + 3] = from[start + LINE] as number;
  }

  private addTexts(from: Int32Array, start: number): void {
    const { words } = this;
    const to = words[END] as number;
    const size = sizeOfTexts(from[start + LENGTHS] as number);
    for (let i = 0; i < size; i++) words[to + i] = from[start + i] as number;
    words[END] = to + size;
    words[NEW_TEXTS] = (words[NEW_TEXTS] as number) + 1;
  }
}

/** Of a batch: where the sightings are, and the hashes of their texts. */
const starts = new Int32Array(BATCH);
const hashes = new Int32Array(BATCH);
