// An input of rows, whatever its format: every line is read and checked, and all that is wrong is collected.
import { setImmediate as turn } from 'node:timers/promises';
import type { Refusal } from '../cli/input';
import type { ImportRow } from '../rules/import';
import { textOf } from './chunks';
import type { Column } from './columns';
import { columnName, isColumn, refuseColumn } from './columns';
import { FieldReader } from './delimited';
import { parsePasswdLine } from './dovecot';
import { dialectOf, type Format, guessFormat } from './format';
import { JsonReader } from './json';
import { RowReader } from './rows';
import { rowsFrom, type Values } from './values';

export interface Input {
  /** Bytes in UTF-8, chunk by chunk. */
  readonly chunks: Iterable<Buffer>;
  /** Of the file, for the guess of its format. */
  readonly name: string;
  readonly format: Format | null;
  /** Rows that the input gives a local mark are those of another server: not to be imported. */
  readonly leaveOutLocal?: boolean;
  /** Called after each chunk, when signals have been delivered; what it throws ends the reading. */
  readonly check?: () => void;
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
  /** False when the last line has no line break: more may have followed it. */
  readonly isComplete: boolean;
  /** Columns that were left out. */
  readonly unknownColumns: readonly string[];
  /** Users without a list, which were left out. */
  readonly withoutNetworks: number;
}

const KEPT_PROBLEMS = 20;

/** Where the rows of an input go, and its problems. */
export class Sink {
  readonly problems: Problem[] = [];
  problemCount = 0;
  hasSets = false;
  withoutNetworks = 0;
  readonly unknown = new Set<string>();

  constructor(
    private readonly add: (row: ImportRow) => void,
    private readonly leaveOutLocal: boolean,
  ) {}

  refuse(line: number, refusal: Refusal): void {
    this.problemCount++;
    if (this.problems.length < KEPT_PROBLEMS) this.problems.push({ line, ...refusal });
  }

  take(values: Values, line: number): void {
    const rows = rowsFrom(values, line);
    if ('problem' in rows) {
      this.refuse(line, rows);
      return;
    }
    // Rows are of no use any more once a line is wrong.
    if (this.problemCount > 0) return;
    for (const row of rows) if (!(this.leaveOutLocal && row.local === true)) this.add(row);
  }
}

/** What takes an input apart. */
interface Reader {
  /** False when no more can be read. */
  read(text: string): boolean;
  end(): void;
  readonly isComplete: boolean;
}

/** What is needed of the beginning to tell the format. */
const START = 4096;

/** Calls `add` for all rows of the input. With any problem they are good for nothing. Throws what reading throws, and what `check` throws. */
export async function readRows(input: Input, add: (row: ImportRow) => void): Promise<Read> {
  const sink = new Sink(add, input.leaveOutLocal === true);
  let start = '';
  let last = '';
  let reader: Reader | null = null;
  for (const text of textOf(input.chunks)) {
    last = text.at(-1) ?? last;
    let more = true;
    if (reader !== null) more = reader.read(text);
    else {
      start += text;
      if (!start.includes('\n') && start.length < START) continue;
      reader = readerFor(input, start, sink);
      more = reader.read(start);
    }
    if (!more) break;
    // Signals are delivered between two turns of the event loop.
    await turn();
    input.check?.();
  }
  if (reader === null) {
    reader = readerFor(input, start, sink);
    reader.read(start);
  }
  reader.end();
  const { problems, problemCount, hasSets, withoutNetworks } = sink;
  return {
    problems,
    problemCount,
    hasSets,
    withoutNetworks,
    isEmpty: start.trim() === '',
    isComplete: last === '' || last === '\n' || reader.isComplete,
    unknownColumns: [...sink.unknown],
  };
}

function readerFor({ format, name }: Input, start: string, sink: Sink): Reader {
  const chosen = format ?? guessFormat(name, start);
  switch (chosen) {
    case 'json':
      return jsonReader(sink);
    case 'dovecot':
      return dovecotReader(sink);
    default: {
      const dialect = dialectOf(chosen, start);
      const rows = new RowReader(chosen, dialect, start, sink);
      return new FieldReader(dialect, (record) => rows.take(record));
    }
  }
}

/** Lines as they are. */
const LINES = { separator: '\n', quotes: false, escapes: false };

function dovecotReader(sink: Sink): Reader {
  return new FieldReader(LINES, ({ line, fields, problem }) => {
    if (problem !== null) return sink.refuse(line, problem);
    const entry = parsePasswdLine(fields[0] ?? '');
    if (entry === null) return;
    if (entry.networks === null) sink.withoutNetworks++;
    else if (/(?:^|,)local(?:,|$)/.test(entry.networks)) {
      const hint = 'in Dovecot it means a connection from the server itself: write 127.0.0.0/8,::1';
      sink.refuse(line, { problem: 'local is not a network', hint });
    } else sink.take({ user: entry.user, network: entry.networks || null }, line);
  });
}

function jsonReader(sink: Sink): Reader {
  // Of an empty array it is not known; its export would have had sets.
  sink.hasSets = true;
  let isFirst = true;
  return new JsonReader(({ line, value, problem }) => {
    if (value === null) return sink.refuse(line, problem ?? { problem: 'this is not JSON', hint: '' });
    sink.hasSets = 'set' in value || (!isFirst && sink.hasSets);
    isFirst = false;
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
      else {
        const hint = 'every value is text, a number, true, false or null';
        refusal ??= { problem: `${name} is not text`, hint };
      }
    }
    if (refusal !== null) sink.refuse(line, refusal);
    else sink.take(values, line);
  });
}
