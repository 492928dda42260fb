// The bytes of one file or pipe, read without streams: for a plain log that is twice as fast.
import { readSome } from '../descriptor';

const CHUNK = 1 << 16;

export class Source {
  /** Why reading ended before the end, or null. */
  damage: string | null = null;

  constructor(
    private readonly descriptor: number,
    private readonly onBytes: (count: number) => void,
  ) {}

  /** Up to `length` bytes into `buffer`; how many, 0 at the end. */
  read(buffer: Buffer, offset: number, length: number): number {
    try {
      const count = readSome(this.descriptor, buffer.subarray(0, offset + length), offset);
      this.onBytes(count);
      return count;
    } catch (error) {
      this.damage = (error as Error).message;
      return 0;
    }
  }

  /** The next bytes, or null at the end. */
  next(): Buffer | null {
    const chunk = Buffer.allocUnsafe(CHUNK);
    const count = this.read(chunk, 0, CHUNK);
    return count === 0 ? null : chunk.subarray(0, count);
  }
}
