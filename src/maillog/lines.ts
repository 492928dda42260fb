// Whole lines out of a stream of bytes, through one buffer of fixed size. A line too long for it is counted and left out.
import { LONGEST_LINE, NEWLINE } from './line-finder';

/** Bytes of a log that are read at once. */
export const BLOCK = 1 << 20;
/** What is handed on at once is not larger. */
export const LARGEST = BLOCK + LONGEST_LINE;

export class LineSplitter {
  tooLong = 0;
  private readonly buffer = Buffer.allocUnsafeSlow(LARGEST);
  private filled = 0;
  /** Inside a line that is too long: up to its end everything is left out. */
  private skipping = false;

  /** `onLines` gets whole lines, good until it returns. */
  constructor(private readonly onLines: (bytes: Buffer) => void) {}

  /** Lets `read` put up to `length` bytes into `buffer` at `offset`; it returns how many it did, 0 at the end. False at the end. */
  fill(read: (buffer: Buffer, offset: number, length: number) => number): boolean {
    const count = read(this.buffer, this.filled, Math.min(BLOCK, this.buffer.length - this.filled));
    this.filled += count;
    if (count > 0) this.handOn();
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
    if (this.filled > 0 && whole && !this.skipping) this.onLines(this.buffer.subarray(0, this.filled));
    this.filled = 0;
    this.skipping = false;
  }

  private handOn(): void {
    const bytes = this.buffer.subarray(0, this.filled);
    let from = 0;
    if (this.skipping) {
      const end = bytes.indexOf(NEWLINE);
      this.skipping = end < 0;
      from = end < 0 ? bytes.length : end + 1;
    }
    const to = Math.max(from, bytes.lastIndexOf(NEWLINE) + 1);
    if (to > from) this.onLines(bytes.subarray(from, to));
    this.filled = bytes.length - to;
    if (this.filled >= LONGEST_LINE) {
      this.tooLong++;
      this.skipping = true;
      this.filled = 0;
    }
    this.buffer.copyWithin(0, to, to + this.filled);
  }
}
