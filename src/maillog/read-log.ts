// From the files of a mail log to what is looked for in them, one file after the other, one line after the other.
//
// DIAGNOSTICS: nothing is left out in silence. A file that ends in the middle of its compressed data, or that cannot be read further, gives what came
// before; that, and the lines that could not be read, are in the answer.
import * as fs from 'node:fs';
import { HeadReader, type LineKind, type NotRead, utf8 } from './head';
import type { Input } from './input';
import { LineFinder } from './lines';
import { MAGIC_LENGTH, Source, unpack, unpackerOf } from './source';

/** What could not be read of one file. */
export interface Reading {
  readonly name: string;
  /** Why the file could not be read to its end, or null: `UTF-16`, or a message of the system. */
  readonly damage: string | null;
  /** Lines that begin as one that is looked for and do not go on like it. */
  readonly broken: Lines;
  /** Lines that could be meant, of a form that is not known. */
  readonly unknown: Lines;
  readonly tooLong: number;
  readonly withNul: number;
}

export interface Lines {
  count: number;
  /** The first of them. */
  example: string;
}

const LONGEST_EXAMPLE = 160;

/** Reads the files. `onFound` gets what `kinds` find, with the time of the line in seconds since 1970. `onBytes`: as for Source; called between blocks. */
export async function readLog<Found extends object>(
  inputs: readonly Input[],
  kinds: readonly LineKind<Found>[],
  onFound: (found: Found, seconds: number) => void,
  onBytes: (count: number) => void,
): Promise<Reading[]> {
  const readings: Reading[] = [];
  for (const input of inputs) {
    readings.push(await readFile(input, kinds, onFound, onBytes));
    if (input.descriptor !== 0) fs.closeSync(input.descriptor);
  }
  return readings;
}

async function readFile<Found extends object>(
  { name, descriptor, latest }: Input,
  kinds: readonly LineKind<Found>[],
  onFound: (found: Found, seconds: number) => void,
  onBytes: (count: number) => void,
): Promise<Reading> {
  const heads = new HeadReader(latest);
  const notRead = { broken: { count: 0, example: '' }, unknown: { count: 0, example: '' } };
  const marks = kinds.flatMap((kind) => kind.marks).map((mark) => Buffer.from(mark));
  const finder = new LineFinder(marks, (line) => {
    const head = heads.read(line);
    let result: Found | NotRead = 'other';
    for (const kind of kinds) {
      result = head === null ? (kind.isLike(line) ? 'unknown' : 'other') : kind.read(head);
      if (result !== 'other') break;
    }
    if (typeof result === 'object') onFound(result, head?.seconds ?? 0);
    else if (result !== 'other' && notRead[result].count++ === 0) {
      notRead[result].example = utf8(line.slice(0, LONGEST_EXAMPLE));
    }
  });

  const source = new Source(descriptor, onBytes);
  const first = source.peek(MAGIC_LENGTH);
  const program = unpackerOf(first);
  let damage: string | null = isUtf16(first) ? 'UTF-16' : null;
  if (program === null) {
    while (finder.fill((...room) => source.read(...room)));
  } else damage = await unpack(program, name, source.chunks(), (chunk) => finder.write(chunk));
  damage = source.damage ?? damage;
  finder.end(damage === null);
  return { name, damage, ...notRead, tooLong: finder.tooLong, withNul: finder.withNul };
}

/** A byte order mark, or a character of ASCII in two bytes. */
function isUtf16(first: Buffer): boolean {
  const [a, b] = first;
  return (a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff) || (a !== b && (a === 0 || b === 0));
}
