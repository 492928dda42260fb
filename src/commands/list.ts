// allow-nets list: who may send mail from where, and what of it grants nothing.

import type { Command } from '../cli/command';
import { commandText } from '../cli/let-in';
import { reading } from '../cli/open';
import { coloured, columns, hint, isTerminal, printJsonArray, printLine } from '../cli/output';
import { Trouble } from '../failure';
import type { Connection } from '../rules/database';
import {
  eachExpired,
  eachRow,
  eachRowOf,
  hasRows,
  isBlock,
  isExpired,
  problemOf,
  type Row,
  warningOf,
} from '../rules/entries';
import { expiryMoment, formatInstant } from '../rules/expiry';
import { decidersOf } from '../rules/inherit';
import type { Table } from '../rules/schema';
import { nameColumn } from '../rules/schema';
import { foldName, subjectsOf } from '../rules/subject';
import { printStatus } from '../sync/status';

export const list: Command = {
  line: 'list [user]',
  summary: 'show who may send mail from where',
  about: [
    'With a user: the entries of all subjects that the user could be decided by, the deciding one first. Rows that block, have expired, grant nothing or grant more than they seem to are marked.',
  ],
  positionals: { user: 'only what decides about this SASL user name, @domain or *' },
  options: {
    expired: { type: 'boolean', describe: 'only entries that have expired' },
    status: { type: 'boolean', describe: 'instead of entries: the state of sync' },
    json: { type: 'boolean', describe: 'as a JSON array; with --status, as an object' },
  },
  examples: [
    ['allow-nets list', 'all entries'],
    ['allow-nets list alice@example.com', 'what decides about alice'],
  ],
  run(given) {
    if (given.flag('status')) return printStatus(given.db, given.flag('json'));
    const user = given.text('user');
    const now = Date.now();
    const wanted = (row: Row) => !given.flag('expired') || isExpired(row, now);
    return reading(given.db, (connection) => {
      if (user === null) {
        const all = () => (given.flag('expired') ? eachExpired(connection, now) : eachRow(connection, 'access'));
        const widths = given.flag('expired') ? undefined : tableWidths(connection, 'access');
        return printRows(connection, 'access', all, given.flag('json'), widths);
      }
      const subjects = [...new Set(subjectsOf(user))].filter((subject) => hasRows(connection, 'access', subject));
      if (subjects.length === 0) throw noEntry(user, given.db);
      const rows = () => rowsOfAll(connection, subjects, wanted);
      const status = printRows(connection, 'access', rows, given.flag('json'));
      if (!given.flag('json') && !given.flag('expired')) hintDeciders(connection, subjects, user, now);
      return status;
    });
  },
};

/** `subjects`: those that have entries, the deciding one first. */
function hintDeciders(connection: Connection, subjects: readonly string[], user: string, now: number): void {
  const deciders = decidersOf(connection, user, now).subjects;
  const others = subjects.filter((subject) => !deciders.includes(subject));
  const [first, ...inherited] = deciders;
  const by = inherited.length === 0 ? '' : `, and by inherit those of ${inherited.join(' and ')}`;
  const about = `the entries of ${first} decide about ${user}${by}`;
  if (others.length > 0) hint(`${about}; those of ${others.join(' and ')} do not count`);
  else if (first !== foldName(user) || by !== '') hint(about);
}

function noEntry(user: string, db: string): Trouble {
  const problem = `${user} has no entry, nor has anything wider: it is refused from everywhere`;
  return new Trouble({
    kind: 'refused',
    problem,
    hint: commandText('add', [user, 'NETWORK'], db) ?? 'allow-nets add USER NETWORK',
  });
}

function* rowsOfAll(connection: Connection, subjects: readonly string[], wanted: (row: Row) => boolean): Iterable<Row> {
  for (const subject of subjects) {
    for (const row of eachRowOf(connection, 'access', subject)) if (wanted(row)) yield row;
  }
}

const LONGEST_COLUMN = 43;

/**
 * Prints rows one by one: a table on a terminal, aligned columns elsewhere, or JSON. `rows` gives them anew at each call: they are read
 * twice, for the widths and for the lines, unless `widths` are known.
 */
