// Sets of days, one for each number: a bit a day, a column for each 32 days that occur.
import { withRoom } from './columns';

const SPAN = 32;

/** Days that occur, 32 to a word; which word is which, the columns know. */
export type DayBits = readonly number[];

export class DayColumns {
  private readonly columns = new Map<number, Uint32Array<ArrayBuffer>>();
  /** The column used last: mostly the next day is in it, too. */
  private span = Number.NaN;
  private column = new Uint32Array(0);

  /** `day`: any whole number. */
  add(number: number, day: number): void {
    const span = Math.floor(day / SPAN);
    if (span !== this.span || number >= this.column.length) {
      this.column = withRoom(this.columns.get(span) ?? new Uint32Array(1 << 8), number);
      this.columns.set(span, this.column);
      this.span = span;
    }
    const { column } = this;
    column[number] = (column[number] as number) | (1 << (day - span * SPAN));
  }

  /** Comparable among themselves once no more days are added. */
  of(number: number): DayBits {
    const words: number[] = [];
    for (const column of this.columns.values()) words.push(column[number] ?? 0);
    return words;
  }
}

/** The days of any of the sets. */
export function joinDays(sets: readonly DayBits[]): DayBits {
  return (sets[0] ?? []).map((_, word) => sets.reduce((bits, set) => bits | (set[word] ?? 0), 0));
}

export function countDays(days: DayBits): number {
  let count = 0;
  for (const word of days) for (let bits = word; bits !== 0; bits &= bits - 1) count++;
  return count;
}
