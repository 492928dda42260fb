// Many rows at once: what import, sync, set load and learn --apply have in common.
//
// All rows are read into a temporary table first, while the database is neither locked nor changed. One immediate transaction then compares
// them with the database, asks the guard, and writes what differs; where nothing differs, nothing is written. Policy programs read on until
// the commit.
//
// DIAGNOSTICS: a refusal, a full disk, a lock that is held for too long: the transaction is rolled back and nothing has changed.
import type { Trouble } from '../failure';
import { makeCanonical } from './canonical';
import type { Connection, Statement } from './database';
import { expiryMoment, formatInstant } from './expiry';
import { checkSets, guard } from './import-guard';
import { keyOf, type Meaning, meaningText } from './meaning';
import { nameColumn, type Table } from './schema';

/** A checked row in canonical form. What is undefined, the input does not speak of. */
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
  /** The tables that the input speaks of; the others stay as they are. */
  readonly tables: readonly Table[];
  /** Only this set is replaced. */
  readonly set?: string;
  /** For rows of which the input does not say it. */
  readonly addedBy: string;
  /** ms since 1970. */
  readonly now: number;
  /** Called for each change: of a dry run when it is known, else after the commit. */
  readonly report?: ((change: Change) => void) | undefined;
  /** Done in the same transaction, before the rows are compared. */
  readonly before?: (connection: Connection) => void;
}

export interface Counts {
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
}

export interface ImportResult extends Counts {
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

const TABLES: readonly Table[] = ['network_set', 'access'];

/** In a column of these tables NULL is what the input does not speak of, and an empty text what it leaves empty. */
const incoming = (table: Table) => `
create temp table incoming_${table} (
  id integer primary key, line integer, name text not null, network text not null, key blob not null,
  note text, expires text, added_at text, added_by text, local integer,
  unique (name, network)
)`;

/** `source`: the id in the incoming table. `target`: the row of the database. `name`, `network`: of a row that goes. */
const DIFFERENCE = `
create temp table difference (of text, what text, source integer, target integer, name text, network text)`;

/** How long a row lasts, to be compared as text: for ever is after all times. */
const lasting = (row: string) => `ifnull(nullif(${row}.expires, ''), '~')`;

export class RowImport {
  private readonly inserts: Record<Table, Statement>;
  private read = 0;

  constructor(private readonly connection: Connection) {
    // SQLite keeps a temporary table of this size and more in a file.
    connection.pragma('temp.cache_size = -64000');
    for (const table of TABLES) connection.exec(incoming(table));
    connection.exec(DIFFERENCE);
    // Of rows that mean the same the one that lasts longest stays: what all of them grant.
    const insert = (table: Table) =>
      connection.prepare(
        `insert into incoming_${table} (line, name, network, key, note, expires, added_at, added_by, local)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict (name, network) do update set line = excluded.line,
           note = excluded.note, expires = excluded.expires, added_at = excluded.added_at, added_by = excluded.added_by,
           local = excluded.local where ${lasting('excluded')} > ${lasting(`incoming_${table}`)}`,
      );
    this.inserts = { access: insert('access'), network_set: insert('network_set') };
    // Of the temporary tables alone: the database is not locked.
    connection.exec('begin');
  }

  add(row: ImportRow): void {
    const { line = 0, name, network, key, local } = row;
    this.read++;
    this.inserts[row.table].run(
      line,
      name,
      network,
      key,
      given(row.note),
      given(row.expires),
      given(row.addedAt),
      given(row.addedBy),
      local === undefined ? null : Number(local),
    );
  }

  /** Makes the change. Throws Trouble: refused by the guard, a set that does not exist, and what SQLite throws. To be called once. */
  apply(options: ImportOptions): ImportResult {
    const { connection } = this;
    const { dryRun, report = () => {} } = options;
    connection.exec('commit');
    connection.exec('begin immediate');
    try {
      makeCanonical(connection);
      options.before?.(connection);
      const result = this.compare(options);
      if (result.refusal !== null && !dryRun) throw result.refusal;
      if (dryRun) {
        // Nobody waits for the lock while the changes are looked at.
        const changes = options.report === undefined ? [] : [...this.changes()];
        connection.exec('rollback');
        changes.forEach(report);
        return result;
      }
      for (const table of options.tables) this.write(table, options);
      connection.exec('commit');
      if (options.report !== undefined) for (const change of this.changes()) report(change);
      return result;
    } finally {
      if (connection.inTransaction) connection.exec('rollback');
    }
  }

