// Taking entries away: what goes, and who decides then about the users who had them.
import type { Connection } from './database';
import { deleteRows, type Row } from './entries';
import { decidersOf, decidersText, deleteLoneInherit } from './inherit';
import { foldName } from './subject';

export interface Removal {
  /** What is gone: the rows, and an `inherit` that was left with nothing beside it. */
  readonly rows: readonly Row[];
  /** Of each user about whom others decide now, or the same with another outcome: who, in words. */
  readonly changes: readonly string[];
}

/** Inside the caller's transaction. `rows`: of `access`. `now`: ms since 1970. */
export function removeEntries(connection: Connection, rows: readonly Row[], now: number): Removal {
  const users = [...new Set(rows.map(({ user }) => foldName(String(user))))];
  const before = users.map((user) => decidersOf(connection, user, now));
  deleteRows(connection, 'access', rows);
  const lone = users.flatMap((user) => deleteLoneInherit(connection, user, now));
  const changes = users.flatMap((user, i) => {
    const after = decidersOf(connection, user, now);
    return JSON.stringify(after) === JSON.stringify(before[i]) ? [] : [decidersText(user, after)];
  });
  return { rows: [...rows, ...lone], changes };
}
