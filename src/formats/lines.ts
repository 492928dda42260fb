// Splits the bytes of an input into lines of text, with one block and one line in memory.
//
// DIAGNOSTICS: input that is not UTF-8 text (compressed, UTF-16, a spreadsheet), a web page and an overlong line are
// Trouble with a hint.
import { StringDecoder } from 'node:string_decoder';
import type { Refusal } from '../cli/input';
import { readSome } from '../descriptor';
import { Trouble } from '../failure';

/** V8 treats larger strings as large objects, which cost a page fault for every 4 KB. */
const BLOCK = 64 * 1024;

/** The most characters in a line of fields. */
export const LONGEST = 64 * 1024;

/** The most characters in a line of JSON, which may contain all objects. */
export const LONGEST_JSON = 64 * 1024 * 1024;

/** Yields all bytes of a descriptor; a block is reused for the next one. `count` gets the size of each block. */
export function* blocksOf(descriptor: number, count: (bytes: number) => void = () => {}): Iterable<Buffer> {
  const block = Buffer.allocUnsafe(BLOCK);
  for (;;) {
    const read = readNext(descriptor, block);
    if (read === 0) return;
    yield block.subarray(0, read);
    count(read);
  }
}

function readNext(descriptor: number, block: Buffer): number {
  try {
    return readSome(descriptor, block);
  } catch (error) {
    const problem = `the input cannot be read (${(error as Error).message})`;
    throw refused({ problem, hint: 'nothing was changed; copy the input elsewhere and read that' });
  }
}

export class Lines implements Iterable<string> {
  /** The first line that is not blank; empty if there is none. */
  readonly first: string;
  /** The number of the current line, from 1. */
  number = 0;
  /** False if the last line has no line break: the input may be truncated. */
  isComplete = true;
  private readonly lines: Generator<string>;
  private longest = LONGEST;

  constructor(blocks: Iterable<Buffer>) {
    this.lines = this.split(textOf(blocks));
    let next = this.lines.next();
    while (!next.done && next.value.trim() === '') next = this.lines.next();
    this.first = next.done ? '' : next.value;
    const refusal = refusePage(this.first) ?? refuseCr(this.first);
    if (refusal !== null) throw refused(refusal);
  }

  /** The lines without their line feeds, from the first one that is not blank. Can be iterated once. */
  *[Symbol.iterator](): Iterator<string> {
    if (this.first === '') return;
    yield this.first;
    yield* this.lines;
  }

  private *split(texts: Iterable<string>): Generator<string> {
    let rest = '';
    for (const text of texts) {
      const lines = text.split('\n');
      if (rest === '' && /^\s*[[{]/.test(text)) this.longest = LONGEST_JSON;
      rest += lines[0];
      if (rest.length > this.longest) this.tooLong(rest);
      for (let i = 1; i < lines.length; i++) {
        this.number++;
        yield rest;
        rest = lines[i] ?? '';
      }
    }
    if (rest === '') return;
    this.isComplete = false;
    this.number++;
    yield rest;
  }

  private tooLong(text: string): never {
    const size = this.longest === LONGEST ? '64 KB' : '64 MB';
    const hint =
      this.longest === LONGEST
        ? 'nothing after it was read; is this a list of users and networks?'
        : "write one object a line: jq -c '.[]' FILE";
    throw refused(refuseCr(text) ?? { problem: `line ${this.number + 1} is longer than ${size}`, hint });
  }
}

/** Decodes UTF-8 and drops a byte order mark. Invalid bytes become U+FFFD, which names and networks cannot contain. */
function* textOf(blocks: Iterable<Buffer>): Iterable<string> {
  const decoder = new StringDecoder('utf8');
  let isFirst = true;
  for (const block of blocks) {
    if (isFirst) refuseBytes(block);
    const text = decoder.write(block);
    yield isFirst && text.startsWith('\ufeff') ? text.slice(1) : text;
    isFirst = false;
  }
  yield decoder.end();
}

const PIPED = (command: string) => `${command} FILE, and a pipe into this command with - for FILE`;

/** The first bytes, in hexadecimal, of files that are not UTF-8 text. */
const OTHERS: readonly (readonly [start: RegExp, what: string, hint: string])[] = [
  [/^1f8b/, 'compressed by gzip', PIPED('gzip -dc')],
  [/^fd377a585a/, 'compressed by xz', PIPED('xz -dc')],
  [/^28b52ffd/, 'compressed by zstd', PIPED('zstd -dc')],
  [/^425a68/, 'compressed by bzip2', PIPED('bzip2 -dc')],
  [/^504b0304/, 'a ZIP file or a spreadsheet', 'unpack it, or save the spreadsheet as CSV'],
  [/^53514c69746520666f726d6174/, 'an SQLite database', 'for one of allow-nets: allow-nets export --db FILE'],
  // In UTF-16 without a byte order mark, every second byte of western text is zero.
  [/^(?:fffe|(?!00)..00(?!00)..00)/, 'UTF-16 text', 'save it as UTF-8, or convert it: iconv -f utf-16le -t utf-8 FILE'],
  [/^(?:feff|00(?!00)..00(?!00))/, 'UTF-16 text', 'save it as UTF-8, or convert it: iconv -f utf-16be -t utf-8 FILE'],
  [/^(?:..)*00/, 'not text', 'save it as text: CSV in UTF-8'],
];

function refuseBytes(start: Buffer): void {
  const digits = start.toString('hex', 0, 16);
  const found = OTHERS.find(([mark]) => mark.test(digits));
  if (found !== undefined) throw refused({ problem: `the input is ${found[1]}`, hint: found[2] });
}

function refusePage(first: string): Refusal | null {
  if (!/^\s*<(?:!doctype|html|\?xml|head|body)/i.test(first)) return null;
  return { problem: 'the input is an HTML or XML page', hint: 'it may be an error page that curl saved: curl --fail' };
}

/** Refuses lines that end in CR alone, as old spreadsheets write them: the whole input would be one line. */
function refuseCr(line: string): Refusal | null {
  if (!/\r./s.test(line.replace(/"[^"]*"/g, ''))) return null;
  const hint = PIPED("convert it: tr '\\r' '\\n' <");
  return { problem: 'the lines do not end as text does here: they end in CR alone', hint };
}

function refused({ problem, hint }: Refusal): Trouble {
  return new Trouble({ kind: 'refused', problem, hint });
}
