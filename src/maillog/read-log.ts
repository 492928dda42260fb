// Reads a mail log and finds the lines of the given kinds.
//
// DIAGNOSTICS: nothing is skipped silently. The ReadReport of a file says what could not be read.
import * as fs from 'node:fs';
import { readBlocks } from './blocks';
import { type Head, readHead, utf8 } from './head';
import type { Input } from './input';
import { LineFinder } from './lines';
import { StampReader } from './stamp';

/** A user and an address, as one log line names them. */
export interface Sighting {
  /** As the client gave it. */
  readonly user: string;
  /** An IP address, `unknown`, or an address that is valid on one interface only. */
  readonly address: string;
  /** How many equal lines this one stands for. */
  readonly times: number;
  /** Set for refusals. */
  readonly reason?: string;
}

/**
 * `other`: a line of another kind. `broken`: a damaged line of this kind. `unknown`: possibly a line of this kind, in a
 * form that is not known.
 */
export type NoSighting = 'other' | 'broken' | 'unknown';

export interface LineKind {
  /** Only lines that contain one of these texts are parsed. */
  readonly marks: readonly string[];
  /** Whether a line whose header cannot be parsed could be of this kind. */
  isLike(line: string): boolean;
  read(head: Head): Sighting | NoSighting;
}

/** What could not be read in one file. */
export interface ReadReport {
  readonly name: string;
  /** Null, or why the file could not be read to its end; `UTF-16` if it was not read at all. */
  readonly damage: string | null;
  readonly broken: Lines;
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

/** `onFound` gets the time of the line in seconds since 1970, `onBytes` the number of bytes of each read. */
export async function readLog(
  input: Input,
  kinds: readonly LineKind[],
  onFound: (found: Sighting, seconds: number) => void,
  onBytes: (count: number) => void,
): Promise<ReadReport> {
  const stamps = new StampReader(input.latest);
  const notRead = { broken: { count: 0, example: '' }, unknown: { count: 0, example: '' } };
  const finder = new LineFinder(
    kinds.flatMap(({ marks }) => marks),
    (line) => {
      const head = readHead(line, stamps);
      let result: Sighting | NoSighting = 'other';
      for (const kind of kinds) {
        result = head === null ? (kind.isLike(line) ? 'unknown' : 'other') : kind.read(head);
        if (result !== 'other') break;
      }
      if (typeof result === 'object') onFound(result, head?.seconds ?? 0);
      else if (result !== 'other' && notRead[result].count++ === 0) {
        notRead[result].example = utf8(line.slice(0, LONGEST_EXAMPLE));
      }
    },
  );
  const damage = await readBlocks(input, (block) => finder.add(block), onBytes);
  // Where reading stops early, the last line is incomplete.
  if (damage === null) finder.end();
  if (input.descriptor !== 0) fs.closeSync(input.descriptor);
  return { name: input.name, damage, ...notRead, tooLong: finder.tooLong, withNul: finder.withNul };
}
