// The bytes of a log file or of standard input. Compressed ones are unpacked by the system's own programs; compression is recognised by a file's first bytes, not by its name.
//
// DIAGNOSTICS: a file that is cut off or damaged gives what came before, and what the program says about it. A program that is not installed is
// Trouble.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { readSome } from '../descriptor';
import { Trouble } from '../failure';

const PROGRAMS = {
  gzip: { magic: Buffer.from([0x1f, 0x8b]), debian: 'gzip' },
  xz: { magic: Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]), debian: 'xz-utils' },
  zstd: { magic: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), debian: 'zstd' },
  bzip2: { magic: Buffer.from('BZh'), debian: 'bzip2' },
};
type Program = keyof typeof PROGRAMS;

/** The longest of the magic numbers. */
export const MAGIC_LENGTH = 6;

/** The program that unpacks what begins with these bytes; null when it is not compressed. */
export function unpackerOf(first: Buffer): Program | null {
  const names = Object.keys(PROGRAMS) as Program[];
  const isIts = (magic: Buffer) => first.subarray(0, magic.length).equals(magic);
  return names.find((name) => isIts(PROGRAMS[name].magic)) ?? null;
}

/** Hands the unpacked bytes to `onChunk`. Returns what was wrong with them, or null. `name`: of the file, for messages. */
export async function unpack(
  program: Program,
  name: string,
  packed: Iterable<Buffer>,
  onChunk: (chunk: Buffer) => void,
): Promise<string | null> {
  const child = spawn(program, ['-dc'], { stdio: ['pipe', 'pipe', 'pipe'] });
  const closed = once(child, 'close');
  try {
    await once(child, 'spawn');
  } catch {
    closed.catch(() => {});
    throw new Trouble({
      kind: 'refused',
      problem: `${name} is compressed with ${program}, which is not installed`,
      hint: `apt-get install ${PROGRAMS[program].debian}`,
    });
  }
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => {
    if (complaint.length < 1000) complaint += chunk.toString();
  });
  // A program that gives up early says why by itself.
  child.stdin.on('error', () => {});
  Readable.from(packed).pipe(child.stdin);
  child.stdout.on('data', onChunk);
  const [status] = await closed;
  if (status === 0) return null;
  return complaint.trim().split('\n')[0] || `${program}: exit status ${status}`;
}

const CHUNK = 1 << 16;

/** Reads into a buffer of the caller's: with streams, each block would be new memory. */
export class Source {
  /** Why reading ended before the end of the file, or null. */
  damage: string | null = null;
  /** Read already, to have a look at them. */
  private ahead = Buffer.alloc(0);

  /** `onBytes` gets how many bytes were read, again and again. */
  constructor(
    private readonly descriptor: number,
    private readonly onBytes: (count: number) => void,
  ) {}

  /** The first bytes, `length` of them unless the file is shorter. They are read again by `read`. */
  peek(length: number): Buffer {
    const first = Buffer.alloc(length);
    let filled = 0;
    for (let count = 1; count > 0 && filled < length; filled += count) {
      count = this.read(first, filled, length - filled);
    }
    this.ahead = first.subarray(0, filled);
    return this.ahead;
  }

  /** Up to `length` bytes into `buffer` at `offset`. Returns how many; 0 at the end. */
  read(buffer: Buffer, offset: number, length: number): number {
    if (this.ahead.length > 0) {
      const count = this.ahead.copy(buffer, offset, 0, length);
      this.ahead = this.ahead.subarray(count);
      return count;
    }
    try {
      const count = readSome(this.descriptor, buffer.subarray(0, offset + length), offset);
      this.onBytes(count);
      return count;
    } catch (error) {
      this.damage = (error as Error).message;
      return 0;
    }
  }

  *chunks(): Iterable<Buffer> {
    for (;;) {
      const chunk = Buffer.allocUnsafe(CHUNK);
      const count = this.read(chunk, 0, CHUNK);
      if (count === 0) return;
      yield chunk.subarray(0, count);
    }
  }
}
