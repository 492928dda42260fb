// Parses and formats lines of fields: CSV (RFC 4180), and text separated by tabs or bars, as `mysql --batch` and
// `psql -A` print it.
import type { Refusal } from '../cli/input';
import { Trouble } from '../failure';
import { type Lines, LONGEST } from './lines';

/** How the fields of a line are separated. `escapes`: whether it has the backslash escapes of `mysql --batch`. */
export interface Dialect {
  readonly separator: string;
  readonly quotes: boolean;
  readonly escapes: boolean;
}

/**
 * Guesses the dialect from the first line. psql -A separates fields by | and does not escape. Spreadsheets write ; in
 * countries with a decimal comma.
 */
export function dialectOf(format: 'csv' | 'tsv', first: string): Dialect {
  // Spreadsheets may name the separator in the first line.
  const named = /^\s*"?sep=(.)"?\r?$/i.exec(first)?.[1];
  if (named !== undefined) return { separator: named, quotes: format === 'csv', escapes: false };
  if (format === 'tsv') {
    const hasBars = !first.includes('\t') && first.includes('|');
    return { separator: hasBars ? '|' : '\t', quotes: false, escapes: !hasBars };
  }
  const outside = first.replace(/"(?:[^"]|"")*("|$)/g, '');
  const separator = [',', ';', '\t', '|'].find((candidate) => outside.includes(candidate)) ?? ',';
  return { separator, quotes: true, escapes: false };
}

/** `line`: where the record starts. A field is null if it is the format's word for that (NULL, \N). */
export interface Fields {
  readonly line: number;
  readonly fields: readonly (string | null)[];
  /** Why the record has no fields. */
  readonly problem?: Refusal;
}

/** Splits an input into records. A record that cannot be split has a problem. Throws Trouble if one is too long. */
export function* fieldsOf(lines: Lines, { separator, quotes, escapes }: Dialect): Iterable<Fields> {
  /** A record whose quoted field continues on the next line. */
  let open: { readonly line: number; text: string } | null = null;
  for (const text of lines) {
    const line: number = open?.line ?? lines.number;
    if (open !== null) {
      open.text += `\n${text}`;
      if (open.text.length > LONGEST) throw tooLong(line);
      // With an even number of quotes, the quoted field is still open.
      if (text.split('"').length % 2 === 1) continue;
    }
    const record: string = withoutReturn(open?.text ?? text);
    if (quotes && record.includes('"')) {
      const fields = splitQuotedFields(record, separator);
      if (fields === null) {
        open ??= { line, text };
        continue;
      }
      yield Array.isArray(fields) ? { line, fields } : { line, fields: [], problem: fields };
    } else {
      const fields = record.split(separator);
      yield { line, fields: escapes && /\\|NULL/.test(record) ? fields.map(unescapeField) : fields };
    }
    open = null;
  }
  if (open !== null) {
    yield { line: open.line, fields: [], problem: { problem: 'a quote is opened and never closed', hint: TWICE } };
  }
}

const TWICE = 'a quote inside a quoted field is written twice';

function tooLong(line: number): Trouble {
  const hint = `nothing after it was read; is a quote never closed? ${TWICE}`;
  return new Trouble({ kind: 'refused', problem: `the record in line ${line} is longer than 64 KB`, hint });
}

/** Splits a record with quoted fields. Null if the last field continues on the next line. */
export function splitQuotedFields(record: string, separator: string): string[] | Refusal | null {
  const bare = separator.replace(/[\\\]^-]/, '\\$&');
  const pattern = new RegExp(`(?:"((?:[^"]|"")*)"|([^"${bare}][^${bare}]*|))([${bare}]|$)`, 'y');
  const fields: string[] = [];
  for (;;) {
    const at = pattern.lastIndex;
    const found = pattern.exec(record);
    if (found === null && /^"(?:[^"]|"")*$/.test(record.slice(at))) return null;
    if (found === null) return { problem: 'there is text after the closing quote', hint: TWICE };
    const [, quoted, plain = '', end] = found;
    if (/^\s+"/.test(plain)) {
      return { problem: 'there is a blank before a quote', hint: 'a quoted field begins with its quote: a,"b, c"' };
    }
    fields.push(quoted?.replaceAll('""', '"') ?? plain);
    if (end === '') return fields;
  }
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
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
