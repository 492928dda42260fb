// Many rows at once: what import, sync and set load have in common.
//
// All rows are read into a temporary table first, while the database is neither locked nor changed. One immediate transaction then writes
// what differs; where nothing differs, nothing is written. The guard sees what was done, and whatever it refuses is rolled back, as is a
// dry run. Policy programs read on until the commit.
//
// DIAGNOSTICS: a refusal, a full disk, a lock that is held for too long: the transaction is rolled back and nothing has changed.
import type { Trouble } from '../failure';
import { makeCanonical } from './canonical';
import type { Connection, Statement } from './database';
import { formatInstant, keptExpiry } from './expiry';
import { checkSets, guard, replaceable, sum, type Tally } from './import-guard';
import { keyOf, type Meaning, meaningText } from './meaning';
import { nameColumn, type Table } from './schema';

/** A checked row in canonical form. An undefined field is one that the input does not have. */
export interface ImportRow {
  readonly table: Table;
  /** Of the subject or the set, folded. */
  readonly name: string;
  readonly network: string;
  readonly key: Uint8Array;
  readonly note?: string | null | undefined;
  /** As formatInstant writes it. */
  readonly expires?: string | null | undefined;
  readonly addedAt?: string | null | undefined;
  readonly addedBy?: string | null | undefined;
  readonly local?: boolean | undefined;
  /** Where it stands in the input. */
  readonly line?: number;
}

export interface ImportOptions {
  /** Make the tables equal to the input, but for rows with a local mark; else the rows are added as `add` adds them. */
  readonly replace: boolean;
  /** Find out what would change, and change nothing. */
  readonly dryRun: boolean;
  /** Also when more than half of the rows would go, or sets are missing. */
  readonly force: boolean;
  /** The tables that the input covers; the others stay as they are. */
  readonly tables: readonly Table[];
  /** Only this set is replaced. */
  readonly set?: string;
  /** For rows for which the input does not give it. */
  readonly addedBy: string;
  /** ms since 1970. */
  readonly now: number;
  /** Called for each change when all are made, or known. */
  readonly report?: ((change: Change) => void) | undefined;
  /** Done in the same transaction, before the rows. */
  readonly before?: (connection: Connection) => void;
}

export interface ImportResult {
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  /** Rows of the input that were there already, as they are. */
  readonly unchanged: number;
  /** Rows of the input that mean the same as another one. */
  readonly repeated: number;
  /** Of a dry run: why it would be refused. */
  readonly refusal: Trouble | null;
}

export interface Change {
  readonly table: Table;
  readonly what: 'add' | 'change' | 'remove';
  readonly name: string;
  readonly network: string;
}

/** An entry or a network of a set as an ImportRow. `name`: folded. */
export function importRow(table: Table, name: string, meaning: Meaning, more: Partial<ImportRow> = {}): ImportRow {
  return { ...more, table, name, network: meaningText(meaning), key: keyOf(meaning) };
}

/** In the columns from `note` on, NULL means that the input does not have the column, and an empty text that the field is empty. */
const INCOMING = `
create temp table incoming (
  id integer primary key, line integer, of text not null, name text not null, network text not null, key blob not null,
  note text, expires text, added_at text, added_by text, local integer,
  unique (of, name, network)
)`;

/** Of rows with the same meaning the one that lasts longest stays. '~', which sorts after all times, means for ever. */
const INSERT = `
insert into incoming (line, of, name, network, key, note, expires, added_at, added_by, local)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do update set line = excluded.line, note = excluded.note,
  expires = excluded.expires, added_at = excluded.added_at, added_by = excluded.added_by, local = excluded.local
where ifnull(nullif(excluded.expires, ''), '~') > ifnull(nullif(incoming.expires, ''), '~')`;

export class RowImport {
  private readonly insert: Statement;
  private read = 0;

  /** `onHostBits`: as makeCanonical. */
  constructor(
    private readonly connection: Connection,
    private readonly onHostBits?: (warning: string) => void,
  ) {
    // SQLite keeps a temporary table of this size and more in a file.
    connection.pragma('temp.cache_size = -64000');
    connection.exec(INCOMING);
    this.insert = connection.prepare(INSERT);
    // Of the temporary table alone: the database is not locked.
    connection.exec('begin');
  }

  add(row: ImportRow): void {
    const { line = 0, table, name, network, key, note, expires, addedAt, addedBy, local } = row;
    const texts = [note, expires, addedAt, addedBy].map((text) => (text === undefined ? null : (text ?? '')));
    this.read++;
    this.insert.run(line, table, name, network, key, ...texts, local === undefined ? null : Number(local));
  }

