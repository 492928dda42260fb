// Writes rows in the formats that import reads.
import { print, printJsonArray } from '../cli/output';
import type { Row } from '../rules/entries';
import { expiryMoment, foldName, formatInstant, meaningOf, meaningText } from '../rules/meaning';
import type { Table } from '../rules/schema';
import { COLUMNS, type Column } from './columns';
import { escapeField, quoteField } from './delimited';

/** The formats of export. */
export const WRITTEN_FORMATS = ['csv', 'tsv', 'json'] as const;
export type WrittenFormat = (typeof WRITTEN_FORMATS)[number];

type Record = { readonly [column in Exclude<Column, 'local'>]: string | null } & { readonly local: boolean };

/** The row in canonical form where it can be read, else as it stands. */
export function recordOf(table: Table, row: Row): Record {
  const name = foldName(String(row.user));
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

export function printRecords(format: WrittenFormat, records: Iterable<Record>): void {
  if (format === 'json') {
    printJsonArray(records);
    return;
  }
  const [separator, written] = format === 'tsv' ? ['\t', escapeField] : [',', quoteField];
  print(`${COLUMNS.join(separator)}\n`);
  for (const record of records) {
    const field = (column: Column) => (column === 'local' ? String(Number(record.local)) : written(record[column]));
    print(`${COLUMNS.map(field).join(separator)}\n`);
  }
}
