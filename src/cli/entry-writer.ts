// Writes single entries and networks of sets, for add, block and set add.
import type { Connection } from '../rules/database';
import { rowWith, rowWriter } from '../rules/entries';
import { formatInstant, keptExpiry } from '../rules/expiry';
import type { Meaning } from '../rules/meaning';
import type { Table } from '../rules/schema';
import { whoAmI } from './input';

interface EntryValues {
  /** Null keeps the present note; an empty one removes it. */
  readonly note: string | null;
  /** Null keeps the present time, unless it has passed. */
  readonly expires: string | null;
  readonly local: boolean;
  /** Whether a null `expires` removes the present time. */
  readonly endless?: boolean;
}

type WrittenValues = Pick<EntryValues, 'expires' | 'local'>;

/**
 * Returns a function that adds an entry or changes the one of the same meaning, and returns null if nothing changed.
 */
export function entryWriter(connection: Connection, table: Table, now: number) {
  const write = rowWriter(connection, table);
  const origin = { addedBy: whoAmI(), addedAt: formatInstant(now) };
  return (user: string, meaning: Meaning, wanted: EntryValues): WrittenValues | null => {
    const present = rowWith(connection, table, user, meaning);
    const note = wanted.note === '' ? null : (wanted.note ?? present?.note ?? null);
    const expires = wanted.expires ?? (wanted.endless ? null : keptExpiry(present?.expires, now));
    const local = wanted.local || present?.local === true;
    if (present?.note === note && present.expires === expires && present.local === local) return null;
    write({ user, meaning, note, expires, local, ...origin });
    return { expires, local };
  };
}
