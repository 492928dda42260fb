// Splits an input of rows in any format into records, and explains what is not a record.
import { refuseLook } from '../cli/pasted';
import { wrongUsage } from '../failure';
import { parseNetwork } from '../rules/network';
import { COLUMNS, type Columns, columnsOf, type Fields, isHeader, type Values, valuesOf } from './columns';
import { dialectOf, fieldsOf } from './delimited';
import { jsonValues } from './json';
import { type Lines, LONGEST } from './lines';
import { checkLine } from './looks';
import type { Report } from './report';

/** `dovecot`: a passwd-file, which is only read. */
export const FORMATS = ['csv', 'tsv', 'json', 'dovecot'] as const;
export type Format = (typeof FORMATS)[number];

/** The first line of a record, and its values: null if the record is wrong. */
export interface ImportRecord {
  readonly line: number;
  readonly values: Values | null;
}

/** Yields the records of an input. What is wrong in them, and facts about it, go to `report`. Throws Trouble. */
export function recordsOf(lines: Lines, format: Format | null, report: Report): Iterable<ImportRecord> {
  if (format === 'dovecot') return passwdRecords(lines, report);
  if (format === 'json' || (format === null && lines.isJson)) return jsonRecords(lines, report);
  return fieldRecords(lines, format ?? (lines.first.includes('\t') ? 'tsv' : 'csv'), report);
}

/** The last line of psql -A. */
const FOOTER = /^\((\d+) \p{L}+\)$/u;

function* fieldRecords(lines: Lines, format: 'csv' | 'tsv', report: Report): Iterable<ImportRecord> {
  const dialect = dialectOf(format, lines.first);
  let columns: Columns | null = null;
  let rows = 0;
  for (const { line, fields } of fieldsOf(lines, dialect, report)) {
    const first = fields[0] ?? '';
    // Spreadsheets write empty rows as separators only, and may name the separator in the first line.
    if (fields.every((field) => field?.trim() === '') || (columns === null && /^"?sep=/i.test(first))) continue;
    const [, promised] = (fields.length === 1 && FOOTER.exec(first)) || [];
    if (promised !== undefined) {
      // Some of the rows are missing, or come from another table.
      const problem = `the footer says ${promised} rows, but ${rows} were read`;
      if (Number(promised) !== rows) report.add(line, problem, 'export the table again');
      continue;
    }
    if (columns === null && isHeader(fields, isNetwork)) {
      columns = report.attempt(line, () => columnsOf(fields));
      // Without a readable header, no row can be read.
      if (columns === null) return;
      report.hasSets = columns.includes('set');
      continue;
    }
    const known: Columns = columns ?? COLUMNS;
    columns = known;
    rows++;
    yield { line, values: report.attempt(line, () => rowOf(fields, known, dialect.separator)) };
  }
}

function isNetwork(text: string): boolean {
  return parseNetwork(text) !== null || /^\s*(?:(?:any|inherit|none)\s*$|@\S)/i.test(text);
}

/** A prefix length or a date. */
const NOT_A_NOTE = /^\/?\d{1,3}$|^\d{1,4}[-./]\d{1,2}[-./]\d{1,4}(?:[T ]\S+)?$/;

/** The values of the fields. Throws Trouble if they are not a row. */
function rowOf(fields: Fields, columns: Columns, separator: string): Values {
  if (fields.length <= columns.indexOf('network')) refuseLine(fields.join(separator), separator);
  const isTooMany = fields.slice(columns.length).some((field) => field);
  const note = columns === COLUMNS ? fields[2] : null;
  if (!isTooMany && !(note && (NOT_A_NOTE.test(note) || isNetwork(note)))) return valuesOf(fields, columns);
  refuseLook(fields[0] ?? '');
  const problem = isTooMany
    ? `there are ${fields.length} fields where there should be ${columns.length}`
    : `the third field is a note, not ${note}`;
  const names = ['user', 'network', 'expires'].join(separator);
  const hint = `several networks are one field in quotes: "10.0.0.0/8,10.1.0.0/16"; a header line names the fields: ${names}`;
  throw wrongUsage(problem, hint);
}

/** Throws Trouble: the line has not enough separators. */
function refuseLine(text: string, separator: string): never {
  checkLine(text);
  if (parseNetwork(text) !== null) {
    throw wrongUsage(`there is no user for ${text}`, 'for a list of networks only: allow-nets set load NAME FILE');
  }
  refuseLook(text);
  throw wrongUsage('there is no network', `a line is user${separator}network`);
}

/** The user and allow_nets of Dovecot's passwd-file: seven fields, then extra fields (doc.dovecot.org, Passwd-file). */
function* passwdRecords(lines: Lines, report: Report): Iterable<ImportRecord> {
  for (const text of lines) {
    if (/^\s*(?:#|$)/.test(text)) continue;
    const [, user = '', extra = ''] = /^([^:]*):(?:[^:]*:){6}(.*)$/.exec(text) ?? [];
    const network = /(?:^|\s)allow_nets=(\S*)/.exec(extra)?.[1];
    const line = lines.number;
    if (network !== undefined) yield { line, values: { user, network } };
    else if (text.includes(':') && !text.includes('allow_nets=')) report.withoutNetworks++;
    else {
      const hint = 'a line is user:password:uid:gid:gecos:home:shell:allow_nets=192.0.2.0/24';
      report.add(line, 'this is not a line of a passwd-file', hint);
    }
  }
}

function* jsonRecords(lines: Lines, report: Report): Iterable<ImportRecord> {
  let isEmpty = true;
  for (const { line, value } of jsonValues(lines, LONGEST, report)) {
    isEmpty = false;
    const columns = report.attempt(line, () => columnsOf(Object.keys(Object(value))));
    if (columns?.includes('set')) report.hasSets = true;
    yield { line, values: columns && valuesOf(Object.values(value as object).map(textOf), columns) };
  }
  // An empty array does not show its columns. Export always writes sets, so it covers them.
  if (isEmpty) report.hasSets = true;
}

/** An array is a list of networks. */
function textOf(value: unknown): string | null {
  if (value === null) return null;
  return typeof value === 'object' && !Array.isArray(value) ? JSON.stringify(value) : String(value);
}
