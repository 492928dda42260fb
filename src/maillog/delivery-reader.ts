// Whole lines of a log to sightings, and an account of what should be one and cannot be read.
import { DOVECOT_MARKS, RARE_IN_DOVECOT_MARKS, readDovecotLine } from './dovecot-line';
import { HeadReader } from './head';
import { LeftOutCount } from './left-out';
import { LineFinder, NEWLINE } from './line-finder';
import { LARGEST } from './lines';
import type { Numbered } from './numbered';
import { Packed } from './packed';
import { POSTFIX_MARK, RARE_IN_POSTFIX_MARK, readPostfixLine } from './postfix-line';
import { newSighting } from './sighting';
import { TextNumbers } from './text-numbers';

const LONGEST_EXAMPLE = 160;

export class DeliveryReader {
  readonly leftOut = new LeftOutCount();
  private readonly finder: LineFinder;
  private readonly sighting = newSighting();
  private readonly packed = new Packed(LARGEST);
  private readonly numbers = new TextNumbers();
  private position = 0;

  /** `dovecot`: its logins count, too. `latest`: as for StampReader. */
  constructor(dovecot: boolean, latest: number) {
    const head = new HeadReader(latest);
    const onLine =
      (readLine: typeof readPostfixLine) =>
      (bytes: Buffer, start: number, end: number): void => {
        const what = head.read(bytes, start, end) ? readLine(bytes, head, end, this.sighting) : 'broken';
        if (what === 'broken') this.leftOut.addBroken(lineAt(bytes, start), this.position + start);
        if (what !== 'delivery') return;
        this.sighting.seconds = head.seconds;
        this.packed.add(bytes, this.sighting, start);
      };
    const searches = [{ mark: POSTFIX_MARK, rare: RARE_IN_POSTFIX_MARK, onLine: onLine(readPostfixLine) }];
    if (dovecot) {
      for (const mark of DOVECOT_MARKS)
        searches.push({ mark, rare: RARE_IN_DOVECOT_MARKS, onLine: onLine(readDovecotLine) });
    }
    this.finder = new LineFinder(searches, this.leftOut);
  }

  /** `bytes`: whole lines, which begin at `position` of the log. The sightings in them go into `into`. */
  read(bytes: Buffer, position: number, into: Numbered): void {
    this.position = position;
    this.packed.clear();
    this.finder.find(bytes);
    into.fill(this.packed, this.numbers);
  }
}

/** The line that begins there, or as much of it as will do as an example. */
export function lineAt(bytes: Buffer, start: number): string {
  const end = bytes.indexOf(NEWLINE, start);
  return bytes.toString('utf8', start, Math.min(end < 0 ? bytes.length : end, start + LONGEST_EXAMPLE));
}
