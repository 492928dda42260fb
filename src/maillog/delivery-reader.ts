// Whole lines of a log to sightings, and an account of what should be one and cannot be read.
import { DOVECOT_MARKS, readDovecotLine } from './dovecot-line';
import { HeadReader } from './head';
import { LineFinder, NEWLINE } from './line-finder';
import type { Packed } from './packed';
import { POSTFIX_MARK, readPostfixLine } from './postfix-line';
import { newSighting } from './sighting';

/** What was left out. */
export interface LeftOut {
  /** Lines that should be deliveries and are not well formed. */
  readonly broken: number;
  /** The first of them. */
  readonly example: string | null;
  readonly tooLong: number;
  readonly withNul: number;
}

const LONGEST_EXAMPLE = 160;

export class DeliveryReader {
  private readonly finder: LineFinder;
  private readonly sighting = newSighting();
  private packed: Packed | null = null;
  private broken = 0;
  private example: string | null = null;

  /** `dovecot`: its logins count, too. `latest`: as for StampReader. */
  constructor(dovecot: boolean, latest: number) {
    const head = new HeadReader(latest);
    const onLine =
      (readLine: typeof readPostfixLine) =>
      (bytes: Buffer, start: number, end: number): void => {
        const what = head.read(bytes, start, end) ? readLine(bytes, head, end, this.sighting) : 'broken';
        if (what === 'broken') this.addBroken(lineAt(bytes, start));
        if (what !== 'delivery') return;
        this.sighting.seconds = head.seconds;
        this.packed?.add(bytes, this.sighting, start);
      };
    const searches = [{ mark: POSTFIX_MARK, onLine: onLine(readPostfixLine) }];
    if (dovecot) for (const mark of DOVECOT_MARKS) searches.push({ mark, onLine: onLine(readDovecotLine) });
    this.finder = new LineFinder(searches);
  }

  /** `bytes`: whole lines, the sightings in which go into `packed`. */
  read(bytes: Buffer, packed: Packed): void {
    this.packed = packed;
    this.finder.find(bytes);
  }

  addBroken(line: string): void {
    this.broken++;
    this.example ??= line;
  }

  addTooLong(count: number): void {
    this.finder.tooLong += count;
  }

  /** What was left out since it was asked last. */
  takeLeftOut(): LeftOut {
    const { broken, example, finder } = this;
    const { tooLong, withNul } = finder;
    [this.broken, this.example, finder.tooLong, finder.withNul] = [0, null, 0, 0];
    return { broken, example, tooLong, withNul };
  }
}

/** The line that begins there, or as much of it as will do as an example. */
export function lineAt(bytes: Buffer, start: number): string {
  const end = bytes.indexOf(NEWLINE, start);
  return bytes.toString('utf8', start, Math.min(end < 0 ? bytes.length : end, start + LONGEST_EXAMPLE));
}
