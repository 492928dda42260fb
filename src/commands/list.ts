// allow-nets list: shows who may send mail from where, and which entries grant nothing.

import type { Command } from '../cli/command';
import { commandText } from '../cli/command-text';
import { withReadTransaction } from '../cli/open';
import { type Colour, hint, isTerminal, printJsonArray } from '../cli/output';
import { printTable } from '../cli/table';
import { Trouble } from '../failure';
import type { Connection } from '../rules/database';
import { eachExpired, eachRow, eachRowOf, hasRows, isBlock, isExpired, type Row } from '../rules/entries';
import { expiryMoment, formatInstant } from '../rules/expiry';
import { decidersOf } from '../rules/inherit';
import { problemOf, warningOf } from '../rules/row-fault';
import type { Table } from '../rules/schema';
import { foldName, subjectsOf } from '../rules/subject';
import { printStatus } from '../sync/status';

export const list: Command = {
  line: 'list [user]',
  summary: 'show who may send mail from where',
  about: [
    'With a user: the entries of every subject that can decide for that user, the deciding one first. Rows that block, have expired, grant nothing, or grant more than they seem to are marked.',
  ],
  positionals: { user: 'only the entries that decide for this SASL user name, @domain or *' },
  options: {
    expired: { type: 'boolean', describe: 'only entries that have expired' },
    status: { type: 'boolean', describe: 'the state of sync instead of entries' },
    json: { type: 'boolean', describe: 'as a JSON array; with --status, as an object' },
  },
  examples: [
    ['allow-nets list', 'all entries'],
    ['allow-nets list alice@example.com', 'the entries that decide for alice'],
  ],
  run(args) {
    const json = args.flag('json');
    if (args.flag('status')) return printStatus(args.db, json);
    const user = args.text('user');
    const expired = args.flag('expired');
    const now = Date.now();
    return withReadTransaction(args.db, (connection) => {
      if (user === null) {
        return printRows(
          connection,
          'access',
          expired ? eachExpired(connection, now) : eachRow(connection, 'access'),
          json,
        );
      }
      const subjects = [...new Set(subjectsOf(user))].filter((subject) => hasRows(connection, 'access', subject));
      if (subjects.length === 0) throw noEntry(user, args.db);
      printRows(connection, 'access', rowsOfAll(connection, subjects, expired ? now : null), json);
      if (!json && !expired) hintDeciders(connection, subjects, user, now);
      return 0;
    });
  },
};

/** `expiredAt`: selects the rows that have expired by then (ms since 1970); null selects all. */
function* rowsOfAll(connection: Connection, subjects: readonly string[], expiredAt: number | null): Iterable<Row> {
  for (const subject of subjects) {
    for (const row of eachRowOf(connection, 'access', subject)) {
      if (expiredAt === null || isExpired(row, expiredAt)) yield row;
    }
  }
}

/** `subjects`: the subjects with entries, the deciding one first. */
function hintDeciders(connection: Connection, subjects: readonly string[], user: string, now: number): void {
  const deciders = decidersOf(connection, user, now).subjects;
  const others = subjects.filter((subject) => !deciders.includes(subject));
  const [first, ...inherited] = deciders;
  const by = inherited.length === 0 ? '' : `, and by inherit those of ${inherited.join(' and ')}`;
  const about = `the entries of ${first} decide for ${user}${by}`;
  if (others.length > 0) hint(`${about}; those of ${others.join(' and ')} do not count`);
  else if (first !== foldName(user) || by !== '') hint(about);
}

function noEntry(user: string, db: string): Trouble {
  return new Trouble({
    kind: 'refused',
    problem: `${user} has no entry, nor has anything wider: it is refused from everywhere`,
    hint: commandText('add', [user, 'NETWORK'], db) ?? 'allow-nets add USER NETWORK',
  });
}

/** Prints rows one by one: a table with titles on a terminal, columns elsewhere, or JSON. */
export function printRows(connection: Connection, table: Table, rows: Iterable<Row>, json: boolean): 0 {
  const now = Date.now();
  const sets = new Map<string, boolean>();
  const hasSet = (name: string) => {
    const known = sets.get(name) ?? hasRows(connection, 'network_set', name);
    sets.set(name, known);
    return known;
  };
  const isAccess = table === 'access';
  function* objects() {
    for (const row of rows) {
      const { user, network, note, expires, addedAt, addedBy, local } = row;
      const origin = { added_at: addedAt, added_by: addedBy, local, ...stateOf(table, row, hasSet, now) };
      yield isAccess ? { user, network, note, expires, ...origin } : { name: user, network, note, ...origin };
    }
  }
  function* lines() {
    for (const row of rows) {
      const { text, colour } = markOf(table, row, hasSet, now);
      const last = [text, row.note ?? ''].filter((part) => part !== '').join('; ');
      const until = isAccess ? [untilText(row.expires)] : [];
      yield { cells: [String(row.user), String(row.network), ...until, last], colour };
    }
  }
  const titles = isAccess ? ['USER', 'NETWORK', 'UNTIL', 'STATE AND NOTE'] : ['SET', 'NETWORK', 'STATE AND NOTE'];
  if (json) printJsonArray(objects());
  else printTable(isTerminal(1) ? titles : null, lines());
  return 0;
}

type HasSet = (name: string) => boolean;

function stateOf(table: Table, row: Row, hasSet: HasSet, now: number) {
  const problem = problemOf(table, row, hasSet);
  if (table === 'access' && isBlock(row, now)) return { state: 'blocked', problem };
  return { state: problem !== null ? 'unreadable' : isExpired(row, now) ? 'expired' : 'in force', problem };
}

/** Marks a row that does not simply grant its network. */
function markOf(table: Table, row: Row, hasSet: HasSet, now: number): { text: string; colour: Colour | null } {
  const { state, problem } = stateOf(table, row, hasSet, now);
  const why = problem === null ? '' : `: ${problem}`;
  if (state === 'blocked') return { text: `BLOCKED${why}`, colour: 'red' };
  if (state === 'unreadable') return { text: `GRANTS NOTHING${why}`, colour: 'red' };
  if (state === 'expired') return { text: 'EXPIRED', colour: 'dim' };
  const warning = warningOf(table, row);
  return warning === null ? { text: '', colour: null } : { text: `WARNING: ${warning}`, colour: 'yellow' };
}

function untilText(expires: unknown): string {
  const moment = expiryMoment(expires);
  if (moment === Number.POSITIVE_INFINITY) return '-';
  return Number.isFinite(moment) ? formatInstant(moment) : String(expires);
}
