// The lines of a log that hold one of a few marks, found without a look at the others.
//
// Bytes go in through one buffer of fixed size; a line with a mark comes out as offsets into it, good until the call returns. Lines too
// long for any log, and lines with NUL bytes as a power failure leaves them, are counted and left out.

const NEWLINE = 10;
const RETURN = 13;
const BLOCK = 1 << 20;
/** Postfix and syslog cut their lines far below. */
const LONGEST_LINE = 1 << 16;

/** `bytes` from `start` to `end`, the line break left out. */
export type OnLine = (bytes: Buffer, start: number, end: number) => void;

/** Lines that hold `mark` go to `onLine`. */
export interface Search {
  readonly mark: Buffer;
  readonly onLine: OnLine;
}

export class LineScanner {
  tooLong = 0;
  withNul = 0;
  private readonly buffer = Buffer.allocUnsafeSlow(BLOCK + LONGEST_LINE);
  private filled = 0;
  /** Inside a line that is too long: up to its end everything is left out. */
  private skipping = false;

  /** `onScanned`: the offsets that `onLine` got are about to go bad. */
  constructor(
    private readonly searches: readonly Search[],
    private readonly onScanned: (bytes: Buffer) => void,
  ) {}

  /** Lets `read` put up to `length` bytes into `buffer` at `offset`; it returns how many it did, 0 at the end. False at the end. */
  fill(read: (buffer: Buffer, offset: number, length: number) => number): boolean {
    const count = read(this.buffer, this.filled, Math.min(BLOCK, this.buffer.length - this.filled));
    this.filled += count;
    if (count > 0) this.scanWholeLines();
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

  /** The end of a file. `whole`: what stands after the last line break is a line too, and not the rest of one that was cut. */
  end(whole: boolean): void {
    if (this.filled > 0 && whole && !this.skipping) this.scan(this.buffer.subarray(0, this.filled));
    this.filled = 0;
    this.skipping = false;
  }

  private scanWholeLines(): void {
    const bytes = this.buffer.subarray(0, this.filled);
    let from = 0;
    if (this.skipping) {
      const end = bytes.indexOf(NEWLINE);
      this.skipping = end < 0;
      from = end < 0 ? bytes.length : end + 1;
    }
    const to = Math.max(from, bytes.lastIndexOf(NEWLINE) + 1);
    if (to > from) this.scan(bytes.subarray(from, to));
    this.filled = bytes.length - to;
    if (this.filled >= LONGEST_LINE) {
      this.tooLong++;
      this.skipping = true;
      this.filled = 0;
    }
    this.buffer.copyWithin(0, to, to + this.filled);
  }

  /** `bytes`: whole lines. */
  private scan(bytes: Buffer): void {
    this.countTooLong(bytes);
    const hasNul = this.countNul(bytes);
    for (const { mark, onLine } of this.searches) {
      let done = 0;
      for (let at = bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark, done)) {
        let start = at;
        while (start > done && bytes[start - 1] !== NEWLINE) start--;
        let end = at + mark.length;
        while (end < bytes.length && bytes[end] !== NEWLINE) end++;
        done = end;
        if (end - start > LONGEST_LINE) continue;
        if (hasNul && bytes.subarray(start, end).includes(0)) continue;
        onLine(bytes, start, bytes[end - 1] === RETURN ? end - 1 : end);
      }
    }
    this.onScanned(bytes);
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
      this.tooLong++;
      const far = bytes.indexOf(NEWLINE, start + LONGEST_LINE);
      start = far < 0 ? bytes.length : far + 1;
    }
  }

  private countNul(bytes: Buffer): boolean {
    let at = bytes.indexOf(0);
    const found = at >= 0;
    while (at >= 0) {
      this.withNul++;
      const end = bytes.indexOf(NEWLINE, at);
      at = end < 0 ? -1 : bytes.indexOf(0, end);
    }
    return found;
  }
}
