// The bytes of an input as text, chunk by chunk: an input of any length needs no more memory than a chunk.
import { isAscii } from 'node:buffer';
import { StringDecoder } from 'node:string_decoder';
import { readSome } from '../descriptor';
import { Trouble } from '../failure';

/** A text of this size still lies among V8's small objects; larger ones cost a page fault for every 4 KB. */
const CHUNK = 64 * 1024;

/** What can be read from a descriptor until its end. `told` gets the number of bytes of each chunk. */
export function* bytesOf(descriptor: number, told: (bytes: number) => void = () => {}): Iterable<Buffer> {
  const chunk = Buffer.allocUnsafe(CHUNK);
  for (;;) {
    const read = readNext(descriptor, chunk);
    if (read === 0) return;
    yield chunk.subarray(0, read);
    told(read);
  }
}

function unreadable({ message }: Error): Trouble {
  const hint = 'nothing was changed; copy the input elsewhere and read that';
  return new Trouble({ kind: 'refused', problem: `the input cannot be read (${message})`, hint });
}

/** UTF-8 bytes as text, a byte order mark left out. What is not UTF-8 becomes U+FFFD, which no name and no network may hold. */
export function* textOf(chunks: Iterable<Buffer>): Iterable<string> {
  const decoder = new StringDecoder('utf8');
  let first = true;
  // Whether the decoder may hold the beginning of a character.
  let begun = false;
  for (const chunk of chunks) {
    if (first) refuseUtf16(chunk);
    // Plain ASCII, as nearly all input is, needs a tenth of the time.
    const text = !begun && isAscii(chunk) ? chunk.toString('latin1') : decoder.write(chunk);
    begun = (chunk.at(-1) ?? 0) > 0x7f || (begun && chunk.length === 0);
    yield first && text.startsWith('\ufeff') ? text.slice(1) : text;
    first = false;
  }
  yield decoder.end();
}

function refuseUtf16(start: Buffer): void {
  const mark = start.length < 2 ? 0 : start.readUInt16BE(0);
  if (mark === 0xfeff || mark === 0xfffe) {
    const hint = 'save it as UTF-8, or: iconv -f utf-16 -t utf-8 FILE | allow-nets import -';
    throw new Trouble({ kind: 'refused', problem: 'the input is UTF-16 text', hint });
  }
}

function readNext(descriptor: number, chunk: Buffer): number {
  try {
    return readSome(descriptor, chunk);
  } catch (error) {
    throw unreadable(error as Error);
  }
}
