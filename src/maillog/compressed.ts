// Compressed logs: gzip by zlib, the others by the system's programs.
//
// A file that is cut off or damaged gives what came before, and a sentence about it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { Trouble } from '../failure';

export type Compression = 'gzip' | 'xz' | 'zstd' | 'bzip2';

const MAGIC: readonly [Compression, Buffer][] = [
  ['gzip', Buffer.from([0x1f, 0x8b])],
  ['xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])],
  ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd])],
  ['bzip2', Buffer.from('BZh')],
];

/** So many first bytes tell it. */
export const MAGIC_LENGTH = 6;

const PACKAGES = { xz: 'xz-utils', zstd: 'zstd', bzip2: 'bzip2' };

/** Told by the first bytes of a file. Null: not compressed. */
export function compressionOf(first: Buffer): Compression | null {
  const found = MAGIC.find(([, magic]) => first.subarray(0, magic.length).equals(magic));
  return found?.[0] ?? null;
}

/** Bytes one after the other; null at the end. */
export interface Chunks {
  next(): Buffer | null;
}

/** Hands the unpacked bytes of `first` and the rest to `onChunk`. What was wrong with them, or null. `name`: for what goes wrong. */
export function decompress(
  compression: Compression,
  name: string,
  first: Buffer,
  rest: Chunks,
  onChunk: (chunk: Buffer) => void,
): Promise<string | null> {
  if (compression === 'gzip') return gunzip(first, rest, onChunk);
  return throughProgram(compression, name, first, rest, onChunk);
}

async function gunzip(first: Buffer, rest: Chunks, onChunk: (chunk: Buffer) => void): Promise<string | null> {
  const stream = createGunzip({ chunkSize: 1 << 18 });
  stream.on('data', onChunk);
  try {
    for (let chunk: Buffer | null = first; chunk !== null && !stream.readableEnded; chunk = rest.next()) {
      // Each chunk is unpacked before the end is told: zlib drops what the last one held when the end is missing.
      await written(stream, chunk);
    }
    stream.end();
    if (!stream.readableEnded) await once(stream, 'end');
    return null;
  } catch (error) {
    return `gzip: ${(error as Error).message}`;
  }
}

async function throughProgram(
  program: Exclude<Compression, 'gzip'>,
  name: string,
  first: Buffer,
  rest: Chunks,
  onChunk: (chunk: Buffer) => void,
): Promise<string | null> {
  const child = spawn(program, ['-dc'], { stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    if (said.length < 1000) said += chunk.toString();
  });
  child.stdout.on('data', onChunk);
  const closed = once(child, 'close');
  try {
    await once(child, 'spawn');
  } catch {
    closed.catch(() => {});
    throw new Trouble({
      kind: 'refused',
      problem: `${name} is packed with ${program}, and there is no program ${program}`,
      hint: `install it: apt-get install ${PACKAGES[program]}`,
    });
  }
  try {
    for (let chunk: Buffer | null = first; chunk !== null; chunk = rest.next()) {
      await written(child.stdin, chunk);
    }
  } catch {
    // It gave up: its exit status and its words tell why.
  }
  child.stdin.on('error', () => {});
  child.stdin.end();
  const [status] = await closed;
  return status === 0 ? null : (said.split('\n')[0] ?? '') || `${program}: exit status ${status}`;
}

/** Writes and waits until the bytes were taken. Rejects with the stream's error. */
function written(stream: Writable, chunk: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.once('error', reject);
    stream.write(chunk, (error) => {
      if (error) return;
      stream.off('error', reject);
      resolve();
    });
  });
}
