// allow-nets tidy: rewrites hand-written rows in canonical form, and lists those that cannot be read.
import type { Command } from '../cli/command';
import { withWriteTransaction } from '../cli/open';
import { hint, printLine } from '../cli/output';
import { clearStaleKeys, eachRow, handRows } from '../rules/entries';
import { problemOf, rowText, warningOf } from '../rules/row-fault';
import { TABLES } from '../rules/schema';

const SHOWN_FAULTS = 20;

export const tidy: Command = {
  line: 'tidy',
  summary: 'rewrite hand-written rows in canonical form',
  about: [
    'Rows that grant nothing (unreadable, or with a user that matches nobody) are listed and left as they are. No decision changes. An interrupted change is rolled back.',
  ],
  examples: [['allow-nets tidy', 'after rows were inserted with sqlite3']],
  run({ db }) {
    const faults: string[] = [];
    const rewritten = withWriteTransaction(
      db,
      (connection, count) => {
        for (const table of TABLES) {
          for (const row of eachRow(connection, table)) {
            const problem = problemOf(table, row, () => true);
            if (problem !== null) faults.push(`${rowText(table, row)} grants nothing: ${problem}`);
          }
        }
        return count;
      },
      (connection) => {
        // Check for host bits now: the canonical form drops them, and they show that one address was meant.
        for (const table of TABLES) {
          clearStaleKeys(connection, table);
          for (const row of handRows(connection, table)) {
            const warning = warningOf(table, row);
            if (warning !== null) faults.push(`${rowText(table, row)}: ${warning}`);
          }
        }
      },
    );
    printLine(`rewritten ${rewritten}, to be corrected ${faults.length}`);
    for (const fault of faults.slice(0, SHOWN_FAULTS)) printLine(`  ${fault}`);
    if (faults.length > SHOWN_FAULTS) printLine(`  and ${faults.length - SHOWN_FAULTS} more`);
    if (faults.length > 0) hint('to remove one: allow-nets remove USER NETWORK, or allow-nets set remove NAME NETWORK');
    return 0;
  },
};
