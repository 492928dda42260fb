// Lines of fields: CSV (RFC 4180), and tab- or bar-separated text as `mysql --batch` and `psql -A` print it.
//
// A line that cannot be taken apart comes out with the problem, and the reading goes on after it. What is longer than any record is an
// error at once, so that an input without line breaks takes no more time than one with them.
import type { Refusal } from '../cli/input';
import type { Dialect } from './format';

/** `line`: where it begins, from 1. A field is null where the format has a word for it (NULL, \N). */
export interface Fields {
  readonly line: number;
  readonly fields: readonly (string | null)[];
  readonly problem: Refusal | null;
}

/** No record has more characters. */
export const LONGEST = 64 * 1024;

/** No record has more quoted fields. */
const MOST_FIELDS = 100;

export class FieldReader {
  private rest = '';
  private line = 0;
  /** A record whose quoted field goes on in the next line. */
  private open: { readonly line: number; text: string } | null = null;
  private readonly quotedFieldPattern: RegExp;

  constructor(
    private readonly dialect: Dialect,
    private readonly take: (record: Fields) => void,
  ) {
    const { separator } = dialect;
    const bare = separator === '|' || separator === '\t' ? `\\${separator === '|' ? '|' : 't'}` : separator;
    this.quotedFieldPattern = new RegExp(`"((?:[^"]|"")*)"(?!")|([^${bare}\\n"][^${bare}\\n]*|)(?=${bare}|$)`, 'y');
  }

  /** False when no more can be read. */
  read(text: string): boolean {
    const lines = (this.rest + text).split('\n');
    this.rest = lines.pop() ?? '';
    for (const line of lines) if (!this.takeLine(line)) return false;
    return this.rest.length <= LONGEST || this.tooLong(this.line + 1);
  }

  end(): void {
    if (this.rest !== '') this.takeLine(this.rest);
    if (this.open !== null) this.refuse(this.open.line, 'a quote is opened and never closed', TWICE);
  }

  /** Whether the last line had its end. */
  get isComplete(): boolean {
    return this.rest === '';
  }

  private takeLine(line: string): boolean {
    this.line++;
    if (line.length > LONGEST) return this.tooLong(this.line);
    const { open } = this;
    if (open !== null) {
      open.text += `\n${line}`;
      if (open.text.length > LONGEST) return this.tooLong(open.line);
      // An even number of quotes leaves the field open.
      if (line.split('"').length % 2 === 1) return true;
      this.open = null;
      return this.takeQuoted(open.line, open.text);
    }
    const whole = withoutReturn(line);
    if (isBlank(whole)) return true;
    const { separator, quotes, escapes } = this.dialect;
    if (quotes && whole.includes('"')) return this.takeQuoted(this.line, line);
    const fields: (string | null)[] = whole.split(separator);
    this.take({
      line: this.line,
      fields: escapes && /\\|NULL/.test(whole) ? fields.map((field) => unescaped(field ?? '')) : fields,
      problem: null,
    });
    return true;
  }

  private takeQuoted(line: number, record: string): boolean {
    const text = withoutReturn(record);
    const { separator } = this.dialect;
    const pattern = this.quotedFieldPattern;
    const fields: string[] = [];
    for (let at = 0; ; ) {
      pattern.lastIndex = at;
      const found = pattern.exec(text);
      if (found === null) {
        if (text[at] === '"') {
          this.open = { line, text: record };
          return true;
        }
        return this.refuse(line, 'there is text after the closing quote', TWICE);
      }
      const [whole, quoted, plain] = found;
      if (plain !== undefined && /^\s+"/.test(plain)) {
        return this.refuse(line, 'there is a blank before a quote', 'a quoted field begins with its quote: a,"b, c"');
      }
      fields.push(quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'));
      at += whole.length;
      if (at >= text.length) break;
      if (text[at] !== separator) return this.refuse(line, 'there is text after the closing quote', TWICE);
      if (fields.length > MOST_FIELDS) return this.refuse(line, `there are more than ${MOST_FIELDS} fields`, TWICE);
      at++;
    }
    this.take({ line, fields, problem: null });
    return true;
  }

  private refuse(line: number, problem: string, hint: string): true {
    this.take({ line, fields: [], problem: { problem, hint } });
    return true;
  }

  private tooLong(line: number): false {
    this.rest = '';
    this.open = null;
    this.refuse(
      line,
      'the line is longer than 64 KB',
      'nothing after it was read; is this a list of users and networks?',
    );
    return false;
  }
}

const TWICE = 'a quote inside a quoted field is written twice';

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
