// allow-nets tidy: hand-written rows into canonical form, as every command that writes does; and what cannot be read.
import type { Command } from '../cli/command';
import { changing } from '../cli/open';
import { hint, printLine, visible } from '../cli/output';
import { handRows, problemOf, type Row } from '../rules/entries';
import type { Table } from '../rules/schema';

export const tidy: Command = {
  line: 'tidy',
  summary: 'rewrite hand-written rows in canonical form',
  about: [
    'Rows that cannot be read are named and left as they are. No decision changes: it is for speed, and for the eye. It also rolls back a change that was interrupted.',
  ],
  examples: [['allow-nets tidy', 'after rows were put in with sqlite3']],
  run({ db }) {
    const { rewritten, unreadable } = changing(db, (connection, rewritten) => ({
      rewritten,
      unreadable: (['access', 'network_set'] as const).flatMap((table) =>
        handRows(connection, table).map((row) => rowText(table, row)),
      ),
    }));
    printLine(`rewritten ${rewritten}, unreadable ${unreadable.length}`);
    for (const row of unreadable.slice(0, 20)) printLine(`cannot be read: ${visible(row)}`);
    if (unreadable.length > 20) printLine(`and ${unreadable.length - 20} more`);
    if (unreadable.length > 0) {
      hint(
        'they grant nothing; to take one away: allow-nets remove USER NETWORK, or allow-nets set remove NAME NETWORK',
      );
    }
    return 0;
  },
};

/** As `list` names a row, with the reason why it cannot be read. */
function rowText(table: Table, row: Row): string {
  const owner = table === 'access' ? row.user : `@${row.user}`;
  return `${owner} ${row.network}: ${problemOf(table, row, () => true)}`;
}
