// The tables of the database, and how a row that a command wrote differs from one that was put in by hand.
//
// `key` is our own column: the network's binary key (key.ts) in a row that a command wrote, where `user` is folded and `network`
// canonical, so that the policy program finds it through an index. In a row written by any other SQLite client it is NULL; such rows
// are found by name and read one by one. Changing such a column by hand makes the key NULL again: a stale key must decide nothing.
// `local` marks rows that `sync` leaves alone.

/** PRAGMA user_version of the database. */
export const SCHEMA_VERSION = 1;

/** `access` and `network_set` are alike but for the name of the first column and `expires`. */
export type Table = 'access' | 'network_set';

/** Keys below x'02' are no networks: `any` is KEY_ANY, a set is KEY_SET and its folded name. */
export const KEY_ANY = Uint8Array.of(0);
export const KEY_SET = Uint8Array.of(1);
export const FIRST_NETWORK = Uint8Array.of(2);

/** `key`: the columns that an answer needs, so that it is found in the index alone. */
function tableSql(table: Table, name: string, key: string, columns: string): string {
  return `
create table ${table} (
  ${name} text not null,
  network text not null,
  ${columns},
  key blob,
  local integer not null default 0,
  unique (${name}, network)
);
create index ${table}_key on ${table} (${key}) where key is not null;
create index ${table}_lengths on ${table} (${name}, substr(key, 1, 1), substr(key, -1)) where key is not null;
create index ${table}_by_hand on ${table} (${name} collate nocase) where key is null;
create index ${table}_by_hand_unicode on ${table} (${name}) where key is null and ${name} glob '*[^ -~]*';
create trigger ${table}_edited after update of ${name}, network on ${table}
  when new.key is old.key and new.key is not null
    and (new.${name} is not old.${name} or new.network is not old.network)
  begin
    update ${table} set key = null where rowid = new.rowid;
  end;
`;
}

export const SCHEMA = `
${tableSql('access', 'user', 'user, key, expires', 'note text,\n  expires text,\n  added_at text,\n  added_by text')}
${tableSql('network_set', 'name', 'name, key', 'note text,\n  added_at text,\n  added_by text')}
create index access_expiring on access (expires) where expires is not null;
create index access_of_sets on access (network) where key is not null and network glob '@*';
create index access_of_sets_by_hand on access (network) where key is null and network glob '*@*';
pragma user_version = ${SCHEMA_VERSION};
`;
