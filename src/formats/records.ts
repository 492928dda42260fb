// An input of rows taken apart into records, in each format: which field is what, and what a line looks like that is no row.
import * as path from 'node:path';
import type { Refusal } from '../cli/input';
import { refuseLook } from '../cli/pasted';
import { parseNetwork } from '../rules/network';
import {
  COLUMNS,
  type Column,
  columnName,
  isColumn,
  isHeader,
  refuseColumn,
  refuseHeader,
  type Values,
} from './columns';
import { dialectOf, type Fields, fieldsOf } from './delimited';
import { readPasswdLine } from './dovecot';
import { objectsOf } from './json';
import type { Lines } from './lines';

/** `dovecot`: a passwd-file, for reading only. */
export type Format = 'csv' | 'tsv' | 'json' | 'dovecot';
export const FORMATS: readonly Format[] = ['csv', 'tsv', 'json', 'dovecot'];

/** What one record holds, or why it cannot be used. */
export interface Rec {
  readonly line: number;
  readonly content: Values | Refusal;
}

/** What an input says besides its rows. */
export interface Notes {
  /** Whether it can name sets. */
  hasSets: boolean;
  /** Columns that were left out. */
  readonly unknownColumns: Set<string>;
  /** Users without a list of networks, which were left out. */
  withoutNetworks: number;
}

const EXTENSIONS: Readonly<Record<string, Format>> = {
  '.csv': 'csv',
  '.tsv': 'tsv',
  '.tab': 'tsv',
  '.json': 'json',
  '.jsonl': 'json',
  '.ndjson': 'json',
};

