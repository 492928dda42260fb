// Finds the lines of a log that hold a mark, without a look at the other lines.
//
// DIAGNOSTICS: lines that are too long or hold NUL bytes, which a power failure leaves, are counted and left out.

/** Postfix and syslog write much shorter lines. */
const LONGEST_LINE = 1 << 16;
const NEWLINE = 10;
const RETURN = 13;

export class LineFinder {
  tooLong = 0;
  withNul = 0;
  /** What followed the last line break. */
  private rest = Buffer.alloc(0);

  /** `marks` as bytes: to search for a text, Node would convert it each time. */
  private readonly needles: readonly Buffer[];

  /** `onLine` gets each line that holds one of `marks`, as Latin-1 (a character a byte), without its line break. */
  constructor(
    private readonly marks: readonly string[],
    private readonly onLine: (line: string) => void,
  ) {
    this.needles = marks.map((mark) => Buffer.from(mark));
  }

  add(block: Buffer): void {
    const end = block.lastIndexOf(NEWLINE) + 1;
    let start = 0;
    if (end > 0 && this.rest.length > 0) {
      start = nextLine(block, 0);
      this.scan(Buffer.concat([this.rest, block.subarray(0, start)]));
      this.rest = Buffer.alloc(0);
    }
    this.scan(block.subarray(start, end));
    // Of a line that is too long, only so much is kept that it stays too long.
    const length = Math.min(this.rest.length + block.length - end, LONGEST_LINE + 1);
    this.rest = Buffer.concat([this.rest, block.subarray(end)], length);
  }

  /** What follows the last line break of a file that was read to its end is a line, too. */
  end(): void {
    this.scan(this.rest);
  }

  /** `bytes`: whole lines. */
  private scan(bytes: Buffer): void {
    // Looks only at the last line break within each LONGEST_LINE bytes, not at every line.
    for (let start = 0; start + LONGEST_LINE < bytes.length; ) {
      const last = bytes.lastIndexOf(NEWLINE, start + LONGEST_LINE);
      if (last < start) this.tooLong++;
      start = last < start ? nextLine(bytes, start + LONGEST_LINE) : last + 1;
    }
    for (let at = bytes.indexOf(0); at >= 0; at = bytes.indexOf(0, nextLine(bytes, at))) this.withNul++;
    this.needles.forEach((needle, i) => {
      for (let at = bytes.indexOf(needle), next = 0; at >= 0; at = bytes.indexOf(needle, next)) {
        next = nextLine(bytes, at);
        const line = bytes.toString('latin1', bytes.lastIndexOf(NEWLINE, at) + 1, endOfLine(bytes, next));
        // A line that holds two marks is taken once.
        const isTaken = this.marks.slice(0, i).some((one) => line.includes(one));
        if (!isTaken && line.length <= LONGEST_LINE && !line.includes('\0')) this.onLine(line);
      }
    });
  }
}

/** Where the line after the one at `at` begins. */
function nextLine(bytes: Buffer, at: number): number {
  return bytes.indexOf(NEWLINE, at) + 1 || bytes.length;
}

/** Where the line before the one at `next` ends, without its line break. */
function endOfLine(bytes: Buffer, next: number): number {
  const end = bytes[next - 1] === NEWLINE ? next - 1 : next;
  return bytes[end - 1] === RETURN ? end - 1 : end;
}
