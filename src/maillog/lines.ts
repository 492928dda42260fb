// Finds the lines of a log that contain a mark. It searches for the marks in whole blocks, since a log has many lines
// and few of them matter.
//
// DIAGNOSTICS: lines that are too long or contain NUL bytes (as after a power failure) are counted and skipped.

/** In bytes. Postfix and syslog write much shorter lines. */
const LONGEST_LINE = 1 << 16;
const NEWLINE = 10;
const RETURN = 13;

export class LineFinder {
  tooLong = 0;
  withNul = 0;
  /** The bytes after the last line break. */
  private rest = Buffer.alloc(0);

  /** `marks` as bytes; Node would convert a string at each search. */
  private readonly needles: readonly Buffer[];

  /** `onLine` gets each line that contains one of `marks`, as Latin-1, without its line break. */
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
    // An overlong line is cut to LONGEST_LINE + 1 bytes: still too long, and memory stays bounded.
    const length = Math.min(this.rest.length + block.length - end, LONGEST_LINE + 1);
    this.rest = Buffer.concat([this.rest, block.subarray(end)], length);
  }

  /** Scans the last line of a file, which may have no line break. */
  end(): void {
    this.scan(this.rest);
  }

  /** `bytes`: whole lines. */
  private scan(bytes: Buffer): void {
    // Counts overlong lines by one search per LONGEST_LINE bytes instead of one per line.
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
        // A line that contains two marks is reported once.
        const isTaken = this.marks.slice(0, i).some((one) => line.includes(one));
        if (!isTaken && line.length <= LONGEST_LINE && !line.includes('\0')) this.onLine(line);
      }
    });
  }
}

/** The start of the line that follows the one at `at`. */
function nextLine(bytes: Buffer, at: number): number {
  return bytes.indexOf(NEWLINE, at) + 1 || bytes.length;
}

/** The end of the line before the one that starts at `next`, without its line break. */
function endOfLine(bytes: Buffer, next: number): number {
  const end = bytes[next - 1] === NEWLINE ? next - 1 : next;
  return bytes[end - 1] === RETURN ? end - 1 : end;
}
