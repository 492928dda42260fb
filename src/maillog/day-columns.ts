// Sets of days, one for each number: a bit a day, a column for each 32 days that occur.
import { withRoom } from './columns';

const SPAN = 32;

export class DayColumns {
  private readonly columns = new Map<number, Uint32Array<ArrayBuffer>>();

  /** `day`: any whole number. */
  add(number: number, day: number): void {
    const span = Math.floor(day / SPAN);
    const column = this.columns.get(span) ?? new Uint32Array(1 << 8);
    const larger = withRoom(column, number);
    if (larger !== this.columns.get(span)) this.columns.set(span, larger);
    larger[number] = (larger[number] as number) | (1 << (day - span * SPAN));
  }

  of(number: number): Set<number> {
    const days = new Set<number>();
    for (const [span, column] of this.columns) {
      const bits = column[number] ?? 0;
      for (let bit = 0; bit < SPAN; bit++) if (((bits >>> bit) & 1) === 1) days.add(span * SPAN + bit);
    }
    return days;
  }
}
