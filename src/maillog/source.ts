// The bytes of one file or pipe, read without streams: for a plain log that is twice as fast.
import * as fs from 'node:fs';
import { waitAWhile } from '../policy/wait';

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
    for (let tries = 0; ; tries++) {
      try {
        const count = fs.readSync(this.descriptor, buffer, offset, length, null);
        this.onBytes(count);
        return count;
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        if (code === 'EINTR') continue;
        // Standard input may have been made non-blocking by another program.
        if (code === 'EAGAIN') waitAWhile(tries);
        else {
          this.damage = message;
          return 0;
        }
      }
    }
  }

  /** The next bytes, or null at the end. */
  next(): Buffer | null {
    const chunk = Buffer.allocUnsafe(CHUNK);
    const count = this.read(chunk, 0, CHUNK);
    return count === 0 ? null : chunk.subarray(0, count);
  }
}
