// An input of rows, whatever its format: every line is read and checked, and all that is wrong is collected.

import type { Refusal } from '../cli/input';
import { parseNetwork } from '../rules/network';
import type { Staging } from '../rules/staging';
import { textOf } from './chunks';
import {
  BY_POSITION,
  COLUMNS,
  type Column,
  columnName,
  type Header,
  headerOf,
  isColumn,
  isHeader,
  refuseColumn,
} from './columns';
import { type Fields, readFields } from './delimited';
import { dialectOf, type Format, guessFormat } from './format';
import { objectsOf } from './json';
import { asWritten, rowsFrom, type Values } from './values';

export interface Input {
  /** Bytes in UTF-8, chunk by chunk. */
  readonly chunks: Iterable<Buffer>;
  /** Of the file, for the guess of its format. */
  readonly name: string;
  readonly format: Format | null;
  /** Rows that the input gives a local mark are those of another server: not to be brought in. */
  readonly leaveOutLocal?: boolean;
  /** Compare rows with the database while they are read: much faster where few differ, and it can be overtaken (bring-in.ts). */
  readonly compare?: boolean;
}

export interface Problem extends Refusal {
  readonly line: number;
}

export interface Read {
  /** The first of them. */
  readonly problems: readonly Problem[];
  readonly problemCount: number;
  /** Whether the input can speak of sets: it has a column for them. */
  readonly hasSets: boolean;
  /** Whether there was nothing at all, not even a header. */
  readonly isEmpty: boolean;
  /** Columns that were left out. */
  readonly unknownColumns: readonly string[];
}

const KEPT_PROBLEMS = 20;

/** Reads all rows of the input into `staging`. With any problem what is staged is good for nothing. Throws what reading throws. */
export function readRows(input: Input, staging: Staging): Read {
  const [start, texts] = peeked(textOf(input.chunks));
  const format = input.format ?? guessFormat(input.name, start);
  const sink = new Sink(staging, input.leaveOutLocal === true);
  if (format === 'json') readJson(texts, sink);
  else readDelimited(texts, format, start, sink);
  const { problems, problemCount, hasSets } = sink;
  return { problems, problemCount, hasSets, isEmpty: start.trim() === '', unknownColumns: [...sink.unknown] };
}

class Sink {
  readonly problems: Problem[] = [];
  problemCount = 0;
  hasSets = false;
  readonly unknown = new Set<string>();

  constructor(
    private readonly staging: Staging,
    private readonly leaveOutLocal: boolean,
  ) {}

  refuse(line: number, refusal: Refusal): void {
    this.problemCount++;
    if (this.problems.length < KEPT_PROBLEMS) this.problems.push({ line, ...refusal });
  }

  take(values: Values, line: number): void {
    // Before the row is even read: what the database has word for word was good already.
    const written = asWritten(values);
    if (written !== null && this.problemCount === 0 && this.staging.skips(written, line)) return;
    const rows = rowsFrom(values, line);
    if ('problem' in rows) this.refuse(line, rows);
    // Rows are of no use any more once a line is wrong.
    else if (this.problemCount === 0) {
      for (const row of rows) if (!(this.leaveOutLocal && row.local === true)) this.staging.add(row);
    }
  }
}

function readDelimited(texts: Iterable<string>, format: 'csv' | 'tsv', start: string, sink: Sink): void {
  const dialect = dialectOf(format, start);
  const drawn = drawnTable(start);
  if (drawn !== null) {
    sink.refuse(1, drawn);
    return;
  }
  let header: Header | null = null;
  let rows = 0;
  readFields(texts, dialect, (record) => {
    const { line, fields } = record;
    if (record.problem !== null) {
      sink.refuse(line, record.problem);
      return true;
    }
    if (header === null) {
      const named = isHeader(fields, isNetwork);
      header = named ? headerOf(fields) : BY_POSITION;
      for (const name of header.unknown) if (name !== '') sink.unknown.add(name);
      sink.hasSets = named && header.places.set >= 0;
      if (header.problem !== null) sink.refuse(line, header.problem);
      if (named) return header.problem === null;
    }
    const footer = format === 'tsv' && fields.length === 1 ? /^\((\d+) rows?\)$/.exec(fields[0] ?? '') : null;
    if (footer !== null) {
      if (Number(footer[1]) !== rows) sink.refuse(line, cutShort(rows));
      return true;
    }
    rows++;
    const problem = widthProblem(record, header, dialect.separator);
    if (problem !== null) sink.refuse(line, problem);
    else sink.take(valuesOf(fields, header), line);
    return true;
  });
}

