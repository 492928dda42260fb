// Rewrites rows that another SQLite client wrote as a command would have written them: folded name, canonical network,
// key.
//
// Every command that writes does this first in its transaction, so that the rest of its code handles one kind of row.
// No decision changes. Of two rows with the same meaning, the one that lasts longer stays. Unreadable rows are not
// touched.
import type { Connection } from './database';
import { deleteRows, handRows, type Row, rowWith, rowWriter } from './entries';
import { expiryMoment, formatInstant } from './expiry';
import { type Meaning, meaningOf } from './meaning';
import { hasHostBits, rowText, warningOf } from './row-fault';
import { TABLES, type Table } from './schema';
import { foldName, isComparable } from './subject';

/**
 * Call this in a transaction. Returns the number of rewritten rows. `onHostBits` gets a warning for each row that
 * grants more than the address in it, since `list` and `doctor` cannot see that in the canonical form.
 */
export function makeCanonical(connection: Connection, onHostBits: (warning: string) => void = () => {}): number {
  let count = 0;
  for (const table of TABLES) {
    const write = rowWriter(connection, table);
    for (const row of handRows(connection, table)) {
      const meaning = readable(table, row);
      if (meaning === null || typeof row.user !== 'string') continue;
      const name = foldName(row.user);
      if (hasHostBits(row)) onHostBits(`${rowText(table, row)}: ${warningOf(table, row)}`);
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

/** The meaning of a row; null if part of it is unreadable, since rewriting it could then change what it grants. */
function readable(table: Table, row: Row): Meaning | null {
  const isName = typeof row.user === 'string' && isComparable(foldName(row.user));
  return isName && expiryMoment(row.expires) !== Number.NEGATIVE_INFINITY ? meaningOf(table, row.network) : null;
}
