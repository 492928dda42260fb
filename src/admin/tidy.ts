// allow-nets tidy: rows written by hand into canonical form, so that they cost nothing and look as if a command had written them.
//
// Decides nothing anew: what a row grants stays as it was. Of two rows that mean the same, the one that lasts longer stays.
import type { Connection } from '../rules/database';
import { deleteRow, meaningOf, nameColumn, type Row, rowsOf, rowWith, rowWriter } from '../rules/entries';
import { expiryMoment, formatInstant } from '../rules/expiry';
import type { Table } from '../rules/schema';
import { foldName } from '../rules/subject';
import type { Command } from './command';
import { changing } from './open';
import { hint, printLine, visible } from './output';

export const tidy: Command = {
  line: 'tidy',
  summary: 'rewrite hand-written rows in canonical form',
  about: [
    'Rows that cannot be read are named and left as they are. No decision changes: it is for speed, and for the eye.',
  ],
  examples: [['allow-nets tidy', 'after rows were put in with sqlite3']],
  run({ db }) {
    const { rewritten, unreadable } = changing(db, (connection) => {
      const access = tidyTable(connection, 'access');
      const sets = tidyTable(connection, 'network_set');
      return {
        rewritten: access.rewritten + sets.rewritten,
        unreadable: [...access.unreadable, ...sets.unreadable],
      };
    });
    printLine(`rewritten ${rewritten}, unreadable ${unreadable.length}`);
    for (const row of unreadable.slice(0, 20))
      printLine(`cannot be read: ${visible(`${row.user} ${row.network}`)}`);
    if (unreadable.length > 20) printLine(`and ${unreadable.length - 20} more`);
    if (unreadable.length > 0)
      hint('they grant nothing: allow-nets list says why, allow-nets remove takes them away');
    return 0;
  },
};

function tidyTable(connection: Connection, table: Table): { rewritten: number; unreadable: Row[] } {
  const write = rowWriter(connection, table);
  const unreadable: Row[] = [];
  let rewritten = 0;
  for (const name of handNames(connection, table)) {
    for (const row of rowsOf(connection, table, name).filter(({ byHand }) => byHand)) {
      const meaning = meaningOf(table, row.network);
      const until = expiryMoment(row.expires);
      if (meaning === null || until === Number.NEGATIVE_INFINITY) {
        unreadable.push(row);
        continue;
      }
      deleteRow(connection, table, row);
      rewritten++;
      const twin = rowWith(connection, table, name, meaning);
      if (twin !== null && expiryMoment(twin.expires) >= until) continue;
      const expires = Number.isFinite(until) ? formatInstant(until) : null;
      const note = row.note ?? twin?.note ?? null;
      write({ ...row, user: name, meaning, expires, note });
    }
  }
  return { rewritten, unreadable };
}

function handNames(connection: Connection, table: Table): Set<string> {
  const names = connection
    .prepare(`select distinct ${nameColumn(table)} from ${table} where key is null`)
    .pluck();
  return new Set(
    (names.all() as unknown[]).filter((name) => typeof name === 'string').map((name) => foldName(name)),
  );
}