function cutShort(rows: number): Refusal {
  return {
    problem: `the last line speaks of another number of rows than ${rows}`,
    hint: 'read the table again',
  };
}

function widthProblem({ fields }: Fields, header: Header, separator: string): Refusal | null {
  const most = header.width ?? COLUMNS.length;
  const surplus = fields.slice(most).some((field) => field !== null && field !== '');
  if (surplus) {
    return {
      problem: `there are ${fields.length} fields where there should be ${header.width === null ? 'at most ' : ''}${most}`,
      hint: `a field that holds ${JSON.stringify(separator)} must be quoted`,
    };
  }
  if (fields.length > header.places.network) return null;
  return { problem: 'there is no network', hint: `a line is user${separator}network` };
}

function valuesOf(fields: readonly (string | null)[], { places }: Header): Values {
  const at = (place: number): string | null | undefined => {
    if (place < 0 || place >= fields.length) return undefined;
    const field = fields[place];
    return field === '' || field === undefined ? null : field;
  };
  return {
    user: at(places.user),
    network: at(places.network),
    note: at(places.note),
    expires: at(places.expires),
    added_at: at(places.added_at),
    added_by: at(places.added_by),
    set: at(places.set),
    local: at(places.local),
  };
}

function isNetwork(text: string): boolean {
  return parseNetwork(text) !== null || /^\s*(any|inherit|none)\s*$/i.test(text) || /^\s*@\S/.test(text);
}

/** A table with lines around it, as mysql and psql draw it for people. */
function drawnTable(start: string): Refusal | null {
  const [first = '', second = ''] = start.split(/\r?\n/, 2);
  if (/^\+(-+\+)+$/.test(first)) {
    return { problem: 'this is a table drawn for people', hint: 'add --batch to the mysql command' };
  }
  if (!/^-+(\+-+)+$/.test(second)) return null;
  return { problem: 'this is a table drawn for people', hint: 'add --csv to the psql command' };
}

function readJson(texts: Iterable<string>, sink: Sink): void {
  // Of an empty array it is not known; its export would have had sets.
  sink.hasSets = true;
  let objects = 0;
  let withSet = false;
  for (const { line, value, problem } of objectsOf(texts)) {
    if (value === null) {
      sink.refuse(line, problem ?? { problem: 'no JSON', hint: '' });
      continue;
    }
    objects++;
    withSet ||= 'set' in value;
    const values: Partial<Record<Column, string | null>> = {};
    let refusal: Refusal | null = null;
    for (const [key, content] of Object.entries(value)) {
      const name = columnName(key);
      if (!isColumn(name)) {
        refusal ??= refuseColumn(name);
        sink.unknown.add(name);
      } else if (content === null || content === '') values[name] = null;
      else if (typeof content === 'string') values[name] = content;
      else if (name === 'local' && typeof content === 'boolean') values[name] = content ? '1' : '0';
      else if (typeof content === 'number') values[name] = String(content);
      else
        refusal ??= {
          problem: `${name} is no text`,
          hint: 'every value is text, a number, true, false or null',
        };
    }
    if (refusal !== null) sink.refuse(line, refusal);
    else sink.take(values as Values, line);
  }
  if (objects > 0) sink.hasSets = withSet;
}

/** The first text that is not empty, and all of them. */
function peeked(texts: Iterable<string>): [string, Iterable<string>] {
  const iterator = texts[Symbol.iterator]();
  let first = '';
  for (let next = iterator.next(); !next.done; next = iterator.next()) {
    first += next.value;
    if (first.includes('\n') || first.length > 4096) break;
  }
  const rest = { [Symbol.iterator]: () => iterator };
  return [
    first,
    (function* () {
      yield first;
      yield* rest;
    })(),
  ];
}
