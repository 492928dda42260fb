// What tells the rows of an input from those of the database, found by SQL and put into temporary tables (staging.ts): nothing is changed.
//
// A row is known by its name and the key of its network. Rows written by hand have no key: those that can be read get theirs here.
import type { Connection } from './database';
import { formatInstant } from './expiry';
import { keyOf, meaningOf } from './meaning';
import type { Table } from './schema';
import { nameColumn } from './schema';
import { GIVEN } from './staging';
import { foldName } from './subject';

export interface Counts {
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
}

export const NONE: Counts = { added: 0, changed: 0, removed: 0 };

/**
 * Fills `fresh`, `altered` and `gone` for a table. `replace`: rows that the input does not have are to go, and rows with a local mark
 * stay as they are. Without it the input's rows are added as `add` adds them. `compared`: `unseen` has the rows that can differ.
 */
export function findDifference(
  connection: Connection,
  table: Table,
  replace: boolean,
  now: number,
  compared: boolean,
): Counts {
  const run = (sql: string) => connection.prepare(sql).run().changes;
  const name = nameColumn(table);
  const incoming = `incoming i where i.of = '${table}'`;
  if (connection.prepare(`select 1 from ${table} limit 1`).get() === undefined) {
    return { ...NONE, added: run(`insert into fresh select i.rowid, i.of from ${incoming}`) };
  }
  const byHand = readHandRows(connection, table);
  const keyed = `from ${table} t where t.${name} = i.name and t.key = i.key`;
  const hand = 'hand h where h.of = i.of and h.name = i.name and h.key = i.key';
  const foreign = replace ? 'and not h.local' : '';
  let changed = 0;
  if (byHand) {
    changed +=
      run(`insert into altered select min(h.id), i.of, i.rowid from incoming i, ${hand} and i.of = '${table}'
      and not exists (select 1 ${keyed}) ${replace ? `and not exists (select 1 from ${hand} and h.local)` : ''} group by i.rowid`);
    run(`insert into gone select h.id, i.of, 1 from incoming i, ${hand} and i.of = '${table}' ${foreign}
      and h.id not in (select id from altered where of = '${table}')`);
  }
  changed += run(`insert into altered select t.rowid, i.of, i.rowid from incoming i, ${table} t
    where i.of = '${table}' and t.${name} = i.name and t.key = i.key ${replace ? 'and not t.local' : ''}
      and (${differs(table, replace, formatInstant(now))})`);
  const added =
    run(`insert into fresh select i.rowid, i.of from ${incoming} and not exists (select 1 ${keyed})
    ${byHand ? `and not exists (select 1 from ${hand})` : ''}`);
  return { added, changed, removed: replace ? findLeftOver(connection, table, byHand, compared) : 0 };
}

/** The rows of the database that the input does not have, but for those with a local mark. */
function findLeftOver(connection: Connection, table: Table, byHand: boolean, compared: boolean): number {
  const left = `insert into gone select t.rowid, '${table}', 0 from ${table} t where not t.local`;
  const differing = compared ? `and t.rowid in (select id from unseen where of = '${table}')` : '';
  const keyed = `${left} ${differing} and t.key is not null and not exists
    (select 1 from incoming i where i.of = '${table}' and i.name = t.${nameColumn(table)} and i.key = t.key)`;
  const unkeyed = `${left} and t.key is null and t.rowid not in
    (select id from altered where of = '${table}' union all select id from gone where of = '${table}')`;
  return connection.prepare(keyed).run().changes + (byHand ? connection.prepare(unkeyed).run().changes : 0);
}

/** What makes a row of the input another one than the row of the database of the same name and network. */
function differs(table: Table, replace: boolean, now: string): string {
  const given = (column: keyof typeof GIVEN) => `i.given & ${GIVEN[column]}`;
  const terms = [
    `${given('note')} and ifnull(t.note, '') is not ifnull(i.note, '')`,
    `${given('addedAt')} and t.added_at is not i.added_at`,
    `${given('addedBy')} and t.added_by is not i.added_by`,
    `${given('local')} and t.local is not i.local`,
  ];
  if (table === 'access') {
    terms.push(
      replace
        ? 't.expires is not i.expires'
        : `case when ${given('expires')} then t.expires is not i.expires else t.expires <= '${now}' end`,
    );
  }
  return terms.map((term) => `(${term})`).join(' or ');
}

/** False when no row was written by hand. */
function readHandRows(connection: Connection, table: Table): boolean {
  connection.function('folded_name', (name) => (typeof name === 'string' ? foldName(name) : null));
  connection.function('key_of', (network) => {
    const meaning = meaningOf(table, network);
    return meaning === null ? null : keyOf(meaning);
  });
  const { changes } = connection
    .prepare(
      `insert into hand select rowid, '${table}', folded_name(${nameColumn(table)}), key_of(network), local <> 0
       from ${table} where key is null`,
    )
    .run();
  return changes > 0;
}
