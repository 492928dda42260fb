// Entries and networks of sets as add, block and set add write them.
import type { Connection } from '../rules/database';
import { rowWith, rowWriter } from '../rules/entries';
import { formatInstant, keptExpiry } from '../rules/expiry';
import type { Meaning } from '../rules/meaning';
import type { Table } from '../rules/schema';
import { whoAmI } from './input';

interface Wanted {
  /** Null: the note that is there stays; empty: it goes. */
  readonly note: string | null;
  /** Null: the time that is there stays, unless it is over. */
  readonly expires: string | null;
  readonly local: boolean;
  /** Never expires, whatever is there. */
  readonly endless?: boolean;
}

type Written = Pick<Wanted, 'expires' | 'local'>;

/** A function that adds an entry or changes the one of the same meaning; it returns null where nothing changed. */
export function putter(connection: Connection, table: Table, now: number) {
  const write = rowWriter(connection, table);
  const origin = { addedBy: whoAmI(), addedAt: formatInstant(now) };
  return (user: string, meaning: Meaning, wanted: Wanted): Written | null => {
    const present = rowWith(connection, table, user, meaning);
    const note = wanted.note === '' ? null : (wanted.note ?? present?.note ?? null);
    const expires = wanted.expires ?? (wanted.endless ? null : keptExpiry(present?.expires, now));
    const local = wanted.local || present?.local === true;
    if (present?.note === note && present.expires === expires && present.local === local) return null;
    write({ user, meaning, note, expires, local, ...origin });
    return { expires, local };
  };
}
