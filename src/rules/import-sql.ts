// The SQL of an import: a temporary table for the rows of the input, and the statements that write what differs.
import { nameColumn, type Table } from './schema';

/** From column `note` on, NULL means that the input lacks the column, and '' that the field is empty. */
export const INCOMING = `
create temp table incoming (
  id integer primary key, line integer, of text not null, name text not null, network text not null,
  note text, expires text, added_at text, added_by text, local integer,
  unique (of, name, network)
)`;

/** Of rows with the same meaning, the one that lasts longest stays. '~' stands for "never expires": it sorts last. */
export const INSERT = `
insert into incoming (line, of, name, network, note, expires, added_at, added_by, local)
values (?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do update set line = excluded.line, note = excluded.note,
  expires = excluded.expires, added_at = excluded.added_at, added_by = excluded.added_by, local = excluded.local
where ifnull(nullif(excluded.expires, ''), '~') > ifnull(nullif(incoming.expires, ''), '~')`;

/** Deletes the rows for which `condition` holds and that the input does not have. */
export function removeSql(table: Table, condition: string): string {
  const name = nameColumn(table);
  return `delete from ${table} where ${condition} and not exists (
      select 1 from incoming i where i.of = '${table}' and i.name = ${table}.${name} and i.network = ${table}.network)
    returning 'remove' as what, '${table}' as "table", ${name} as name, network`;
}

/**
 * Inserts the rows of the input `i` that the database does not have, and updates the rows `t` that differ. A replacement
 * skips rows with a local mark. Rows above @last are new.
 */
export function writeSql(table: Table, replace: boolean): string {
  const name = nameColumn(table);
  const wanted = (column: string) => `nullif(ifnull(i.${column}, t.${column}), '')`;
  const differs = (column: string) => `or nullif(t.${column}, '') is not ${wanted(column)}`;
  const columns: Record<string, string> = {
    canonical: "i.name || ' ' || i.network",
    note: wanted('note'),
    local: 'coalesce(i.local, t.local, 0)',
    added_at: "nullif(ifnull(i.added_at, @now), '')",
    added_by: "nullif(ifnull(i.added_by, @addedBy), '')",
  };
  const given = "nullif(i.expires, '')";
  const expires = replace ? given : `iif(i.expires is null, kept_expiry(t.expires), ${given})`;
  if (table === 'access') columns['expires'] = expires;
  const names = Object.keys(columns);
  return `insert into ${table} (${name}, network, ${names})
    select i.name, i.network, ${Object.values(columns)}
    from incoming i left join ${table} t on t.${name} = i.name and t.network = i.network
    where i.of = '${table}' and (t.rowid is null or ${replace ? 'not t.local and' : ''} (
      t.canonical is not ${columns['canonical']} or t.local is not ${columns['local']}
      ${differs('note')} ${differs('added_at')} ${differs('added_by')}
      ${table === 'access' ? `or t.expires is not ${expires}` : ''}))
    order by i.name, i.network
    on conflict do update set ${names.map((column) => `${column} = excluded.${column}`)}
    returning iif(rowid > @last, 'add', 'change') as what, '${table}' as "table", ${name} as name, network`;
}
