// Makes a difference that was found (difference.ts): rows deleted, written anew and inserted, inside the caller's transaction.
import type { Connection } from './database';
import type { Counts } from './difference';
import { expiryMoment, formatInstant } from './expiry';
import type { Table } from './schema';
import { nameColumn } from './schema';
import { GIVEN } from './staging';

export interface Writing {
  /** Make the database equal to the input, but for rows with a local mark; else what the input does not speak of stays. */
  readonly replace: boolean;
  /** For rows of which the input does not say it. */
  readonly addedBy: string;
  /** ms since 1970. */
  readonly now: number;
}

export function makeDifference(connection: Connection, table: Table, manner: Writing, counts: Counts): void {
  const run = (sql: string, values: Record<string, unknown> = {}) => connection.prepare(sql).run(values);
  const name = nameColumn(table);
  const isAccess = table === 'access';
  run(`delete from ${table} where rowid in (select id from gone where of = '${table}')`);
  const values = { addedAt: formatInstant(manner.now), addedBy: manner.addedBy };
  const staged = (given: keyof typeof GIVEN, column: string, otherwise: string) =>
    `case when i.given & ${GIVEN[given]} then i.${column} else ${otherwise} end`;
  if (counts.changed > 0) {
    connection.function('kept_expiry', (expires) => keptExpiry(expires, manner.now));
    const expires = manner.replace
      ? 'i.expires'
      : staged('expires', 'expires', `kept_expiry(${table}.expires)`);
    run(
      `update ${table} set ${name} = i.name, network = i.network, key = i.key,
         note = ${staged('note', 'note', `${table}.note`)}, local = ${staged('local', 'local', `${table}.local`)},
         added_at = ${staged('addedAt', 'added_at', '@addedAt')}, added_by = ${staged('addedBy', 'added_by', '@addedBy')}
         ${isAccess ? `, expires = ${expires}` : ''}
       from altered a, incoming i where a.of = '${table}' and ${table}.rowid = a.id and i.rowid = a.staged`,
      values,
    );
  }
  if (counts.added > 0) {
    run(
      `insert into ${table} (${name}, network, key, note, added_at, added_by, local ${isAccess ? ', expires' : ''})
       select i.name, i.network, i.key, i.note, ${staged('addedAt', 'added_at', '@addedAt')},
         ${staged('addedBy', 'added_by', '@addedBy')}, i.local ${isAccess ? ', i.expires' : ''}
       from fresh f, incoming i where f.of = '${table}' and i.rowid = f.staged order by i.name, i.key`,
      values,
    );
  }
}

/** As `add` has it: an entry that is over, or whose time cannot be read, is new when it comes again. */
function keptExpiry(expires: unknown, now: number): string | null {
  const moment = expiryMoment(expires);
  return Number.isFinite(moment) && moment > now ? formatInstant(moment) : null;
}
