// Turns the records of csv and tsv into rows: finds the column of each field, and explains lines that are not rows.
import type { Refusal } from '../cli/input';
import { refuseLook } from '../cli/pasted';
import { parseNetwork } from '../rules/network';
import { COLUMNS, type Column, columnName, isColumn, isHeader, refuseHeader, type Values } from './columns';
import { dialectOf, type Fields, fieldsOf } from './delimited';
import type { Lines } from './lines';
import type { ImportRecord, Notes } from './records';

/** The line below the header of a table drawn for people. */
const DRAWN = /^[-+|: ]*-{3}[-+|: ]*$/;

/** psql's last line. */
const FOOTER = /^\((\d+) rows?\)$/;

/** The column of each field, null for an ignored one. COLUMNS itself means that the input has no header. */
type Columns = readonly (Column | null)[];

export function* fieldRecords(lines: Lines, format: 'csv' | 'tsv', notes: Notes): Iterable<ImportRecord | null> {
  const dialect = dialectOf(format, lines.first);
  let columns: Columns = COLUMNS;
  let rows = 0;
  for (const { line, fields, problem } of fieldsOf(lines, dialect)) {
    const footer = format === 'tsv' && fields.length === 1 ? FOOTER.exec(fields[0] ?? '') : null;
    if (problem !== undefined) yield { line, content: problem };
    // Spreadsheets write empty rows as separators only, and may name the separator in the first line.
    else if (isBlank(fields) || (rows === 0 && /^"?sep=/i.test(fields[0] ?? ''))) yield null;
    else if (rows === 0 && DRAWN.test(fields.join('|'))) {
      const hint = 'add --batch to the mysql command, or --csv to psql';
      return yield { line, content: { problem: 'this is a table drawn for people', hint } };
    } else if (rows === 0 && columns === COLUMNS && isHeader(fields, isNetwork)) {
      const names = fields.map(columnName);
      const refusal = refuseHeader(names);
      // Without a readable header, no row can be read.
      if (refusal !== null) return yield { line, content: refusal };
      columns = names.map((name) => (isColumn(name) ? name : null));
      notes.hasSets = names.includes('set');
      for (const name of names) if (name !== '' && !isColumn(name)) notes.unknownColumns.add(name);
    } else if (footer === null) {
      rows++;
      yield { line, content: refuseFields(fields, columns, dialect.separator) ?? valuesOf(fields, columns) };
    } else if (Number(footer[1]) !== rows) {
      const text = `the footer says ${footer[1]} rows, but ${rows} were read`;
      yield { line, content: { problem: text, hint: 'read the table again' } };
    }
  }
}

function isBlank(fields: Fields['fields']): boolean {
  return fields.every((field) => field !== null && field.trim() === '');
}

function isNetwork(text: string): boolean {
  return parseNetwork(text) !== null || /^\s*(any|inherit|none)\s*$/i.test(text) || /^\s*@\S/.test(text);
}

function valuesOf(fields: Fields['fields'], columns: Columns): Values {
  const values: Values = {};
  for (let i = 0; i < fields.length; i++) {
    const column = columns[i];
    if (column) values[column] = fields[i] || null;
  }
  return values;
}

/** Why the fields are not a row, or null. */
function refuseFields(fields: Fields['fields'], columns: Columns, separator: string): Refusal | null {
  if (fields.length <= columns.indexOf('network')) return refuseLine(fields.join(separator), separator);
  if (fields.length > columns.length && fields.slice(columns.length).some((field) => field)) {
    const most = columns === COLUMNS ? 'at most ' : '';
    const problem = `there are ${fields.length} fields where there should be ${most}${columns.length}`;
    const hint = `a field that holds ${JSON.stringify(separator)} must be quoted`;
    return refuseLook(fields[0] ?? '') ?? { problem, hint };
  }
  return columns === COLUMNS ? refuseNote(fields, separator) : null;
}

/** Without a header the third field is the note. Refuses one that is likely a second network or a time of expiry. */
function refuseNote([first, , third]: Fields['fields'], separator: string): Refusal | null {
  if (!third) return null;
  const isOther = /^\/?\d{1,3}$|^\d{1,4}[-./]\d{1,2}[-./]\d{1,4}(?:[T ]\S+)?$/.test(third) || isNetwork(third);
  if (!isOther) return null;
  const one = `${first}${separator}10.0.0.0/8`;
  const header = ['user', 'network', 'expires'].join(separator);
  const hint = `networks stand in one field: ${one}, or in quotes: "10.0.0.0/8,10.1.0.0/16"; a header line names other fields: ${header}`;
  return { problem: `the third field is a note, not ${third}`, hint };
}

/** Why a line without enough separators is refused. */
function refuseLine(text: string, separator: string): Refusal {
  if (parseNetwork(text) !== null) {
    return { problem: `there is no user for ${text}`, hint: 'a list of networks alone: allow-nets set load NAME FILE' };
  }
  return refuseLook(text) ?? { problem: 'there is no network', hint: `a line is user${separator}network` };
}
