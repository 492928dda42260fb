// The tables of the database.
//
// `key` distinguishes rows that a command wrote from those of any other SQLite client. A command stores a folded name,
// a canonical network and the key, which orders the networks of a name (meaning.ts), so that the policy program finds
// those that contain an address in a few seeks. Other clients leave it NULL; such rows are found by name and read one
// by one. A trigger sets it to NULL if a client changes the name or network, since a stale key must not decide
// anything.
//
// `local` marks rows that `sync` leaves alone. `set_source` says which list a set was last loaded from.

export const DEFAULT_DATABASE = '/var/lib/allow-nets/access.db';

/** PRAGMA user_version of the database. */
export const SCHEMA_VERSION = 1;

/** The tables differ only in the name of the first column and in `expires`. */
export const TABLES = ['access', 'network_set'] as const;

export type Table = (typeof TABLES)[number];

export const nameColumn = (table: Table) => (table === 'access' ? 'user' : 'name');

function tableSql(table: Table, columns: string): string {
  const name = nameColumn(table);
  return `
create table ${table} (
  ${name} text not null,
  network text not null,
  note text,
  ${columns}
  added_at text,
  added_by text,
  key blob,
  local integer not null default 0,
  unique (${name}, network)
);
create index ${table}_key on ${table} (${name}, key) where key is not null;
create index ${table}_by_hand on ${table} (${name} collate nocase) where key is null;
create trigger ${table}_edited after update of ${name}, network on ${table}
  when new.key is old.key and new.key is not null
    and (new.${name} is not old.${name} or new.network is not old.network)
  begin
    update ${table} set key = null where rowid = new.rowid;
  end;
`;
}

export const SCHEMA = `
${tableSql('access', 'expires text,')}
${tableSql('network_set', '')}
create table set_source (name text primary key, source text not null, loaded_at text not null);
pragma user_version = ${SCHEMA_VERSION};
`;