  /** Makes the change. Throws Trouble: refused by the guard, a set that does not exist, and what SQLite throws. To be called once. */
  apply(options: ImportOptions): ImportResult {
    const { connection } = this;
    connection.exec('commit; begin immediate');
    try {
      makeCanonical(connection, this.onHostBits);
      options.before?.(connection);
      const changes: Change[] = [];
      const result = this.write(options, options.report === undefined ? null : changes);
      if (result.refusal !== null && !options.dryRun) throw result.refusal;
      connection.exec(options.dryRun ? 'rollback' : 'commit');
      for (const change of changes.sort(byName)) options.report?.(change);
      return result;
    } finally {
      if (connection.inTransaction) connection.exec('rollback');
    }
  }

  /** `changes`: takes all of them, unless null. */
  private write(options: ImportOptions, changes: Change[] | null): ImportResult {
    const { connection } = this;
    const { tables, replace, force, set, addedBy } = options;
    const now = formatInstant(options.now);
    const none: Tally = { access: 0, network_set: 0 };
    const counts = { add: { ...none }, change: { ...none }, remove: { ...none } };
    const lostSets = new Set<string>();
    const run = (sql: string, values: unknown) => {
      for (const change of connection.prepare(sql).iterate(values) as Iterable<Change>) {
        counts[change.what][change.table]++;
        changes?.push(change);
        if (change.what === 'remove' && change.table === 'network_set') lostSets.add(change.name);
      }
    };
    const there = replaceable(connection, options);
    connection.function('kept_expiry', (expires) => keptExpiry(expires, options.now));
    for (const table of tables) {
      if (replace) run(removeSql(table), { set: set ?? null });
      run(changeSql(table, replace), { now, addedBy });
      run(addSql(table), { now, addedBy });
    }
    if (!force) checkSets(connection, lostSets);
    const distinct = connection.prepare('select count(*) from incoming').pluck().get() as number;
    const [added, changed, removed] = [counts.add, counts.change, counts.remove].map(sum) as [number, number, number];
    const refusal = replace && !force ? guard(connection, options, there, counts.remove) : null;
    return { added, changed, removed, unchanged: distinct - added - changed, repeated: this.read - distinct, refusal };
  }
}

/** Sets before entries, then in the order of names and networks. */
function byName(a: Change, b: Change): number {
  const [first, second] = [a, b].map(({ table, name, network }) =>
    [table === 'access' ? 1 : 0, name, network].join('\0'),
  );
  return (first ?? '') < (second ?? '') ? -1 : 1;
}

/** What a statement returns of each row: a Change. */
function returning(table: Table, what: Change['what']): string {
  return `returning '${table}' as "table", '${what}' as what, ${nameColumn(table)} as name, network`;
}

/** The rows of the database that the input does not have, but for those with a local mark. */
function removeSql(table: Table): string {
  const name = nameColumn(table);
  return `delete from ${table} where not local and (@set is null or ${name} = @set) and not exists (
      select 1 from incoming i where i.of = '${table}' and i.name = ${table}.${name} and i.network = ${table}.network)
    ${returning(table, 'remove')}`;
}

/** The rows `t` of the database that differ from the input `i`. A row with a local mark is not replaced. */
function changeSql(table: Table, replace: boolean): string {
  const wanted = (column: string) => `nullif(ifnull(i.${column}, t.${column}), '')`;
  const given = "nullif(i.expires, '')";
  const expires = replace ? given : `iif(i.expires is null, kept_expiry(t.expires), ${given})`;
  const [column, value, differs] =
    table === 'access' ? [', expires', `, ${expires}`, `or t.expires is not ${expires}`] : ['', '', ''];
  return `update ${table} as t set (key, note, local, added_at, added_by${column}) = (
      i.key, ${wanted('note')}, ifnull(i.local, t.local),
      nullif(ifnull(i.added_at, @now), ''), nullif(ifnull(i.added_by, @addedBy), '')${value})
    from incoming i
    where i.of = '${table}' and t.${nameColumn(table)} = i.name and t.network = i.network
      ${replace ? 'and not t.local' : ''} and (
        t.key is not i.key or t.local is not ifnull(i.local, t.local) ${differs}
        or nullif(t.note, '') is not ${wanted('note')}
        or nullif(t.added_at, '') is not ${wanted('added_at')} or nullif(t.added_by, '') is not ${wanted('added_by')})
    ${returning(table, 'change')}`;
}

/** The rows of the input that the database does not have. */
function addSql(table: Table): string {
  const name = nameColumn(table);
  const [column, value] = table === 'access' ? [', expires', ", nullif(i.expires, '')"] : ['', ''];
  return `insert into ${table} (${name}, network, key, note, local, added_at, added_by${column})
    select i.name, i.network, i.key, nullif(i.note, ''), ifnull(i.local, 0),
      nullif(ifnull(i.added_at, @now), ''), nullif(ifnull(i.added_by, @addedBy), '')${value}
    from incoming i where i.of = '${table}'
      and not exists (select 1 from ${table} t where t.${name} = i.name and t.network = i.network)
    order by i.name, i.network ${returning(table, 'add')}`;
}
