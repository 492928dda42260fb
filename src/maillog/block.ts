// One block of a file: the lines that begin in it, read to their ends. So a file can be read in pieces, in any order and by several threads,
// and each line is read once.
import * as fs from 'node:fs';
import type { DeliveryReader } from './delivery-reader';
import { LONGEST_LINE, NEWLINE } from './line-finder';
import { BLOCK } from './lines';
import type { Numbered } from './numbered';

export interface ReadBlock {
  /** Where in the file the bytes begin that the lines of the sightings are told of. */
  readonly position: number;
  /** Why reading ended before the end, or null. */
  readonly damage: string | null;
}

/** The byte before the block tells whether a line begins with it; behind it its last line may go on. */
const ROOM = 1 + BLOCK + LONGEST_LINE + 1;

export class BlockReader {
  private readonly buffer = Buffer.allocUnsafeSlow(ROOM);

  constructor(
    private readonly descriptor: number,
    private readonly deliveries: DeliveryReader,
  ) {}

  /** `block`: its number, from 0 on. */
  read(block: number, into: Numbered): ReadBlock {
    const before = block === 0 ? 0 : 1;
    const position = block * BLOCK - before;
    const { bytes, damage } = this.bytesAt(position, before + BLOCK + LONGEST_LINE + 1);
    const isCut = damage !== null || bytes.length === before + BLOCK + LONGEST_LINE + 1;
    const start = block === 0 ? 0 : behindBreak(bytes, 0, bytes.length);
    let lines = bytes.subarray(0, 0);
    if (start < Math.min(before + BLOCK, bytes.length)) {
      let end = behindBreak(bytes, before + BLOCK - 1, isCut ? -1 : bytes.length);
      if (end < 0) {
        if (damage === null) this.deliveries.leftOut.tooLong++;
        end = bytes.lastIndexOf(NEWLINE, before + BLOCK - 1) + 1;
      }
      lines = bytes.subarray(0, Math.max(start, end)).subarray(start);
    }
    this.deliveries.read(lines, position + start, into);
    return { position: position + start, damage };
  }

  private bytesAt(position: number, length: number): { bytes: Buffer; damage: string | null } {
    let filled = 0;
    let damage: string | null = null;
    while (filled < length) {
      try {
        const count = fs.readSync(this.descriptor, this.buffer, filled, length - filled, position + filled);
        if (count === 0) break;
        filled += count;
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        if (code === 'EINTR') continue;
        damage = message;
        break;
      }
    }
    return { bytes: this.buffer.subarray(0, filled), damage };
  }
}

/** Behind the first line break at `from` or later; `otherwise` when there is none. */
function behindBreak(bytes: Buffer, from: number, otherwise: number): number {
  if (from >= bytes.length) return otherwise;
  const at = bytes.indexOf(NEWLINE, from);
  return at < 0 ? otherwise : at + 1;
}
