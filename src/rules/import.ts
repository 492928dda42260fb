// Imports many rows at once, for import, sync, set load and learn.
//
// First, all rows go into a temporary table; the database is not locked meanwhile. Then one transaction (begin immediate,
// which takes the write lock) writes what differs. The transaction is rolled back in a dry run, and if import-guard.ts
// refuses the result. Policy programs can read until the commit.
//
// DIAGNOSTICS: after a refusal, a full disk or a lock timeout the transaction is rolled back and nothing has changed.
import type { Trouble } from '../failure';
import { makeCanonical } from './canonical';
import type { Connection, Statement } from './database';
import { checkSets, guard, type TableCounts } from './import-guard';
import { INCOMING, INSERT, removeSql, writeSql } from './import-sql';
import { formatInstant, keptExpiry, type Meaning, meaningText } from './meaning';
import { nameColumn, type Table } from './schema';

/** A checked row in canonical form. A field is undefined if the input does not have it. */
export interface ImportRow {
  readonly table: Table;
  /** The folded name of the subject or set. */
  readonly name: string;
  readonly network: string;
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
  return { ...more, table, name, network: meaningText(meaning) };
}

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
    const { line = 0, table, name, network, note, expires, addedAt, addedBy, local } = row;
    // In the temporary table, NULL means that the input lacks the field, and '' that the field is empty.
    const texts = [note, expires, addedAt, addedBy].map((text) => (text === undefined ? null : (text ?? '')));
    this.read++;
    this.insert.run(line, table, name, network, ...texts, local === undefined ? null : Number(local));
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
    const { tables, replace, force, set, addedBy, now } = options;
    const number = (sql: string) => connection.prepare(sql).pluck().get({ set }) as number;
    const replaceable: TableCounts = { access: 0, network_set: 0 };
    const counts = { add: 0, change: 0, remove: { access: 0, network_set: 0 } };
    const removedSets = new Set<string>();
    // writeSql calls it for a row that is already there, if the input has no expiry.
    connection.function('kept_expiry', (expires) => keptExpiry(expires, now));
    for (const table of tables) {
      const run = (sql: string) => {
        // Rows that are inserted from now on get a greater rowid.
        const last = number(`select ifnull(max(rowid), 0) from ${table}`);
        const values = { set, last, addedBy, now: formatInstant(now) };
        for (const change of connection.prepare(sql).iterate(values) as Iterable<Change>) {
          changes?.push(change);
          if (change.what !== 'remove') counts[change.what]++;
          else {
            counts.remove[table]++;
            if (table === 'network_set') removedSets.add(change.name);
          }
        }
      };
      if (replace) {
        const condition = `not local${set === undefined ? '' : ` and ${nameColumn(table)} = @set`}`;
        replaceable[table] = number(`select count(*) from ${table} where ${condition}`);
        run(removeSql(table, condition));
      }
      run(writeSql(table, replace));
    }
    if (!force) checkSets(connection, removedSets);
    const distinctRows = number('select count(*) from incoming');
    const { add: added, change: changed, remove } = counts;
    const unchanged = distinctRows - added - changed;
    const refusal = replace && !force ? guard(connection, tables, replaceable, remove) : null;
    const removed = remove.access + remove.network_set;
    return { added, changed, removed, unchanged, repeated: this.read - distinctRows, refusal };
  }
}
