// Imports many rows at once, for import, sync, set load and learn.
//
// First, all rows go into a temporary table; the database is not locked meanwhile. Then one immediate transaction
// writes the differences, if there are any. If the guard refuses the result, or in a dry run, it is rolled back. Policy
// programs can read until the commit.
//
// The guard keeps a truncated list from locking everybody out, and no entry may name a set that does not exist.
//
// DIAGNOSTICS: after a refusal, a full disk or a lock timeout the transaction is rolled back and nothing has changed.
import { shellWord, Trouble } from '../failure';
import { makeCanonical } from './canonical';
import type { Connection, Statement } from './database';
import { formatInstant, keptExpiry, keyOf, type Meaning, meaningText } from './meaning';
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

type TableCounts = Record<Table, number>;

const sum = ({ access, network_set }: TableCounts) => access + network_set;

export class RowImport {
  private readonly insert: Statement;
  private read = 0;

  constructor(private readonly connection: Connection) {
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
      makeCanonical(connection);
      options.before?.(connection);
      const changes: Change[] = [];
      const result = this.write(options, options.report === undefined ? null : changes);
      if (result.refusal !== null && !options.dryRun) throw result.refusal;
      connection.exec(options.dryRun ? 'rollback' : 'commit');
      // Sets before entries, then by name and network.
      const place = ({ table, name, network }: Change) => [table === 'access' ? 1 : 0, name, network].join('\0');
      for (const change of changes.sort((a, b) => (place(a) < place(b) ? -1 : 1))) options.report?.(change);
      return result;
    } finally {
      if (connection.inTransaction) connection.exec('rollback');
    }
  }

  /** `changes`: gets all changes, unless it is null. */
  private write(options: ImportOptions, changes: Change[] | null): ImportResult {
    const { connection } = this;
    const { tables, replace, force } = options;
    const number = (sql: string) => connection.prepare(sql).pluck().get({ set: options.set }) as number;
    const none: TableCounts = { access: 0, network_set: 0 };
    const counts = { add: { ...none }, change: { ...none }, remove: { ...none } };
    const replaceableCounts = { ...none };
    const removedSets = new Set<string>();
    connection.function('kept_expiry', (expires) => keptExpiry(expires, options.now));
    for (const table of tables) {
      const replaceable = `not local ${options.set === undefined ? '' : `and ${nameColumn(table)} = @set`}`;
      if (replace) replaceableCounts[table] = number(`select count(*) from ${table} where ${replaceable}`);
      const statements = [changeSql(table, replace), addSql(table)];
      if (replace) statements.unshift(removeSql(table, replaceable));
      const values = { set: options.set, now: formatInstant(options.now), addedBy: options.addedBy };
      for (const sql of statements) {
        for (const change of connection.prepare(sql).iterate(values) as Iterable<Change>) {
          counts[change.what][table]++;
          changes?.push(change);
          if (change.what === 'remove' && table === 'network_set') removedSets.add(change.name);
        }
      }
    }
    if (!force) checkSets(connection, removedSets);
    const distinct = number('select count(*) from incoming');
    const added = sum(counts.add);
    const changed = sum(counts.change);
    const removed = sum(counts.remove);
    const refusal = replace && !force ? guard(connection, tables, replaceableCounts, counts.remove) : null;
    return { added, changed, removed, unchanged: distinct - added - changed, repeated: this.read - distinct, refusal };
  }
}

/** The RETURNING clause that makes each row a Change. */
function returning(table: Table, what: Change['what']): string {
  return `returning '${table}' as "table", '${what}' as what, ${nameColumn(table)} as name, network`;
}

/** Deletes the `replaceable` rows that the input does not have. */
function removeSql(table: Table, replaceable: string): string {
  return `delete from ${table} where ${replaceable} and not exists (select 1 from incoming i
      where i.of = '${table}' and i.name = ${table}.${nameColumn(table)} and i.network = ${table}.network)
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

/**
 * Refuses a replacement by an empty input, and one that removes more than half of the rows; else null. `replaceable`:
 * the number of rows that it could remove; `removed`: of those that it did.
 */
function guard(
  connection: Connection,
  tables: readonly Table[],
  replaceable: TableCounts,
  removed: TableCounts,
): Trouble | null {
  const main = tables.includes('access') ? 'access' : 'network_set';
  const [one, many] = main === 'access' ? ['entry', 'entries'] : ['network', 'networks'];
  if (connection.prepare('select 1 from incoming where of = ? limit 1').get(main) === undefined) {
    return refused(`the input has no ${one}`, `nothing was changed; to remove all ${many}, run this once with --force`);
  }
  if (removed[main] * 2 <= replaceable[main] && sum(removed) * 2 <= sum(replaceable)) return null;
  const sets = main === 'access' && removed.network_set > 0 ? ` and ${removed.network_set} networks of sets` : '';
  return refused(
    `the input would remove ${removed[main]} of ${replaceable[main]} ${many}${sets}`,
    'nothing was changed; --dry-run shows what would be, --force does it',
  );
}

/** Throws Trouble if an entry of the input names a missing set, or a local one a set that was removed. */
function checkSets(connection: Connection, removed: Iterable<string>): void {
  const missing = (name: string) => `not exists (select 1 from network_set s where s.name = ${name})`;
  const sql = `select line, substr(network, 2) as name from incoming i
    where of = 'access' and network glob '@*' and ${missing('substr(i.network, 2)')} order by line limit 1`;
  const entry = connection.prepare(sql).get() as { line: number; name: string } | undefined;
  if (entry !== undefined) {
    const hint = `make it first: allow-nets set add ${shellWord(entry.name)} NETWORK; or add --force, and its entries grant nothing`;
    throw refused(`line ${entry.line}: there is no set ${entry.name}`, hint);
  }
  const named = `select user from access where local and network = '@' || @name and ${missing('@name')} limit 1`;
  const owner = connection.prepare(named).pluck();
  for (const name of removed) {
    const user = owner.get({ name });
    if (user === undefined) continue;
    throw refused(
      `the input has no set ${name}, which the local entry of ${user} names`,
      `keep it on this server with: allow-nets set add ${shellWord(name)} NETWORK --local`,
    );
  }
}

function refused(problem: string, hint: string): Trouble {
  return new Trouble({ kind: 'refused', problem, hint });
}
