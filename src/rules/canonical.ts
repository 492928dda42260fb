// Rows that another SQLite client wrote, made as a command would have written them: folded name, canonical network, key.
//
// Every command that writes does this first, in its transaction, so that the code behind it knows one kind of row. It decides nothing anew:
// what a row grants stays as it was. Of two rows that mean the same, the one that lasts longest stays. Rows that cannot be read stay as
// they are.
import type { Connection } from './database';
import { deleteRows, handRows, type Row, rowWith, rowWriter } from './entries';
import { expiryMoment, formatInstant } from './expiry';
import { type Meaning, meaningOf } from './meaning';
import { hasHostBits, rowText, warningOf } from './row-fault';
import type { Table } from './schema';
import { foldName, isComparable } from './subject';

/**
 * Inside the caller's transaction. Returns how many rows were written anew. `onHostBits` gets a warning for each row that
 * grants more than the address in it: `list` and `doctor` can no longer see that in the canonical form.
 */
export function makeCanonical(connection: Connection, onHostBits: (warning: string) => void = () => {}): number {
  return (
    makeTableCanonical(connection, 'access', onHostBits) + makeTableCanonical(connection, 'network_set', onHostBits)
  );
}

function makeTableCanonical(connection: Connection, table: Table, onHostBits: (warning: string) => void): number {
  const rows = handRows(connection, table);
  if (rows.length === 0) return 0;
  const write = rowWriter(connection, table);
  let count = 0;
  for (const row of rows) {
    const meaning = readable(table, row);
    if (meaning === null || typeof row.user !== 'string') continue;
    const name = foldName(row.user);
    if (hasHostBits(row)) onHostBits(`${rowText(table, row)}: ${warningOf(table, row)}`);
    const same = rowWith(connection, table, name, meaning);
    const lasting = same !== null && expiryMoment(same.expires) > expiryMoment(row.expires) ? same : row;
    deleteRows(connection, table, [row]);
    write({
      user: name,
      meaning,
      note: row.note ?? same?.note ?? null,
      expires: expiresText(lasting),
      addedAt: lasting.addedAt,
      addedBy: lasting.addedBy,
      local: row.local || same?.local === true,
    });
    count++;
  }
  return count;
}

/** The meaning of a row, or null when something in it cannot be read, so that writing it anew could change what it grants. */
function readable(table: Table, row: Row): Meaning | null {
  const isName = typeof row.user === 'string' && isComparable(foldName(row.user));
  return isName && expiryMoment(row.expires) !== Number.NEGATIVE_INFINITY ? meaningOf(table, row.network) : null;
}

function expiresText({ expires }: Row): string | null {
  const moment = expiryMoment(expires);
  return Number.isFinite(moment) ? formatInstant(moment) : null;
}