/** `name`: of the file, or `-`. `first`: the first line of the input. */
function guessFormat(name: string, first: string): Format {
  const known = EXTENSIONS[path.extname(name).toLowerCase()];
  if (known !== undefined) return known;
  if (/^\s*[[{]/.test(first)) return 'json';
  return first.includes('\t') || (first.includes('|') && !first.includes(',')) ? 'tsv' : 'csv';
}

/** All records but those that mean nothing, for which there is null: at least one for each block of the input. Throws Trouble. */
export function recordsOf(lines: Lines, name: string, format: Format | null, notes: Notes): Iterable<Rec | null> {
  const chosen = format ?? guessFormat(name, lines.first);
  if (chosen === 'json') return jsonRecords(lines, notes);
  return chosen === 'dovecot' ? dovecotRecords(lines, notes) : delimitedRecords(lines, chosen, notes);
}

function* dovecotRecords(lines: Lines, notes: Notes): Iterable<Rec | null> {
  for (const text of lines) {
    const read = readPasswdLine(text);
    if (read === null) notes.withoutNetworks++;
    yield read ? { line: lines.number, content: read } : null;
  }
}

function* jsonRecords(lines: Lines, notes: Notes): Iterable<Rec> {
  let isEmpty = true;
  for (const { line, value, problem } of objectsOf(lines)) {
    isEmpty = false;
    yield { line, content: problem ?? valuesOfObject(value, notes) };
  }
  // Of an empty array it is not known; its export would have had sets.
  if (isEmpty) notes.hasSets = true;
}

function valuesOfObject(value: Readonly<Record<string, unknown>>, notes: Notes): Values | Refusal {
  const values: Values = {};
  for (const [key, content] of Object.entries(value ?? {})) {
    const name = columnName(key);
    if (!isColumn(name)) {
      const refusal = notes.unknownColumns.has(name) ? null : refuseColumn(name);
      if (refusal !== null) return refusal;
      notes.unknownColumns.add(name);
    } else if (name in values) return { problem: `there are two values ${name}`, hint: 'leave one of them out' };
    else if (typeof content === 'object' && content !== null) {
      return { problem: `${name} is not text`, hint: `several networks are one text: "10.0.0.0/8,10.1.0.0/16"` };
    } else values[name] = content === null || content === '' ? null : String(content);
  }
  if ('set' in values) notes.hasSets = true;
  else if (!('user' in values)) {
    return {
      problem: 'the object has no user',
      hint: `JSON is an array of objects, ${JSON.stringify({ user: 'alice', network: 'any' })} and so on`,
    };
  }
  return values;
}

/** The line below the header of a table with borders. */
const DRAWN = /^[-+|: ]*-{3}[-+|: ]*$/;

/** psql's last line. */
const FOOTER = /^\((\d+) rows?\)$/;

function* delimitedRecords(lines: Lines, format: 'csv' | 'tsv', notes: Notes): Iterable<Rec | null> {
  const dialect = dialectOf(format, lines.first);
  let columns: readonly (Column | null)[] | null = null;
  let width: number = COLUMNS.length;
  let rows = 0;
  for (const { line, fields, problem } of fieldsOf(lines, dialect)) {
    if (problem !== undefined) yield { line, content: problem };
    // Spreadsheets write empty rows as separators alone, and name the separator in the first line.
    else if (DRAWN.test(fields.join('|'))) {
      const drawn = 'this is a table drawn for people';
      return yield { line, content: { problem: drawn, hint: 'add --batch to the mysql command, or --csv to psql' } };
    } else if (isBlank(fields) || (rows === 0 && /^"?sep=/i.test(fields[0] ?? ''))) yield null;
    else if (columns === null && isHeader(fields, isNetwork)) {
      const names = fields.map(columnName);
      const refusal = refuseHeader(names);
      // Under a header that cannot be read, no row can be.
      if (refusal !== null) return yield { line, content: refusal };
      columns = names.map((name) => (isColumn(name) ? name : null));
      width = names.length;
      notes.hasSets = names.includes('set');
      for (const name of names) if (name !== '' && !isColumn(name)) notes.unknownColumns.add(name);
    } else {
      const footer = format === 'tsv' && fields.length === 1 ? FOOTER.exec(fields[0] ?? '') : null;
      if (footer === null) {
        rows++;
        const refusal = refuseFields(fields, columns, width, dialect.separator);
        yield { line, content: refusal ?? valuesOf(fields, columns ?? COLUMNS) };
      } else if (Number(footer[1]) !== rows) {
        const text = `the footer says ${footer[1]} rows, but ${rows} were read`;
        yield { line, content: { problem: text, hint: 'read the table again' } };
      }
    }
  }
}

function isBlank(fields: Fields['fields']): boolean {
  return fields.every((field) => field !== null && field.trim() === '');
}

function isNetwork(text: string): boolean {
  return parseNetwork(text) !== null || /^\s*(any|inherit|none)\s*$/i.test(text) || /^\s*@\S/.test(text);
}

function valuesOf(fields: Fields['fields'], columns: readonly (Column | null)[]): Values {
  const values: Values = {};
  for (let i = 0; i < fields.length; i++) {
    const column = columns[i];
    if (column) values[column] = fields[i] || null;
  }
  return values;
}

/** Why fields are no row, or null. `columns`: null without a header. */
function refuseFields(
  fields: Fields['fields'],
  columns: readonly (Column | null)[] | null,
  width: number,
  separator: string,
): Refusal | null {
  const [first = '', , third = ''] = fields.map((field) => field ?? '');
  if (fields.length <= (columns ?? COLUMNS).indexOf('network')) return refuseLine(fields.join(separator), separator);
  if (fields.slice(width).some((field) => field)) {
    const most = columns === null ? 'at most ' : '';
    return (
      refuseLook(first) ?? {
        problem: `there are ${fields.length} fields where there should be ${most}${width}`,
        hint: `a field that holds ${JSON.stringify(separator)} must be quoted`,
      }
    );
  }
  // Without a header the third field is a note, which people who have never written one do not know.
  if (
    columns !== null ||
    !(isNetwork(third) || /^\/?\d{1,3}$|^\d{1,4}[-./]\d{1,2}[-./]\d{1,4}(?:[T ]\S+)?$/.test(third))
  )
    return null;
  const one = `${first}${separator}10.0.0.0/8`;
  const hint = `networks stand in one field: ${one}, or in quotes: "10.0.0.0/8,10.1.0.0/16"; a header line names other fields: user${separator}network${separator}expires`;
  return { problem: `the third field is a note, not ${third}`, hint };
}

/** A line without separators. */
function refuseLine(text: string, separator: string): Refusal {
  if (parseNetwork(text) !== null) {
    return { problem: `there is no user for ${text}`, hint: 'a list of networks alone: allow-nets set load NAME FILE' };
  }
  return refuseLook(text) ?? { problem: 'there is no network', hint: `a line is user${separator}network` };
}
