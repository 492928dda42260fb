// Bytes of a log in pieces of any size to its lines: whole lines are collected in one buffer of fixed size, and those that hold a mark are found
// in it without a look at the others. Lines that no log program writes, too long or with NUL bytes (as a power failure leaves them), are
// counted and left out.

/** Bytes of a log that are read at once. */
export const BLOCK = 1 << 20;
/** Postfix and syslog cut their lines far below. */
const LONGEST_LINE = 1 << 16;
const NEWLINE = 10;
const RETURN = 13;

export class LineFinder {
  tooLong = 0;
  withNul = 0;
  private readonly buffer = Buffer.allocUnsafeSlow(BLOCK + LONGEST_LINE);
  private filled = 0;
  /** Inside a line that is too long: everything up to its end is left out. */
  private skipping = false;

  /** `onLine` gets each line that holds one of `marks`, as Latin-1 (a character a byte), without its line break. */
  constructor(
    private readonly marks: readonly Buffer[],
    private readonly onLine: (line: string) => void,
  ) {}

  /** Lets `read` put up to `length` bytes into `buffer` at `offset`; it returns how many it did. False when that is none. */
  fill(read: (buffer: Buffer, offset: number, length: number) => number): boolean {
    const count = read(this.buffer, this.filled, Math.min(BLOCK, this.buffer.length - this.filled));
    this.filled += count;
    if (count > 0) this.takeLines();
    return count > 0;
  }

  write(chunk: Buffer): void {
    for (let from = 0; from < chunk.length; ) {
      this.fill((buffer, offset, length) => {
        const count = chunk.copy(buffer, offset, from, from + length);
        from += count;
        return count;
      });
    }
  }

  /** `whole`: the file was read to its end, so what follows the last line break is a line too and not the rest of one. */
  end(whole: boolean): void {
    if (this.filled > 0 && whole && !this.skipping) this.find(this.buffer.subarray(0, this.filled));
    this.filled = 0;
  }

  private takeLines(): void {
    const bytes = this.buffer.subarray(0, this.filled);
    let from = 0;
    if (this.skipping) {
      from = behindBreak(bytes, 0);
      this.skipping = from === 0;
      if (this.skipping) from = bytes.length;
    }
    const to = Math.max(from, bytes.lastIndexOf(NEWLINE) + 1);
    if (to > from) this.find(bytes.subarray(from, to));
    this.filled = bytes.length - to;
    if (this.filled >= LONGEST_LINE) {
      this.tooLong++;
      this.skipping = true;
      this.filled = 0;
    }
    this.buffer.copyWithin(0, to, to + this.filled);
  }

  private find(bytes: Buffer): void {
    this.countTooLong(bytes);
    const hasNul = this.countNul(bytes);
    const next = this.marks.map((mark) => bytes.indexOf(mark));
    for (;;) {
      const at = Math.min(...next.filter((found) => found >= 0));
      if (at === Number.POSITIVE_INFINITY) return;
      const start = bytes.lastIndexOf(NEWLINE, at) + 1;
      const done = behindBreak(bytes, at) || bytes.length + 1;
      const end = bytes[done - 2] === RETURN ? done - 2 : done - 1;
      const isSound = end - start <= LONGEST_LINE && !(hasNul && bytes.subarray(start, end).includes(0));
      if (isSound) this.onLine(bytes.toString('latin1', start, end));
      this.marks.forEach((mark, i) => {
        if ((next[i] as number) >= 0 && (next[i] as number) < done) next[i] = bytes.indexOf(mark, done);
      });
    }
  }

  /** From one line break to the last one within reach, so that few of them are looked for. */
  private countTooLong(bytes: Buffer): void {
    for (let start = 0; start + LONGEST_LINE < bytes.length; ) {
      const near = bytes.lastIndexOf(NEWLINE, start + LONGEST_LINE);
      if (near < start) this.tooLong++;
      start = near < start ? behindBreak(bytes, start + LONGEST_LINE) || bytes.length : near + 1;
    }
  }

  private countNul(bytes: Buffer): boolean {
    const first = bytes.indexOf(0);
    for (let at = first; at >= 0; ) {
      this.withNul++;
      const start = behindBreak(bytes, at);
      at = start === 0 ? -1 : bytes.indexOf(0, start);
    }
    return first >= 0;
  }
}

/** Where the next line begins; 0 when there is no line break from `at` on. */
function behindBreak(bytes: Buffer, at: number): number {
  return bytes.indexOf(NEWLINE, at) + 1;
}
