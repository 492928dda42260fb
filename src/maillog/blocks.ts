// Reads a log in blocks of bytes. Compressed files, known by their first bytes, are unpacked by the system's own
// programs.
//
// DIAGNOSTICS: a file that is cut off or damaged gives what came before. A program that is not installed is Trouble.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';
import { readSome } from '../descriptor';
import { Trouble } from '../failure';
import { findProgram } from '../postfix/run';
import type { Input } from './input';

const BLOCK = 1 << 20;

/** Programs, the bytes with which their files begin, and Debian's packages. */
const UNPACKERS = [
  ['gzip', '\x1f\x8b', 'gzip'],
  ['xz', '\xfd7zXZ\0', 'xz-utils'],
  ['zstd', '\x28\xb5\x2f\xfd', 'zstd'],
  ['bzip2', 'BZh', 'bzip2'],
] as const;

/**
 * Passes the unpacked bytes to `onBlock`, each block valid until it returns, and the number of bytes read to `onBytes`.
 * Returns why reading ended before the end of the file, or null. `UTF-16`: nothing was read.
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
    const unpacker = UNPACKERS.find(([, magic]) => start.startsWith(magic));
    if (unpacker !== undefined) return unpack(unpacker, name, copies(next.value, blocks), onBlock);
  }
  for (; !next.done; next = blocks.next()) onBlock(next.value);
  return next.value;
}

/** Blocks of BLOCK bytes, the last one shorter, all in the same memory. Returns why reading failed, or null. */
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

/** A byte order mark, or a character of ASCII in two bytes. */
function isUtf16(start: string): boolean {
  return /^(?:\xff\xfe|\xfe\xff|\0[^\0]|[^\0]\0)/s.test(start);
}

/** A pipe keeps what is written to it, so it cannot have the memory that is used again. */
function* copies(first: Buffer, more: Iterable<Buffer>): Generator<Buffer> {
  yield Buffer.from(first);
  for (const block of more) yield Buffer.from(block);
}

async function unpack(
  [program, , debian]: (typeof UNPACKERS)[number],
  name: string,
  packed: Iterable<Buffer>,
  onBlock: (block: Buffer) => void,
): Promise<string | null> {
  const path = findProgram(program);
  if (path === null) {
    const problem = `${name} is compressed with ${program}, which is not installed`;
    throw new Trouble({ kind: 'refused', problem, hint: `apt-get install ${debian}` });
  }
  const child = spawn(path, ['-dc']);
  const closed = once(child, 'close');
  let complaint = '';
  child.stderr.on('data', (text) => {
    complaint += text;
  });
  // When the program ends early, its own message says why.
  pipeline(packed, child.stdin).catch(() => {});
  for await (const block of child.stdout) onBlock(block);
  const [status] = await closed;
  return status === 0 ? null : complaint.trim().split('\n')[0] || `${program}: exit status ${status}`;
}