export function printRows(
  connection: Connection,
  table: Table,
  rows: () => Iterable<Row>,
  json: boolean,
  widths?: readonly number[],
): 0 {
  const now = Date.now();
  const sets = new Map<string, boolean>();
  const hasSet = (name: string) => {
    const known = sets.get(name) ?? hasRows(connection, 'network_set', name);
    sets.set(name, known);
    return known;
  };
  if (json) {
    printJsonArray(jsonRows(table, rows(), hasSet, now));
    return 0;
  }
  const wide = widths ?? widthsOf(table, rows());
  if (isTerminal(1)) {
    const titles = [
      table === 'access' ? 'USER' : 'SET',
      'NETWORK',
      ...(table === 'access' ? ['UNTIL'] : []),
      'STATE AND NOTE',
    ];
    printLine(coloured(columns(titles, wide), 'bold'));
  }
  for (const row of rows()) {
    const { mark, colour } = markOf(table, row, hasSet, now);
    const note = [mark, row.note ?? ''].filter((part) => part !== '').join('; ');
    const line = columns([...cells(table, row), note], wide);
    printLine(colour === null ? line : coloured(line, colour));
  }
  return 0;
}

/** What is said of a row that does not simply grant its network. */
function markOf(table: Table, row: Row, hasSet: (name: string) => boolean, now: number) {
  const state = stateOf(table, row, hasSet, now);
  const { problem } = state;
  const warning = problem === null ? warningOf(table, row) : null;
  if (state.state === 'blocked') {
    return { mark: problem === null ? 'BLOCKED' : `BLOCKED: ${problem}`, colour: 'red' } as const;
  }
  if (problem !== null) return { mark: `GRANTS NOTHING: ${problem}`, colour: 'red' } as const;
  if (state.state === 'expired') return { mark: 'EXPIRED', colour: 'dim' } as const;
  return warning === null
    ? ({ mark: '', colour: null } as const)
    : ({ mark: `WARNING: ${warning}`, colour: 'yellow' } as const);
}

function stateOf(table: Table, row: Row, hasSet: (name: string) => boolean, now: number) {
  const problem = problemOf(table, row, hasSet);
  if (table === 'access' && isBlock(row, now)) return { state: 'blocked', problem };
  return { state: problem !== null ? 'unreadable' : isExpired(row, now) ? 'expired' : 'in force', problem };
}

const LEAST_WIDTHS = [4, 7, 7];

function widthsOf(table: Table, rows: Iterable<Row>): number[] {
  const widths = [...LEAST_WIDTHS];
  for (const row of rows) {
    cells(table, row).forEach((cell, i) => {
      widths[i] = Math.min(LONGEST_COLUMN, Math.max(widths[i] ?? 0, cell.length));
    });
  }
  return widths;
}

/** Of all rows of the table, without reading them here. */
export function tableWidths(connection: Connection, table: Table): number[] {
  const longest = (column: string) => `max(length(${column}))`;
  const expires = table === 'access' ? longest('expires') : 'null';
  const found = connection
    .prepare(`select ${longest(nameColumn(table))}, ${longest('network')}, max(20, ${expires}) from ${table}`)
    .raw()
    .get() as (number | null)[];
  return found.map((width, i) => Math.min(LONGEST_COLUMN, Math.max(LEAST_WIDTHS[i] ?? 0, width ?? 0)));
}

function cells(table: Table, row: Row): string[] {
  const start = [String(row.user), String(row.network)];
  return table === 'access' ? [...start, untilText(row.expires)] : start;
}

function untilText(expires: unknown): string {
  const moment = expiryMoment(expires);
  if (moment === Number.POSITIVE_INFINITY) return '-';
  return Number.isFinite(moment) ? formatInstant(moment) : String(expires);
}

function* jsonRows(
  table: Table,
  rows: Iterable<Row>,
  hasSet: (name: string) => boolean,
  now: number,
): Iterable<unknown> {
  for (const row of rows) {
    const { user, network, note, expires, addedAt, addedBy, local } = row;
    const { state, problem } = stateOf(table, row, hasSet, now);
    const origin = { added_at: addedAt, added_by: addedBy, local, state, problem };
    // In one piece each: an object spread from several costs three times as much.
    yield table === 'access' ? { user, network, note, expires, ...origin } : { name: user, network, note, ...origin };
  }
}