  private compare(options: ImportOptions): ImportResult {
    const { connection } = this;
    connection.function('kept_expiry', (expires) => keptExpiry(expires, options.now));
    let distinct = 0;
    for (const table of options.tables) {
      connection.prepare(`insert into difference ${differing(table, options.replace)}`).run();
      if (options.replace) connection.prepare(`insert into difference ${leftOver(table, options)}`).run();
    }
    for (const table of TABLES) {
      distinct += connection.prepare(`select count(*) from incoming_${table}`).pluck().get() as number;
    }
    const count = (what: Change['what']) =>
      connection.prepare('select count(*) from difference where what = ?').pluck().get(what) as number;
    const counts = { added: count('add'), changed: count('change'), removed: count('remove') };
    if (!options.force) checkSets(connection, options);
    return {
      ...counts,
      unchanged: distinct - counts.added - counts.changed,
      repeated: this.read - distinct,
      refusal: options.replace && !options.force ? guard(connection, options) : null,
    };
  }

  private write(table: Table, { addedBy, now, replace }: ImportOptions): void {
    const name = nameColumn(table);
    const expires = table === 'access';
    const run = (sql: string, values = {}) => this.connection.prepare(sql).run(values);
    const made = { addedAt: formatInstant(now), addedBy };
    const origin = "nullif(ifnull(i.added_at, @addedAt), ''), nullif(ifnull(i.added_by, @addedBy), '')";
    const chosen = (what: Change['what']) => `d.of = '${table}' and d.what = '${what}'`;
    run(`delete from ${table} where rowid in (select target from difference d where ${chosen('remove')})`);
    run(
      `update ${table} set (key, note, local, added_at, added_by${expires ? ', expires' : ''}) =
         (i.key, ${wanted('note', table)}, ifnull(i.local, ${table}.local), ${origin}${expires ? `, ${wantedExpiry(table, replace)}` : ''})
       from difference d join incoming_${table} i on i.id = d.source
       where ${chosen('change')} and ${table}.rowid = d.target`,
      made,
    );
    run(
      `insert into ${table} (${name}, network, key, note, local, added_at, added_by${expires ? ', expires' : ''})
       select i.name, i.network, i.key, nullif(i.note, ''), ifnull(i.local, 0), ${origin}${expires ? ", nullif(i.expires, '')" : ''}
       from difference d cross join incoming_${table} i on i.id = d.source where ${chosen('add')}`,
      made,
    );
  }

  private changes(): Iterable<Change> {
    const rows = TABLES.map(
      (
        table,
      ) => `select d.of as "table", d.what as what, ifnull(i.name, d.name) as name, ifnull(i.network, d.network) as network
        from difference d left join incoming_${table} i on i.id = d.source where d.of = '${table}'`,
    );
    return this.connection.prepare(`${rows.join(' union all ')} order by 1 desc, 3, 4`).iterate() as Iterable<Change>;
  }
}

/** NULL: not spoken of. */
function given(text: string | null | undefined): string | null {
  return text === undefined ? null : (text ?? '');
}

/** What a column becomes, of a row `table` that is there and a row `i` of the input. */
function wanted(column: string, table: string): string {
  return `nullif(ifnull(i.${column}, ${table}.${column}), '')`;
}

function wantedExpiry(table: string, replace: boolean): string {
  const input = "nullif(i.expires, '')";
  return replace ? input : `case when i.expires is null then kept_expiry(${table}.expires) else ${input} end`;
}

/** As `add` has it: an entry that is over, or whose time cannot be read, is new when it comes again. */
function keptExpiry(expires: unknown, now: number): string | null {
  const moment = expiryMoment(expires);
  return Number.isFinite(moment) && moment > now ? formatInstant(moment) : null;
}

/** The rows of the input that the database does not have, or has otherwise. A row with a local mark is not replaced. */
function differing(table: Table, replace: boolean): string {
  const name = nameColumn(table);
  const differs = ['note', 'added_at', 'added_by'].map(
    (column) => `nullif(t.${column}, '') is not ${wanted(column, 't')}`,
  );
  differs.push('t.key is not i.key', 't.local is not ifnull(i.local, t.local)');
  if (table === 'access') differs.push(`t.expires is not ${wantedExpiry('t', replace)}`);
  return `select '${table}', iif(t.rowid is null, 'add', 'change'), i.id, t.rowid, null, null
    from incoming_${table} i left join ${table} t on t.${name} = i.name and t.network = i.network
    where t.rowid is null or (${replace ? 'not t.local and ' : ''}(${differs.join(' or ')}))
    order by i.name, i.network`;
}

/** The rows of the database that the input does not have, but for those with a local mark. */
function leftOver(table: Table, { set }: ImportOptions): string {
  const name = nameColumn(table);
  return `select '${table}', 'remove', null, t.rowid, t.${name}, t.network from ${table} t
    where not t.local ${set === undefined ? '' : `and t.${name} = '${set.replaceAll("'", "''")}'`}
      and not exists (select 1 from incoming_${table} i where i.name = t.${name} and i.network = t.network)`;
}
