// Prints rows of the database one by one: a table with titles on a terminal, columns elsewhere, or JSON.

import { type Colour, isTerminal, printJsonArray } from '../cli/output';
import { printTable, type TableLine } from '../cli/table';
import type { Connection } from '../rules/database';
import { isBlock, isExpired, namesFrom, type Row } from '../rules/entries';
import { expiryMoment, formatInstant } from '../rules/meaning';
import type { Table } from '../rules/schema';
import { problemOf, warningOf } from './row-fault';

export function printRows(connection: Connection, table: Table, rows: Iterable<Row>, json: boolean): 0 {
  const now = Date.now();
  const sets = new Set(namesFrom(connection, 'network_set'));
  const isAccess = table === 'access';
  function* judged() {
    for (const row of rows) {
      const problem = problemOf(table, row, (name) => sets.has(name));
      yield { row, problem, state: stateOf(table, row, problem, now) };
    }
  }
  function* objects() {
    for (const { row, problem, state } of judged()) {
      const { user, network, note, expires, addedAt, addedBy, local } = row;
      const more = { added_at: addedAt, added_by: addedBy, local, state, problem };
      yield isAccess ? { user, network, note, expires, ...more } : { name: user, network, note, ...more };
    }
  }
  function* lines(): Iterable<TableLine> {
    for (const { row, problem, state } of judged()) {
      const remark = state === 'in force' ? warningOf(table, row) : problem;
      const isMarked = state !== 'in force' || remark !== null;
      const [mark, colour] = isMarked ? MARKS[state] : ['', null];
      const text = [mark, remark].filter(Boolean).join(': ');
      const until = isAccess ? [untilCell(row.expires)] : [];
      const cells = [String(row.user), String(row.network), ...until, [text, row.note].filter(Boolean).join('; ')];
      yield { cells, colour };
    }
  }
  const titles = isAccess ? ['USER', 'NETWORK', 'UNTIL', 'STATE AND NOTE'] : ['SET', 'NETWORK', 'STATE AND NOTE'];
  if (json) printJsonArray(objects());
  else printTable(isTerminal(1) ? titles : null, lines());
  return 0;
}

type State = 'blocked' | 'unreadable' | 'expired' | 'in force';

function stateOf(table: Table, row: Row, problem: string | null, now: number): State {
  if (table === 'access' && isBlock(row, now)) return 'blocked';
  if (problem !== null) return 'unreadable';
  return isExpired(row, now) ? 'expired' : 'in force';
}

/** How a row is marked in the table. A row in force is marked only if it likely grants too much. */
const MARKS: Readonly<Record<State, [string, Colour]>> = {
  blocked: ['BLOCKED', 'red'],
  unreadable: ['GRANTS NOTHING', 'red'],
  expired: ['EXPIRED', 'dim'],
  'in force': ['WARNING', 'yellow'],
};

function untilCell(expires: unknown): string {
  const moment = expiryMoment(expires);
  if (moment === Number.POSITIVE_INFINITY) return '-';
  return Number.isFinite(moment) ? formatInstant(moment) : String(expires);
}
