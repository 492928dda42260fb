// Parses and formats lines of fields: CSV (RFC 4180), and text separated by tabs, as `mysql --batch` prints it.
import { refusal, wrongUsage } from '../failure';
import type { Fields } from './columns';
import { type Lines, LONGEST } from './lines';
import type { Report } from './report';

/** `quotes`: as in CSV. Without them, there are the backslash escapes of `mysql --batch`. */
export interface Dialect {
  readonly separator: string;
  readonly quotes: boolean;
}

/** Guesses the dialect from the first line. */
export function dialectOf(format: 'csv' | 'tsv', first: string): Dialect {
  if (format === 'tsv') return { separator: '\t', quotes: false };
  // Spreadsheets may name the separator in the first line.
  const named = /^"?sep=(.)"?\r?$/i.exec(first)?.[1];
  return { separator: named ?? separatorOf(first), quotes: true };
}

/** The separator of a line of CSV: spreadsheets write ; in countries with a decimal comma, psql -A writes |. */
export function separatorOf(line: string): string {
  const outside = line.replace(/"(?:[^"]|"")*("|$)/g, '');
  return [',', ';', '\t', '|'].find((candidate) => outside.includes(candidate)) ?? ',';
}

const TWICE = 'a quote inside a quoted field is written twice';

/** Splits an input into records. What cannot be split goes to `report`. Throws Trouble if a record is too long. */
export function* fieldsOf(lines: Lines, dialect: Dialect, report: Report): Iterable<{ line: number; fields: Fields }> {
  let line = 0;
  /** The beginning of a record whose quoted field goes on in the next line. */
  let open = '';
  for (const text of lines) {
    const isOpen = open !== '';
    if (!isOpen) line = lines.number;
    open += text;
    if (isOpen && open.length > LONGEST) {
      const hint = `nothing after it was read; is a quote never closed? ${TWICE}`;
      throw refusal(`the record in line ${line} is longer than 64 KB`, hint);
    }
    // With an even number of quotes, a quoted field that was open still is.
    const isStillOpen = isOpen && text.split('"').length % 2 === 1;
    const record = open.replace(/\r$/, '');
    const fields = isStillOpen ? 'open' : report.attempt(line, () => splitFields(record, dialect));
    open = fields === 'open' ? `${open}\n` : '';
    if (fields !== 'open' && fields !== null) yield { line, fields };
  }
  if (open !== '') report.add(line, 'a quote is opened and never closed', TWICE);
}

/** Splits a record. `open`: its last field continues on the next line. Throws Trouble. */
export function splitFields(record: string, { separator, quotes }: Dialect): Fields | 'open' {
  if (!quotes || !record.includes('"')) {
    const fields = record.split(separator);
    return !quotes && /\\|NULL/.test(record) ? fields.map(unescapeField) : fields;
  }
  const bare = separator.replace(/[\\\]^-]/, '\\$&');
  const pattern = new RegExp(`(?:"((?:[^"]|"")*)"|([^"${bare}][^${bare}]*|))([${bare}]|$)`, 'y');
  const fields: string[] = [];
  for (;;) {
    const at = pattern.lastIndex;
    const found = pattern.exec(record);
    if (found === null && /^"(?:[^"]|"")*$/.test(record.slice(at))) return 'open';
    if (found === null) throw wrongUsage('there is text after the closing quote', TWICE);
    const [, quoted, plain = '', end] = found;
    if (/^\s+"/.test(plain)) {
      throw wrongUsage('there is a blank before a quote', 'a quoted field begins with its quote: a,"b, c"');
    }
    fields.push(quoted?.replaceAll('""', '"') ?? plain);
    if (end === '') return fields;
  }
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '0': '\0', '\\': '\\' };
const LETTERS = Object.fromEntries(Object.entries(ESCAPES).map(([letter, character]) => [character, letter]));

/** Decodes the escapes of `mysql --batch`, and `\r`, which only export writes. Unknown escapes are kept as they are. */
function unescapeField(field: string): string | null {
  if (field === 'NULL' || field === '\\N') return null;
  if (field === '\\NULL') return 'NULL';
  return field.replace(/\\([ntr0\\])/g, (_, letter: string) => ESCAPES[letter] ?? letter);
}

/** Escapes a field of tab-separated text, the inverse of `unescapeField`. */
export function escapeField(field: string | null): string {
  if (field === null) return 'NULL';
  if (field === 'NULL') return '\\NULL';
  return field.replace(/[\n\t\r\0\\]/g, (character) => `\\${LETTERS[character]}`);
}

/** A field of CSV, quoted if necessary. */
export function quoteField(field: string | null): string {
  if (field === null) return '';
  return /[",;|\n\r\t]|^\s|\s$|^$/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}
