// Splits an input of rows in any format into records.
import type { Refusal } from '../cli/input';
import { columnName, isColumn, refuseColumn, type Values } from './columns';
import { readPasswdLine } from './dovecot';
import { fieldRecords } from './field-records';
import { objectsOf } from './json';
import type { Lines } from './lines';

/** `dovecot`: a passwd-file, which is only read. */
export type Format = 'csv' | 'tsv' | 'json' | 'dovecot';
export const FORMATS: readonly Format[] = ['csv', 'tsv', 'json', 'dovecot'];

/** The values of one record, or why it cannot be used. */
export interface ImportRecord {
  readonly line: number;
  readonly content: Values | Refusal;
}

/** Facts about an input besides its rows. */
export interface Notes {
  /** Whether it covers sets: it has a column for them. */
  hasSets: boolean;
  /** Ignored columns. */
  readonly unknownColumns: Set<string>;
  /** The number of users without a list of networks, who were skipped. */
  withoutNetworks: number;
  /** A user with the name of a domain, or null. */
  domainName: string | null;
}

/** `name`: of the file, or `-`. `first`: the first line of the input. */
function guessFormat(name: string, first: string): Format {
  if (/\.csv$/i.test(name)) return 'csv';
  if (/\.(?:tsv|tab)$/i.test(name)) return 'tsv';
  if (/\.(?:jsonl?|ndjson)$/i.test(name) || /^\s*[[{]/.test(first)) return 'json';
  return first.includes('\t') || (first.includes('|') && !first.includes(',')) ? 'tsv' : 'csv';
}

/** Yields the records of an input, and null for lines without one, so that a caller gets control. Throws Trouble. */
export function recordsOf(
  lines: Lines,
  name: string,
  format: Format | null,
  notes: Notes,
): Iterable<ImportRecord | null> {
  const chosen = format ?? guessFormat(name, lines.first);
  if (chosen === 'json') return jsonRecords(lines, notes);
  return chosen === 'dovecot' ? dovecotRecords(lines, notes) : fieldRecords(lines, chosen, notes);
}

function* dovecotRecords(lines: Lines, notes: Notes): Iterable<ImportRecord | null> {
  for (const text of lines) {
    const read = readPasswdLine(text);
    if (read === null) notes.withoutNetworks++;
    yield read ? { line: lines.number, content: read } : null;
  }
}

function* jsonRecords(lines: Lines, notes: Notes): Iterable<ImportRecord> {
  let isEmpty = true;
  for (const { line, value, problem } of objectsOf(lines)) {
    isEmpty = false;
    yield { line, content: problem ?? valuesOfObject(value, notes) };
  }
  // An empty array does not show its columns. Export always writes sets, so it covers them.
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
    const hint = 'JSON is an array of objects such as {"user":"alice","network":"any"}';
    return { problem: 'the object has no user', hint };
  }
  return values;
}
