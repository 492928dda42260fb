// Rows as import reads them back, in each format: the counterpart of read.ts.

import type { Row } from '../rules/entries';
import { expiryMoment, formatInstant } from '../rules/expiry';
import { meaningOf, meaningText } from '../rules/meaning';
import type { Table } from '../rules/schema';
import { foldName } from '../rules/subject';
import { COLUMNS, type Column } from './columns';
import { escaped, quotedField } from './delimited';

/** What export can write. */
export const WRITTEN_FORMATS = ['csv', 'tsv', 'json'] as const;
export type WrittenFormat = (typeof WRITTEN_FORMATS)[number];

type Record = { readonly [column in Exclude<Column, 'local'>]: string | null } & { readonly local: boolean };

/** The row in canonical form, where it can be read; as it stands where it cannot. Null when its name is no text, which nothing matches. */
export function recordOf(table: Table, row: Row): Record | null {
  if (typeof row.user !== 'string') return null;
  const name = foldName(row.user);
  const meaning = meaningOf(table, row.network);
  const until = expiryMoment(row.expires);
  return {
    user: table === 'access' ? name : null,
    network: meaning === null ? String(row.network) : meaningText(meaning),
    note: row.note,
    expires: Number.isFinite(until) ? formatInstant(until) : row.expires === null ? null : String(row.expires),
    added_at: row.addedAt,
    added_by: row.addedBy,
    set: table === 'network_set' ? name : null,
    local: row.local,
  };
}

/** Calls `print` with text, piece by piece. */
export function writeRecords(format: WrittenFormat, records: Iterable<Record>, print: (text: string) => void): void {
  if (format === 'json') writeJson(records, print);
  else if (format === 'tsv') writeLines(records, print, '\t', escaped);
  else writeLines(records, print, ',', quotedField);
}

function writeLines(
  records: Iterable<Record>,
  print: (text: string) => void,
  separator: string,
  field: (text: string | null) => string,
): void {
  print(`${COLUMNS.join(separator)}\n`);
  for (const record of records) {
    const texts = COLUMNS.map((column) => (column === 'local' ? (record.local ? '1' : '0') : field(record[column])));
    print(`${texts.join(separator)}\n`);
  }
}

function writeJson(records: Iterable<Record>, print: (text: string) => void): void {
  let separator = '[\n';
  for (const record of records) {
    print(`${separator}${JSON.stringify(record)}`);
    separator = ',\n';
  }
  print(separator === '[\n' ? '[]\n' : '\n]\n');
}
