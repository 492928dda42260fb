// Reads a log in blocks of bytes. A compressed file is recognised by its first bytes and decompressed by gzip, xz, zstd
// or bzip2.
//
// DIAGNOSTICS: of a truncated or damaged file, everything before the damage is read. A missing decompressor is Trouble.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';
import { readSome } from '../descriptor';
import { Trouble } from '../failure';
import { findProgram } from '../postfix/run';
import type { Input } from './input';

const BLOCK = 1 << 20;

/** Program, magic bytes of its files, Debian package. */
const DECOMPRESSORS = [
  ['gzip', '\x1f\x8b', 'gzip'],
  ['xz', '\xfd7zXZ\0', 'xz-utils'],
  ['zstd', '\x28\xb5\x2f\xfd', 'zstd'],
  ['bzip2', 'BZh', 'bzip2'],
] as const;

/**
 * Passes the decompressed bytes to `onBlock` and the number of bytes read from disk to `onBytes`. A block is reused as
 * soon as `onBlock` returns. Returns null, or why the file could not be read to its end; `UTF-16` if it was not read at
 * all.
 */
export async function readBlocks(
  { name, descriptor }: Input,
  onBlock: (block: Buffer) => void,
  onBytes: (count: number) => void,
): Promise<string | null> {
  const blocks = blocksOf(descriptor, onBytes);
  let next = blocks.next();
  if (!next.done) {
    const start = next.value.toString('latin1', 0, 6);
    if (isUtf16(start)) return 'UTF-16';
    const decompressor = DECOMPRESSORS.find(([, magic]) => start.startsWith(magic));
    if (decompressor !== undefined) return decompress(decompressor, name, copies(next.value, blocks), onBlock);
  }
  for (; !next.done; next = blocks.next()) onBlock(next.value);
  return next.value;
}

/** Yields blocks of BLOCK bytes, the last one shorter, all in the same buffer. Returns why reading failed, or null. */
function* blocksOf(descriptor: number, onBytes: (count: number) => void): Generator<Buffer, string | null> {
  const buffer = Buffer.allocUnsafeSlow(BLOCK);
  let failure: string | null = null;
  for (let filled = BLOCK; filled === BLOCK && failure === null; ) {
    filled = 0;
    try {
      for (let count = 1; count > 0 && filled < BLOCK; filled += count) {
        count = readSome(descriptor, buffer, filled);
        onBytes(count);
      }
    } catch (error) {
      failure = (error as Error).message;
    }
    if (filled > 0) yield buffer.subarray(0, filled);
  }
  return failure;
}

/** Whether the file starts with a byte order mark or with an ASCII character in two bytes. */
function isUtf16(start: string): boolean {
  return /^(?:\xff\xfe|\xfe\xff|\0[^\0]|[^\0]\0)/s.test(start);
}

/** Copies each block: a pipe queues what is written to it, and the buffer is reused meanwhile. */
function* copies(first: Buffer, more: Iterable<Buffer>): Generator<Buffer> {
  yield Buffer.from(first);
  for (const block of more) yield Buffer.from(block);
}

async function decompress(
  [program, , debian]: (typeof DECOMPRESSORS)[number],
  name: string,
  compressed: Iterable<Buffer>,
  onBlock: (block: Buffer) => void,
): Promise<string | null> {
  const path = findProgram(program);
  if (path === null) {
    const problem = `${name} is compressed with ${program}, which is not installed`;
    throw new Trouble({ kind: 'refused', problem, hint: `apt-get install ${debian}` });
  }
  const child = spawn(path, ['-dc']);
  const closed = once(child, 'close');
  let stderr = '';
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  // If the program exits early, the write fails too, but the program's own message says why.
  pipeline(compressed, child.stdin).catch(() => {});
  for await (const block of child.stdout) onBlock(block);
  const [status] = await closed;
  return status === 0 ? null : stderr.trim().split('\n')[0] || `${program}: exit status ${status}`;
}
