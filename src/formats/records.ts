// Splits an input of rows in any format into records, and explains what is not a record.
import type { Refusal } from '../cli/input';
import { refuseLook } from '../cli/pasted';
import { parseNetwork } from '../rules/network';
import { COLUMNS, type Columns, columnsOf, isHeader, type Values, valuesOf } from './columns';
import { dialectOf, type Fields, fieldsOf } from './delimited';
import { jsonValues } from './json';
import { type Lines, LONGEST } from './lines';
import { checkLine } from './looks';
import type { Report } from './report';

/** `dovecot`: a passwd-file, which is only read. */
export const FORMATS = ['csv', 'tsv', 'json', 'dovecot'] as const;
export type Format = (typeof FORMATS)[number];

/** The values of one record, or why it cannot be used. `line`: where it starts. */
export interface ImportRecord {
  readonly line: number;
  readonly content: Values | Refusal;
}

function guessFormat({ first, isJson }: Lines): Format {
  if (isJson) return 'json';
  return first.includes('\t') ? 'tsv' : 'csv';
}

/** Yields the records of an input. Facts about it go to `report`. Throws Trouble. */
export function recordsOf(lines: Lines, format: Format | null, report: Report): Iterable<ImportRecord> {
  const chosen = format ?? guessFormat(lines);
  if (chosen === 'json') return jsonRecords(lines, report);
  return chosen === 'dovecot' ? passwdRecords(lines, report) : fieldRecords(lines, chosen, report);
}

/** The last line of psql -A. */
const FOOTER = /^\((\d+) \p{L}+\)$/u;

function* fieldRecords(lines: Lines, format: 'csv' | 'tsv', report: Report): Iterable<ImportRecord> {
  const dialect = dialectOf(format, lines.first);
  let columns: Columns | null = null;
  let rows = 0;
  for (const { line, fields } of fieldsOf(lines, dialect)) {
    if ('problem' in fields) {
      yield { line, content: fields };
      continue;
    }
    const first = fields[0] ?? '';
    // Spreadsheets write empty rows as separators only, and may name the separator in the first line.
    const isNoRow = fields.every((field) => field?.trim() === '') || (columns === null && /^"?sep=/i.test(first));
    if (isNoRow) continue;
    const footer = fields.length === 1 ? FOOTER.exec(first) : null;
    if (footer !== null) {
      // Some of the rows are missing, or come from another table.
      const problem = `the footer says ${footer[1]} rows, but ${rows} were read`;
      if (Number(footer[1]) !== rows) yield { line, content: { problem, hint: 'export the table again' } };
      continue;
    }
    if (columns === null && isHeader(fields, isNetwork)) {
      const header: Columns | Refusal = columnsOf(fields);
      // Without a readable header, no row can be read.
      if ('problem' in header) return yield { line, content: header };
      columns = header;
      report.hasSets = header.includes('set');
      continue;
    }
    columns ??= COLUMNS;
    rows++;
    yield { line, content: refuseFields(fields, columns, dialect.separator) ?? valuesOf(fields, columns) };
  }
}

function isNetwork(text: string): boolean {
  return parseNetwork(text) !== null || /^\s*(?:(?:any|inherit|none)\s*$|@\S)/i.test(text);
}

/** A prefix length or a date. */
const NOT_A_NOTE = /^\/?\d{1,3}$|^\d{1,4}[-./]\d{1,2}[-./]\d{1,4}(?:[T ]\S+)?$/;

/** Why the fields are not a row, or null. */
function refuseFields(fields: Fields, columns: Columns, separator: string): Refusal | null {
  if (fields.length <= columns.indexOf('network')) return refuseLine(fields.join(separator), separator);
  const isTooMany = fields.slice(columns.length).some((field) => field);
  const note = columns === COLUMNS ? fields[2] : null;
  if (!isTooMany && !(note && (NOT_A_NOTE.test(note) || isNetwork(note)))) return null;
  const problem = isTooMany
    ? `there are ${fields.length} fields where there should be ${columns.length}`
    : `the third field is a note, not ${note}`;
  const names = ['user', 'network', 'expires'].join(separator);
  const hint = `several networks are one field in quotes: "10.0.0.0/8,10.1.0.0/16"; a header line names the fields: ${names}`;
  return refuseLook(fields[0] ?? '') ?? { problem, hint };
}

/** Why a line without enough separators is refused. */
function refuseLine(text: string, separator: string): Refusal {
  checkLine(text);
  if (parseNetwork(text) !== null) {
    return {
      problem: `there is no user for ${text}`,
      hint: 'for a list of networks only: allow-nets set load NAME FILE',
    };
  }
  return refuseLook(text) ?? { problem: 'there is no network', hint: `a line is user${separator}network` };
}

/** The user and allow_nets of Dovecot's passwd-file: seven fields, then extra fields (doc.dovecot.org, Passwd-file). */
function* passwdRecords(lines: Lines, report: Report): Iterable<ImportRecord> {
  for (const text of lines) {
    if (/^\s*(?:#|$)/.test(text)) continue;
    const [, user = '', extra = ''] = /^([^:]*):(?:[^:]*:){6}(.*)$/.exec(text) ?? [];
    const network = /(?:^|\s)allow_nets=(\S*)/.exec(extra)?.[1];
    const line = lines.number;
    if (network !== undefined) yield { line, content: { user, network } };
    else if (text.includes(':') && !text.includes('allow_nets=')) report.withoutNetworks++;
    else {
      const hint = 'a line is user:password:uid:gid:gecos:home:shell:allow_nets=192.0.2.0/24';
      yield { line, content: { problem: 'this is not a line of a passwd-file', hint } };
    }
  }
}

function* jsonRecords(lines: Lines, report: Report): Iterable<ImportRecord> {
  // An empty array does not show its columns. Export always writes sets, so it covers them.
  report.hasSets = true;
  let isFirst = true;
  for (const { line, value, problem } of jsonValues(lines, LONGEST)) {
    const columns = columnsOf(Object.keys(Object(value)));
    if (isFirst) report.hasSets = false;
    isFirst = false;
    if (problem !== undefined || 'problem' in columns) {
      yield { line, content: problem ?? (columns as Refusal) };
      continue;
    }
    if (columns.includes('set')) report.hasSets = true;
    yield { line, content: valuesOf(Object.values(value as object).map(textOf), columns) };
  }
}

/** An array is a list of networks. */
function textOf(value: unknown): string | null {
  if (value === null) return null;
  return typeof value === 'object' && !Array.isArray(value) ? JSON.stringify(value) : String(value);
}
