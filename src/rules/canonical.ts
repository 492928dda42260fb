// Rewrites rows that another SQLite client wrote as a command would have written them: folded name, canonical network.
//
// Every command that writes does this first in its transaction, so that the rest of its code handles one kind of row.
// This changes a decision only for a name with non-ASCII capitals, which SQLite did not match before. Of two rows with the same
// meaning, the one that lasts longer stays. Of unreadable rows, and of those that likely grant too much (10.1.2.3/8),
// only the name changes: list, tidy and doctor mark them.
import type { Connection } from './database';
import { deleteRows, handRows, hasHostBits, type Row, renameRow, rowWith, rowWriter } from './entries';
import { expiryMoment, foldName, formatInstant, isComparable, meaningOf } from './meaning';
import { byHand, TABLES } from './schema';

/** Call this in a transaction. Returns the number of rows that were made canonical. */
export function makeCanonical(connection: Connection): number {
  let count = 0;
  for (const table of TABLES) {
    const write = rowWriter(connection, table);
    for (const row of handRows(connection, table)) {
      const name = typeof row.user === 'string' ? foldName(row.user) : '';
      if (!isComparable(name)) continue;
      const meaning = meaningOf(table, row.network);
      if (meaning === null || expiryMoment(row.expires) === Number.NEGATIVE_INFINITY || hasHostBits(row)) {
        // Even so it counts as an entry, so its name must be found.
        if (row.user !== name) renameRow(connection, table, row, name, meaning?.kind === 'none');
        continue;
      }
      if (meaning.kind === 'none' && hasLastingBlock(connection, name, row)) {
        deleteRows(connection, table, [row]);
        continue;
      }
      const same = rowWith(connection, table, name, meaning);
      const lasting = same !== null && expiryMoment(same.expires) > expiryMoment(row.expires) ? same : row;
      const moment = expiryMoment(lasting.expires);
      deleteRows(connection, table, [row]);
      write({
        user: name,
        meaning,
        note: row.note ?? same?.note ?? null,
        expires: Number.isFinite(moment) ? formatInstant(moment) : null,
        addedAt: lasting.addedAt,
        addedBy: lasting.addedBy,
        local: row.local || same?.local === true,
      });
      count++;
    }
  }
  return count;
}

/** Whether another row blocks the user, and stays in force because its time of expiry is unreadable. */
function hasLastingBlock(connection: Connection, name: string, { rowid }: Row): boolean {
  const sql = `select expires from access where user = ? and network = 'none' and ${byHand('access')} and rowid <> ?`;
  const expires = connection.prepare(sql).pluck().get(name, rowid);
  return expires !== undefined && expiryMoment(expires) === Number.NEGATIVE_INFINITY;
}
