// From the files of a mail log to sightings: reads them one after the other and keeps account of what could not be read.
import { DOVECOT_MARKS, readDovecotLine } from './dovecot-line';
import { HeadReader } from './head';
import { type Input, readInput } from './input';
import { LineScanner } from './lines';
import { POSTFIX_MARK, readPostfixLine } from './postfix-line';
import { Batch, type Sighting } from './sighting';

/** What could not be read of one file. */
export interface Reading {
  readonly name: string;
  /** Why the file could not be read to its end, or null. */
  readonly damage: string | null;
  /** Lines that should be deliveries and are not well formed, the first of them as an example. */
  readonly broken: number;
  readonly example: string | null;
  readonly tooLong: number;
  readonly withNul: number;
}

/** Takes sightings, their offsets into `bytes` good until it returns, and tells of each whose user name or address cannot be one. */
export type OnSightings = (bytes: Buffer, batch: Batch, onUnreadable: (sighting: Sighting) => void) => void;

export interface ReadOptions {
  /** Dovecot's logins count too. */
  readonly dovecot: boolean;
  /** Told how many bytes were read, again and again. */
  readonly onBytes: (count: number) => void;
}

const NEWLINE = 10;
const LONGEST_EXAMPLE = 160;

export async function readLog(
  inputs: readonly Input[],
  options: ReadOptions,
  onSightings: OnSightings,
): Promise<Reading[]> {
  const readings: Reading[] = [];
  for (const input of inputs) readings.push(await readOne(input, options, onSightings));
  return readings;
}

async function readOne(
  input: Input,
  { dovecot, onBytes }: ReadOptions,
  onSightings: OnSightings,
): Promise<Reading> {
  const head = new HeadReader(input.latest);
  const batch = new Batch();
  let broken = 0;
  let example: string | null = null;
  const onBroken = (bytes: Buffer, start: number, end: number) => {
    broken++;
    example ??= bytes.toString('utf8', start, Math.min(end, start + LONGEST_EXAMPLE));
  };
  const flush = (bytes: Buffer) => {
    onSightings(bytes, batch, ({ addressStart, userEnd }) => {
      const end = bytes.indexOf(NEWLINE, userEnd);
      onBroken(bytes, bytes.lastIndexOf(NEWLINE, addressStart) + 1, end < 0 ? bytes.length : end);
    });
    batch.size = 0;
  };
  const onLine = (readLine: typeof readPostfixLine) => (bytes: Buffer, start: number, end: number) => {
    const sighting = batch.next;
    const what = head.read(bytes, start, end) ? readLine(bytes, head, end, sighting) : 'broken';
    if (what === 'broken') onBroken(bytes, start, end);
    if (what !== 'delivery') return;
    sighting.seconds = head.seconds;
    batch.size++;
    if (batch.isFull) flush(bytes);
  };
  const searches = [{ mark: POSTFIX_MARK, onLine: onLine(readPostfixLine) }];
  if (dovecot) for (const mark of DOVECOT_MARKS) searches.push({ mark, onLine: onLine(readDovecotLine) });
  const scanner = new LineScanner(searches, flush);
  const damage = await readInput(input, scanner, onBytes);
  const { tooLong, withNul } = scanner;
  return { name: input.name, damage, broken, example, tooLong, withNul };
}
