// The lines that hold one of a few marks, found without a look at the others. Lines too long for any log, and lines with NUL bytes as a power
// failure leaves them, are counted and left out.
import { startsWith } from './head';
import type { LeftOutCount } from './left-out';

export const NEWLINE = 10;
const RETURN = 13;
/** Postfix and syslog cut their lines far below. */
export const LONGEST_LINE = 1 << 16;

/** `bytes` from `start` to `end`, the line break left out. */
export type OnLine = (bytes: Buffer, start: number, end: number) => void;

/** Lines that hold `mark` go to `onLine`. From `rare` on its bytes are searched for: one that is rare in logs makes the search fast. */
export interface Search {
  readonly mark: Buffer;
  readonly rare: number;
  readonly onLine: OnLine;
}

export class LineFinder {
  constructor(
    private readonly searches: readonly Search[],
    private readonly leftOut: LeftOutCount,
  ) {}

  /** `bytes`: whole lines. */
  find(bytes: Buffer): void {
    this.countTooLong(bytes);
    const hasNul = this.countNul(bytes);
    for (const search of this.searches) this.findMark(search, bytes, hasNul);
  }

  private findMark({ mark, rare, onLine }: Search, bytes: Buffer, hasNul: boolean): void {
    const part = mark.subarray(rare);
    let done = 0;
    for (let at = bytes.indexOf(part); at >= 0; at = bytes.indexOf(part, done)) {
      done = at + part.length;
      if (rare > 0 && !startsWith(bytes, at - rare, bytes.length, mark)) continue;
      const start = bytes.lastIndexOf(NEWLINE, at) + 1;
      let end = done;
      while (end < bytes.length && bytes[end] !== NEWLINE) end++;
      done = end;
      if (end - start > LONGEST_LINE) continue;
      if (hasNul && bytes.subarray(start, end).includes(0)) continue;
      onLine(bytes, start, bytes[end - 1] === RETURN ? end - 1 : end);
    }
  }

  /** From one line break to the last one within reach, so that few of them are looked for. */
  private countTooLong(bytes: Buffer): void {
    let start = 0;
    while (start + LONGEST_LINE < bytes.length) {
      const near = bytes.lastIndexOf(NEWLINE, start + LONGEST_LINE);
      if (near >= start) {
        start = near + 1;
        continue;
      }
      this.leftOut.tooLong++;
      const far = bytes.indexOf(NEWLINE, start + LONGEST_LINE);
      start = far < 0 ? bytes.length : far + 1;
    }
  }

  private countNul(bytes: Buffer): boolean {
    let at = bytes.indexOf(0);
    const found = at >= 0;
    while (at >= 0) {
      this.leftOut.withNul++;
      const end = bytes.indexOf(NEWLINE, at);
      at = end < 0 ? -1 : bytes.indexOf(0, end);
    }
    return found;
  }
}
