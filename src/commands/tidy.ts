// allow-nets tidy: rewrites hand-written rows in canonical form, and lists those that need correction.

import type { Command } from '../cli/command';
import { withWriteTransaction } from '../cli/open';
import { hint, printLine } from '../cli/output';
import { problemOf, rowText, warningOf } from '../entries/row-fault';
import { makeCanonical } from '../rules/canonical';
import { clearFalseCanonical, eachRow } from '../rules/entries';
import { TABLES } from '../rules/schema';

const MOST_FAULTS = 20;

export const tidy: Command = {
  line: 'tidy',
  summary: 'rewrite hand-written rows in canonical form',
  about: [
    'Rows that grant nothing (unreadable, or with a user that matches nobody) or more than they seem to (10.1.2.3/8) are listed and left as they are. No decision changes. An interrupted change is rolled back.',
  ],
  examples: [['allow-nets tidy', 'after rows were inserted with sqlite3']],
  run({ db }) {
    const faults: string[] = [];
    const rewritten = withWriteTransaction(db, (connection, count) => {
      for (const table of TABLES) clearFalseCanonical(connection, table);
      const more = makeCanonical(connection);
      for (const table of TABLES) {
        for (const row of eachRow(connection, table)) {
          const problem = problemOf(table, row, () => true);
          const fault = problem === null ? warningOf(table, row) : `grants nothing: ${problem}`;
          if (fault !== null) faults.push(`${rowText(table, row)}: ${fault}`);
        }
      }
      return count + more;
    });
    printLine(`rewritten ${rewritten}, to be corrected ${faults.length}`);
    for (const fault of faults.slice(0, MOST_FAULTS)) printLine(`  ${fault}`);
    if (faults.length > MOST_FAULTS) printLine(`  and ${faults.length - MOST_FAULTS} more: allow-nets list marks them`);
    if (faults.length > 0) hint('to remove one: allow-nets remove USER NETWORK, or allow-nets set remove NAME NETWORK');
    return 0;
  },
};
