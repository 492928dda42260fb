// allow-nets tidy: hand-written rows into canonical form, as every command that writes does; and what cannot be read.
import type { Command } from '../cli/command';
import { hint, printLine } from '../cli/output';
import { makeCanonical } from '../rules/canonical';
import { type Connection, openForWriting, translating } from '../rules/database';
import { eachRow, handRows, type Row } from '../rules/entries';
import { becomeOwner } from '../rules/owner';
import { problemOf, warningOf } from '../rules/row-fault';
import type { Table } from '../rules/schema';

export const tidy: Command = {
  line: 'tidy',
  summary: 'rewrite hand-written rows in canonical form',
  about: [
    'Rows that grant nothing (they cannot be read, or their user can match nobody) are named and left as they are. No decision changes. It also rolls back a change that was interrupted.',
  ],
  examples: [['allow-nets tidy', 'after rows were put in with sqlite3']],
  run({ db }) {
    const { rewritten, faults, count } = translating(db, () => {
      becomeOwner(db);
      const connection = openForWriting(db);
      try {
        return connection
          .transaction(() => {
            const widened = TABLES.flatMap((table) =>
              handRows(connection, table).flatMap((row) => widening(table, row)),
            );
            const rewritten = makeCanonical(connection);
            return { rewritten, ...collectFaults(connection, widened) };
          })
          .immediate();
      } finally {
        connection.close();
      }
    });
    printLine(`rewritten ${rewritten}, to be corrected ${count}`);
    for (const fault of faults) printLine(`  ${fault}`);
    if (count > faults.length) printLine(`  and ${count - faults.length} more`);
    if (count > 0) {
      hint('to take one away: allow-nets remove USER NETWORK, or allow-nets set remove NAME NETWORK');
    }
    return 0;
  },
};

const TABLES = ['access', 'network_set'] as const;
const SHOWN_FAULTS = 20;

/** A row whose host bits are gone when it is canonical: it shows no longer that somebody meant one address. */
function widening(table: Table, row: Row): string[] {
  const warning = warningOf(table, row);
  return warning === null ? [] : [`${rowText(table, row)}: ${warning}`];
}

/** The first of the rows that grant nothing, after those of `start`, and how many there are. */
function collectFaults(connection: Connection, start: readonly string[]) {
  const faults = start.slice(0, SHOWN_FAULTS);
  let count = start.length;
  for (const table of TABLES) {
    for (const row of eachRow(connection, table)) {
      const problem = problemOf(table, row, () => true);
      if (problem === null) continue;
      if (count++ < SHOWN_FAULTS) faults.push(`${rowText(table, row)} grants nothing: ${problem}`);
    }
  }
  return { faults, count };
}

function rowText(table: Table, { user, network }: Row): string {
  return `${table === 'access' ? user : `@${user}`} ${network}`;
}
