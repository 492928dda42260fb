// allow-nets tidy: rows written by hand into canonical form, so that they cost nothing and look as if a command had written them.
//
// Decides nothing anew: what a row grants stays as it was. Of two rows that mean the same, the one that lasts longer stays.

import type { Command } from '../cli/command';
import { changing } from '../cli/open';
import { hint, printLine, visible } from '../cli/output';
import type { Connection } from '../rules/database';
import {
  asRow,
  deleteRow,
  meaningOf,
  meaningText,
  nameColumn,
  problemOf,
  type Row,
  rowWriter,
  selectSql,
} from '../rules/entries';
import { expiryMoment, formatInstant } from '../rules/expiry';
import type { Table } from '../rules/schema';
import { foldName } from '../rules/subject';

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
    for (const row of unreadable.slice(0, 20)) printLine(`cannot be read: ${visible(row)}`);
    if (unreadable.length > 20) printLine(`and ${unreadable.length - 20} more`);
    if (unreadable.length > 0) hint(`they grant nothing; to take one away: ${REMEDY}`);
    return 0;
  },
};

const REMEDY = 'allow-nets remove USER NETWORK, or allow-nets set remove NAME NETWORK';

interface Tidied {
  readonly rewritten: number;
  /** As `list` names them, with the reason. */
  readonly unreadable: readonly string[];
}

function tidyTable(connection: Connection, table: Table): Tidied {
  const write = rowWriter(connection, table);
  const byId = connection.prepare(selectSql(table, 'where rowid = ? and key is null'));
  const byText = connection.prepare(selectSql(table, `where ${nameColumn(table)} = ? and network = ?`));
  const unreadable: string[] = [];
  let rewritten = 0;
  // A row may go, or get its key, while another one that means the same is rewritten.
  for (const id of handRows(connection, table)) {
    const found = byId.get(id);
    if (found === undefined) continue;
    const row = asRow(found);
    const meaning = meaningOf(table, row.network);
    const until = expiryMoment(row.expires);
    if (typeof row.user !== 'string' || meaning === null || until === Number.NEGATIVE_INFINITY) {
      const owner = table === 'access' ? row.user : `@${row.user}`;
      unreadable.push(`${owner} ${row.network}: ${problemOf(table, row, () => true)}`);
      continue;
    }
    deleteRow(connection, table, row);
    rewritten++;
    const user = foldName(row.user);
    const same = byText.get(user, meaningText(meaning));
    const twin = same === undefined ? null : asRow(same);
    const longer = twin !== null && expiryMoment(twin.expires) > until ? twin : row;
    write({
      user,
      meaning,
      note: row.note ?? twin?.note ?? null,
      expires: canonicalTime(longer),
      addedAt: longer.addedAt,
      addedBy: longer.addedBy,
      local: row.local || twin?.local === true,
    });
  }
  return { rewritten, unreadable };
}

function canonicalTime(row: Row): string | null {
  const until = expiryMoment(row.expires);
  return Number.isFinite(until) ? formatInstant(until) : null;
}

function handRows(connection: Connection, table: Table): number[] {
  // The order lets SQLite use the index of the rows without a key; without it, all rows are read.
  const sql = `select rowid from ${table} where key is null order by ${nameColumn(table)} collate nocase`;
  return connection.prepare(sql).pluck().all() as number[];
}
