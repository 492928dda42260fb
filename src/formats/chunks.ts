// The bytes of an input as text, chunk by chunk: an input of any length needs no more memory than a chunk.
import { isAscii } from 'node:buffer';
import * as fs from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import { readSome } from '../descriptor';
import { Trouble } from '../failure';

/** A text of this size still lies among V8's small objects; larger ones cost a page fault for every 4 KB. */
const CHUNK = 64 * 1024;

/** What can be read from a descriptor until its end. `count` gets the number of bytes of each chunk. */
export function* bytesOf(descriptor: number, count: (bytes: number) => void = () => {}): Iterable<Buffer> {
  const chunk = Buffer.allocUnsafe(CHUNK);
  for (;;) {
    const read = readNext(descriptor, chunk);
    if (read === 0) return;
    yield chunk.subarray(0, read);
    count(read);
  }
}

/** A file from its beginning, wherever its descriptor stands. */
export function* bytesOfFile(descriptor: number): Iterable<Buffer> {
  const chunk = Buffer.allocUnsafe(CHUNK);
  for (let at = 0; ; ) {
    const read = fs.readSync(descriptor, chunk, 0, CHUNK, at);
    if (read === 0) return;
    at += read;
    yield chunk.subarray(0, read);
  }
}

function readNext(descriptor: number, chunk: Buffer): number {
  try {
    return readSome(descriptor, chunk);
  } catch (error) {
    const problem = `the input cannot be read (${(error as Error).message})`;
    throw refused(problem, 'nothing was changed; copy the input elsewhere and read that');
  }
}

/** UTF-8 bytes as text, a byte order mark left out. What is not UTF-8 becomes U+FFFD, which no name and no network may hold. */
export function* textOf(chunks: Iterable<Buffer>): Iterable<string> {
  const decoder = new StringDecoder('utf8');
  let first = true;
  // Whether the decoder may hold the beginning of a character.
  let begun = false;
  for (const chunk of chunks) {
    if (first) refuseOtherBytes(chunk);
    // Plain ASCII, as nearly all input is, needs a tenth of the time.
    const text = !begun && isAscii(chunk) ? chunk.toString('latin1') : decoder.write(chunk);
    begun = (chunk.at(-1) ?? 0) > 0x7f || (begun && chunk.length === 0);
    yield first && text.startsWith('\ufeff') ? text.slice(1) : text;
    first = false;
  }
  yield decoder.end();
}

/** How files begin that are not text in UTF-8. */
const OTHERS: readonly (readonly [start: string, what: string, hint: string])[] = [
  ['\x1f\x8b', 'compressed by gzip', 'gzip -dc FILE, and a pipe into this command with - for FILE'],
  ['\xfd7zXZ', 'compressed by xz', 'xz -dc FILE, and a pipe into this command with - for FILE'],
  ['\x28\xb5\x2f\xfd', 'compressed by zstd', 'zstd -dc FILE, and a pipe into this command with - for FILE'],
  ['BZh', 'compressed by bzip2', 'bzip2 -dc FILE, and a pipe into this command with - for FILE'],
  ['PK\x03\x04', 'a ZIP file or a spreadsheet', 'unpack it, or save the spreadsheet as CSV'],
  ['SQLite format 3\0', 'an SQLite database', 'for one of allow-nets: allow-nets export --db FILE'],
];

function refuseOtherBytes(start: Buffer): void {
  const text = start.subarray(0, 64).toString('latin1');
  for (const [mark, what, hint] of OTHERS) {
    if (text.startsWith(mark)) throw refused(`the input is ${what}`, hint);
  }
  // Without a byte order mark, half of the bytes of western text are zero.
  if (/^(?:\xff\xfe|\xfe\xff|[^\0]\0[^\0]\0|\0[^\0]\0[^\0])/.test(text)) {
    const order = text.startsWith('\0') || text.startsWith('\xfe') ? 'be' : 'le';
    throw refused('the input is UTF-16 text', `save it as UTF-8, or convert it: iconv -f utf-16${order} -t utf-8 FILE`);
  }
}

function refused(problem: string, hint: string): Trouble {
  return new Trouble({ kind: 'refused', problem, hint });
}
