// Splits the bytes of an input into lines of text, with one block and one line in memory.
//
// DIAGNOSTICS: input that is not UTF-8 text, one that is something else (looks.ts) and an overlong line are Trouble.
import { readSome } from '../descriptor';
import { refusal } from '../failure';
import { checkBytes, checkLine } from './looks';

/** V8 treats larger strings as large objects, which cost a page fault for every 4 KB. */
const BLOCK = 64 * 1024;

/** The most characters in a record. */
export const LONGEST = 64 * 1024;

/** The most characters in a JSON text that stands in one line, or is one value. */
export const LONGEST_JSON = 64 * 1024 * 1024;

/** Yields all bytes of a descriptor; a block is reused for the next one. */
export function* blocksOf(descriptor: number): Iterable<Buffer> {
  const block = Buffer.allocUnsafe(BLOCK);
  for (let read = readNext(descriptor, block); read > 0; read = readNext(descriptor, block)) {
    yield block.subarray(0, read);
  }
}

function readNext(descriptor: number, block: Buffer): number {
  try {
    return readSome(descriptor, block);
  } catch (error) {
    const problem = `the input cannot be read (${(error as Error).message})`;
    throw refusal(problem, 'nothing was changed; copy the input elsewhere and read that');
  }
}

export class Lines implements Iterable<string> {
  /** The first line that is not blank; empty if there is none. */
  readonly first: string;
  readonly isJson: boolean;
  /** The number of the current line, from 1. */
  number = 0;
  /** False if the last line has no line break: the input may be truncated. */
  isComplete = true;
  private readonly lines: Generator<string>;

  constructor(blocks: Iterable<Buffer>) {
    this.lines = this.split(textOf(blocks));
    let next = this.lines.next();
    while (!next.done && next.value.trim() === '') next = this.lines.next();
    this.first = next.done ? '' : next.value;
    this.isJson = looksLikeJson(this.first);
    if (!this.isJson) checkLine(this.first);
  }

  /** The lines without their line feeds, from the first one that is not blank. Can be iterated once. */
  *[Symbol.iterator](): Iterator<string> {
    if (this.first === '') return;
    yield this.first;
    yield* this.lines;
  }

  private *split(texts: Iterable<string>): Generator<string> {
    let longest = LONGEST;
    let rest = '';
    for (const text of texts) {
      const lines = text.split('\n');
      if (rest === '' && looksLikeJson(text)) longest = LONGEST_JSON;
      rest += lines[0];
      if (rest.length > longest) {
        checkLine(rest);
        const hint = 'nothing after it was read; is this a list, one record a line?';
        throw refusal(`line ${this.number + 1} is longer than ${longest / 1024} KB`, hint);
      }
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
}

/** An IPv6 network of Postfix begins with a bracket, too: [2001:db8::]/32. */
function looksLikeJson(text: string): boolean {
  return /^\s*(?:\{|\[\s*(?:[[{"\]]|$))/.test(text);
}

/** Decodes UTF-8 and drops a byte order mark. */
function* textOf(blocks: Iterable<Buffer>): Iterable<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let isFirst = true;
  try {
    for (const block of blocks) {
      if (isFirst) checkBytes(block);
      isFirst = false;
      yield decoder.decode(block, { stream: true });
    }
    yield decoder.decode();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const hint = 'save it as UTF-8, or convert it: iconv -f windows-1252 -t utf-8 FILE';
    throw refusal('the input is not UTF-8 text', hint);
  }
}
