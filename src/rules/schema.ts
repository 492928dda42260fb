// The tables of the database.
//
// `canonical` distinguishes rows that a command wrote from those of any other SQLite client. A command stores a folded
// name and a canonical network, and in `canonical` both again: name, space, network. If these are equal, the policy
// program finds the row by the text of its network. If they differ, another client has inserted, copied or edited the
// row: such a hand-written row is found by its name, and its network is parsed.
//
// `local` marks rows that `sync` leaves alone. `set_source` says which list a set was last loaded from.

export const DEFAULT_DATABASE = '/var/lib/allow-nets/access.db';

/** PRAGMA user_version of the database. */
export const SCHEMA_VERSION = 1;

/** The tables differ only in the name of the first column and in `expires`. */
export const TABLES = ['access', 'network_set'] as const;

export type Table = (typeof TABLES)[number];

export const nameColumn = (table: Table) => (table === 'access' ? 'user' : 'name');

/** The SQL condition for a hand-written row. SQLite uses the index of these rows only for exactly this condition. */
export const byHand = (table: Table) => `canonical is not ${nameColumn(table)} || ' ' || network`;

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
  canonical text,
  local integer not null default 0,
  unique (${name}, network)
);
create index ${table}_by_hand on ${table} (${name} collate nocase) where ${byHand(table)};
`;
}

export const SCHEMA = `
${tableSql('access', 'expires text,')}
${tableSql('network_set', '')}
create table set_source (name text primary key, source text not null, loaded_at text not null);
pragma user_version = ${SCHEMA_VERSION};
`;
