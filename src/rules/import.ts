// Imports many rows at once, for import, sync, set load and learn.
//
// First, all rows go into a temporary table; the database is not locked meanwhile. Then one immediate transaction
// writes the differences, if there are any. If the guard refuses the result, or in a dry run, it is rolled back. Policy
// programs can read until the commit.
//
// DIAGNOSTICS: after a refusal, a full disk or a lock timeout the transaction is rolled back and nothing has changed.
import type { Trouble } from '../failure';
import { makeCanonical } from './canonical';
import type { Connection, Statement } from './database';
import { formatInstant, keptExpiry } from './expiry';
import { checkSets, countReplaceable, guard, sum, type TableCounts } from './import-guard';
import { keyOf, type Meaning, meaningText } from './meaning';
import { nameColumn, type Table } from './schema';

/** A checked row in canonical form. A field is undefined if the input does not have it. */
export interface ImportRow {
  readonly table: Table;
  /** The folded name of the subject or set. */
  readonly name: string;
  readonly network: string;
  readonly key: Uint8Array;
  readonly note?: string | null | undefined;
  /** As formatInstant writes it. */
  readonly expires?: string | null | undefined;
  readonly addedAt?: string | null | undefined;
  readonly addedBy?: string | null | undefined;
  readonly local?: boolean | undefined;
  /** The line of the input. */
  readonly line?: number;
}

export interface ImportOptions {
  /** Whether to make the tables equal to the input, except rows with a local mark. Otherwise rows are only added. */
  readonly replace: boolean;
  /** Whether to only find out what would change. */
  readonly dryRun: boolean;
  /** Whether to skip the guard. */
  readonly force: boolean;
  /** The tables that the input covers; the others stay as they are. */
  readonly tables: readonly Table[];
  /** Only this set is replaced. */
  readonly set?: string;
  /** Used for rows whose origin is not in the input. */
  readonly addedBy: string;
  /** ms since 1970. */
  readonly now: number;
  /** Called for each change after the commit, or after the rollback of a dry run. */
  readonly report?: ((change: Change) => void) | undefined;
  /** Called in the same transaction, before the rows are written. */
  readonly before?: (connection: Connection) => void;
}

export interface ImportResult {
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  /** The number of rows of the input that were in the database already. */
  readonly unchanged: number;
  /** The number of rows of the input with the same meaning as another one. */
  readonly repeated: number;
  /** Why the guard would refuse this; only after a dry run. */
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

/** From column `note` on, NULL means that the input lacks the column, and '' that the field is empty. */
const INCOMING = `
create temp table incoming (
  id integer primary key, line integer, of text not null, name text not null, network text not null, key blob not null,
  note text, expires text, added_at text, added_by text, local integer,
  unique (of, name, network)
)`;

/** Of rows with the same meaning, the one that lasts longest stays. '~' stands for "never expires": it sorts last. */
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
    // A temporary table up to this size (KB) stays in memory; a larger one goes to a file.
    connection.pragma('temp.cache_size = -64000');
    connection.exec(INCOMING);
    this.insert = connection.prepare(INSERT);
    // This transaction writes only to the temporary table, so it does not lock the database.
    connection.exec('begin');
  }

  add(row: ImportRow): void {
    const { line = 0, table, name, network, key, note, expires, addedAt, addedBy, local } = row;
    const texts = [note, expires, addedAt, addedBy].map((text) => (text === undefined ? null : (text ?? '')));
    this.read++;
    this.insert.run(line, table, name, network, key, ...texts, local === undefined ? null : Number(local));
  }

  /**
   * Writes the rows; call it once. Throws Trouble if the guard refuses or a set is missing, and the errors of SQLite.
   */
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

  /** `changes`: gets all changes, unless it is null. */
  private write(options: ImportOptions, changes: Change[] | null): ImportResult {
    const { connection } = this;
    const { tables, replace, force, set, addedBy } = options;
    const now = formatInstant(options.now);
    const none: TableCounts = { access: 0, network_set: 0 };
    const counts = { add: { ...none }, change: { ...none }, remove: { ...none } };
    const lostSets = new Set<string>();
    const run = (sql: string, values: unknown) => {
      for (const change of connection.prepare(sql).iterate(values) as Iterable<Change>) {
        counts[change.what][change.table]++;
        changes?.push(change);
        if (change.what === 'remove' && change.table === 'network_set') lostSets.add(change.name);
      }
    };
    const there = countReplaceable(connection, options);
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

/** Sorts sets before entries, then by name and network. */
function byName(a: Change, b: Change): number {
  const [first, second] = [a, b].map(({ table, name, network }) =>
    [table === 'access' ? 1 : 0, name, network].join('\0'),
  );
  return (first ?? '') < (second ?? '') ? -1 : 1;
}

/** The RETURNING clause that makes each row a Change. */
function returning(table: Table, what: Change['what']): string {
  return `returning '${table}' as "table", '${what}' as what, ${nameColumn(table)} as name, network`;
}

/** Deletes rows that the input does not have, except those with a local mark. */
function removeSql(table: Table): string {
  const name = nameColumn(table);
  return `delete from ${table} where not local and (@set is null or ${name} = @set) and not exists (
      select 1 from incoming i where i.of = '${table}' and i.name = ${table}.${name} and i.network = ${table}.network)
    ${returning(table, 'remove')}`;
}

/** Updates the rows `t` that differ from the input `i`. A replacement skips rows with a local mark. */
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

/** Inserts the rows of the input that the database does not have. */
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
