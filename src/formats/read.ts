// Reads and checks an input of rows in any format, and collects all problems.
import { setImmediate as turn } from 'node:timers/promises';
import type { Refusal } from '../cli/input';
import { hint, printError } from '../cli/output';
import { printable } from '../failure';
import type { ImportRow } from '../rules/import';
import { isDomainName } from '../rules/row-fault';
import { Lines } from './lines';
import { type Format, type Notes, recordsOf } from './records';
import { rowsFrom } from './values';

export interface Input {
  readonly blocks: Iterable<Buffer>;
  /** The name of the file, from which the format is guessed. */
  readonly name: string;
  readonly format: Format | null;
  /** Whether to skip rows with a local mark: they belong to the server that exported them. */
  readonly leaveOutLocal?: boolean;
  /** Called regularly, after pending signals were delivered. If it throws, reading ends. */
  readonly check?: () => void;
}

/** The problems in an input, by line. */
export class Problems {
  count = 0;
  /** The first of them. */
  readonly list: (Refusal & { readonly line: number })[] = [];

  add(line: number, { problem, hint }: Refusal): void {
    this.count++;
    if (this.list.length < 20) this.list.push({ line, problem, hint });
  }

  /** Prints them all as errors and hints. */
  print(): 1 {
    this.list.forEach(({ line, problem, hint: likely }, i) => {
      printError(`allow-nets: error: line ${line}: ${printable(problem)}\n`);
      // Print a repeated hint only once, after the last of its lines.
      if (this.list[i + 1]?.hint !== likely) hint(likely);
    });
    const lines = this.count === 1 ? '1 line is wrong' : `${this.count} lines are wrong`;
    const first = this.count > this.list.length ? `, of which these are the first ${this.list.length}` : '';
    printError(`allow-nets: error: ${lines}${first}: nothing was changed\n`);
    return 1;
  }
}

export interface ReadResult extends Notes {
  readonly problems: Problems;
  /** Whether the input had no line at all, not even a header. */
  readonly isEmpty: boolean;
  /** False if the input may be truncated. */
  readonly isComplete: boolean;
}

/** The number of records between two runs of the event loop, which delivers signals. */
const RECORDS_IN_A_TURN = 1000;

/**
 * Calls `add` for each row. If there are problems, the rows must not be used. Throws Trouble, and errors of `check`.
 */
export async function readRows(input: Input, add: (row: ImportRow) => void): Promise<ReadResult> {
  const problems = new Problems();
  const notes: Notes = { hasSets: false, unknownColumns: new Set(), withoutNetworks: 0, domainName: null };
  const lines = new Lines(input.blocks);
  let count = 0;
  for (const record of recordsOf(lines, input.name, input.format, notes)) {
    if (++count % RECORDS_IN_A_TURN === 0) {
      await turn();
      input.check?.();
    }
    if (record === null) continue;
    const { line, content } = record;
    const rows = 'problem' in content ? content : rowsFrom(content, line);
    if ('problem' in rows) problems.add(line, rows);
    else if (problems.count === 0) {
      for (const row of rows) {
        if (row.table === 'network_set') notes.hasSets = true;
        else if (!row.name.includes('@') && isDomainName(row.name) === 'yes') notes.domainName ??= row.name;
        if (!(input.leaveOutLocal && row.local)) add(row);
      }
    }
  }
  return { ...notes, problems, isEmpty: lines.first === '', isComplete: lines.isComplete };
}
