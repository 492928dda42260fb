// Lines of fields: CSV (RFC 4180), and tab- or bar-separated text as `mysql --batch` and `psql -A` print it.
//
// A line that cannot be taken apart comes out with the problem, and the reading goes on after it.
import type { Refusal } from '../cli/input';
import type { Dialect } from './format';

/** `line`: where it begins, from 1. A field is null where the format has a word for it (NULL, \N). */
export interface Fields {
  readonly line: number;
  readonly fields: readonly (string | null)[];
  readonly problem: Refusal | null;
}

/** No record is longer: a quote that is never closed must not swallow the rest of the input. */
const LONGEST = 1 << 20;

/** Calls `take` with each record, until it gives false or the input ends. */
export function readFields(
  chunks: Iterable<string>,
  dialect: Dialect,
  take: (record: Fields) => boolean,
): void {
  const reader = new Reader(dialect, take);
  for (const chunk of chunks) if (!reader.read(chunk, false)) return;
  reader.read('', true);
}

class Reader {
  private text = '';
  private at = 0;
  private line = 1;

  constructor(
    private readonly dialect: Dialect,
    private readonly take: (record: Fields) => boolean,
  ) {}

  /** False when no more is wanted. */
  read(chunk: string, last: boolean): boolean {
    this.text = this.text.slice(this.at) + chunk;
    this.at = 0;
    const { separator, quotes, escapes } = this.dialect;
    const escaped = escapes && (this.text.includes('\\') || this.text.includes('NULL'));
    let quote = quotes ? this.text.indexOf('"') : -1;
    while (this.at < this.text.length) {
      let end = this.text.indexOf('\n', this.at);
      if (end < 0) {
        if (!last) return true;
        end = this.text.length;
      }
      if (quote >= 0 && quote < this.at) quote = this.text.indexOf('"', this.at);
      if (quote >= 0 && quote < end) {
        const record = this.quoted(last);
        if (record === null) return true;
        if (!this.take(record)) return false;
        continue;
      }
      const raw = withoutReturn(this.text.slice(this.at, end));
      const line = this.line++;
      this.at = end + 1;
      if (isBlank(raw)) continue;
      const fields = raw.split(separator);
      if (!this.take({ line, fields: escaped ? fields.map(unescaped) : fields, problem: null })) return false;
    }
    return true;
  }

  /** A record with a quote in its first line, or null when it goes on in the next chunk. */
  private quoted(last: boolean): Fields | null {
    const { text, line } = this;
    const { separator } = this.dialect;
    const fields: string[] = [];
    let at = this.at;
    for (;;) {
      let field = '';
      if (text[at] === '"') {
        let from = at + 1;
        for (;;) {
          const close = text.indexOf('"', from);
          if (close < 0 || (close + 1 === text.length && !last)) {
            if (!last && text.length - this.at < LONGEST) return null;
            return this.skip(this.lineEnd(this.at), 'a quote is opened and never closed');
          }
          field += text.slice(from, close);
          at = close + 1;
          if (text[at] !== '"') break;
          field += '"';
          from = at + 1;
        }
      } else {
        const end = this.lineEnd(at);
        const next = text.indexOf(separator, at);
        const stop = next >= 0 && next < end ? next : end;
        if (stop === text.length && !last) return null;
        field = stop === end ? withoutReturn(text.slice(at, stop)) : text.slice(at, stop);
        at = stop;
      }
      fields.push(field);
      if (text[at] === '\r' && text[at + 1] === undefined && !last) return null;
      if (text[at] === '\r' && (text[at + 1] ?? '\n') === '\n') at++;
      if (at >= text.length && !last) return null;
      if (at >= text.length || text[at] === '\n') break;
      if (text[at] !== separator) return this.skip(this.lineEnd(at), 'there is text after the closing quote');
      at++;
    }
    this.moveTo(at + 1);
    return { line, fields, problem: null };
  }

  private skip(end: number, problem: string): Fields {
    const { line } = this;
    this.moveTo(end + 1);
    return { line, fields: [], problem: { problem, hint: 'a quote inside a quoted field is written twice' } };
  }

  private moveTo(next: number): void {
    for (let i = this.text.indexOf('\n', this.at); i >= 0 && i < next; i = this.text.indexOf('\n', i + 1)) {
      this.line++;
    }
    this.at = next;
  }

  private lineEnd(from: number): number {
    const end = this.text.indexOf('\n', from);
    return end < 0 ? this.text.length : end;
  }
}

function isBlank(line: string): boolean {
  const first = line.charCodeAt(0);
  // Most lines begin with a letter: no copy is made of those.
  return !(first > 0x20 && first < 0x7f) && line.trim() === '';
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '0': '\0', '\\': '\\' };

/** Undoes the escapes of `mysql --batch`, and `\r`, which export writes and mysql does not. An unknown one is no escape. */
function unescaped(field: string): string | null {
  if (field === 'NULL' || field === '\\N') return null;
  if (!field.includes('\\')) return field;
  if (field === '\\NULL') return 'NULL';
  return field.replace(/\\([ntr0\\])/g, (_, letter: string) => ESCAPES[letter] ?? letter);
}

/** The counterpart of `unescaped`. */
export function escaped(field: string | null): string {
  if (field === null) return 'NULL';
  if (field === 'NULL') return '\\NULL';
  const letters: Readonly<Record<string, string>> = {
    '\n': 'n',
    '\t': 't',
    '\r': 'r',
    '\0': '0',
    '\\': '\\',
  };
  return field.replace(/[\n\t\r\0\\]/g, (character) => `\\${letters[character]}`);
}

/** A field of CSV, quoted where it must be. */
export function quotedField(field: string | null): string {
  if (field === null) return '';
  return /[",;|\n\r\t]|^\s|\s$|^$/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}
