// allow-nets list: who may send mail from where, and what of it grants nothing.

import type { Command } from '../cli/command';
import { reading } from '../cli/open';
import { coloured, columns, hint, isTerminal, printJsonArray, printLine, visible } from '../cli/output';
import { Trouble } from '../failure';
import type { Connection } from '../rules/database';
import { eachExpired, eachRow, eachRowOf, hasRows, isExpired, problemOf, type Row } from '../rules/entries';
import { expiryMoment, formatInstant } from '../rules/expiry';
import type { Table } from '../rules/schema';
import { nameColumn } from '../rules/schema';
import { foldName, subjectsOf } from '../rules/subject';
import { printStatus } from '../sync/status';

export const list: Command = {
  line: 'list [user]',
  summary: 'show who may send mail from where',
  about: [
    'With a user: the entries of all subjects that the user could be decided by, the deciding one first. Rows that have expired or cannot be read are marked; they grant nothing.',
  ],
  positionals: { user: 'only what concerns this SASL user name, @domain or *' },
  options: {
    expired: { type: 'boolean', describe: 'only entries that have expired' },
    status: { type: 'boolean', describe: 'instead: where sync gets them from, and when that last worked' },
    json: { type: 'boolean', describe: 'as a JSON array, and --status as an object' },
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
        const all = () =>
          given.flag('expired') ? eachExpired(connection, now) : eachRow(connection, 'access');
        const widths = given.flag('expired') ? undefined : tableWidths(connection, 'access');
        return printRows(connection, 'access', all, given.flag('json'), widths);
      }
      const subjects = [...new Set(subjectsOf(user))].filter((subject) =>
        hasRows(connection, 'access', subject),
      );
      if (subjects.length === 0) throw noEntry(user);
      const rows = () => rowsOfAll(connection, subjects, wanted);
      const status = printRows(connection, 'access', rows, given.flag('json'));
      if (!given.flag('json') && !given.flag('expired')) tellDeciding(subjects, user);
      return status;
    });
  },
};

/** `subjects`: those that have entries, the deciding one first. */
function tellDeciding([deciding, ...others]: readonly string[], user: string): void {
  const about = `the entries of ${deciding} decide about ${user}`;
  if (others.length > 0) hint(`${about}; those of ${others.join(' and ')} do not count`);
  else if (deciding !== foldName(user)) hint(about);
}

function noEntry(user: string): Trouble {
  return new Trouble({
    kind: 'refused',
    problem: `${user} has no entry, nor has anything wider: it is refused from everywhere`,
    hint: `allow-nets add ${user} NETWORK`,
  });
}

function* rowsOfAll(
  connection: Connection,
  subjects: readonly string[],
  wanted: (row: Row) => boolean,
): Iterable<Row> {
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
    const problem = problemOf(table, row, hasSet);
    const expired = problem === null && isExpired(row, now);
    const state = problem !== null ? `GRANTS NOTHING: ${problem}` : expired ? 'EXPIRED' : '';
    const note = [state, row.note ?? ''].filter((part) => part !== '').join('; ');
    const line = columns([...cells(table, row), visible(note)], wide);
    printLine(problem !== null ? coloured(line, 'red') : expired ? coloured(line, 'dim') : line);
  }
  return 0;
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
  const start = [visible(String(row.user)), visible(String(row.network))];
  return table === 'access' ? [...start, untilText(row.expires)] : start;
}

function untilText(expires: unknown): string {
  const moment = expiryMoment(expires);
  if (moment === Number.POSITIVE_INFINITY) return '-';
  return Number.isFinite(moment) ? formatInstant(moment) : visible(String(expires));
}

function* jsonRows(
  table: Table,
  rows: Iterable<Row>,
  hasSet: (name: string) => boolean,
  now: number,
): Iterable<unknown> {
  for (const row of rows) {
    const { user, network, note, expires, addedAt, addedBy, local } = row;
    const problem = problemOf(table, row, hasSet);
    const state = problem !== null ? 'unreadable' : isExpired(row, now) ? 'expired' : 'in force';
    const origin = { added_at: addedAt, added_by: addedBy, local, state, problem };
    // In one piece each: an object spread from several costs three times as much.
    yield table === 'access'
      ? { user, network, note, expires, ...origin }
      : { name: user, network, note, ...origin };
  }
}
