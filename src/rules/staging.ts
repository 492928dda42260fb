// Rows on their way into the database: kept in a temporary table of the connection, so that the database is neither locked nor changed
// while they are read, and so that the difference between the two is found by SQL.
import type { Connection, Statement } from './database';
import { KnownRows, type RowText } from './known-rows';
import { nameColumn, type Table } from './schema';

/** A checked row, canonical as schema.ts demands. What is undefined, the input does not speak of. */
export interface IncomingRow {
  /** Where it stands in the input. */
  readonly line: number;
  readonly table: Table;
  /** Of the subject or the set, folded. */
  readonly name: string;
  readonly network: string;
  readonly key: Uint8Array;
  readonly note: string | null | undefined;
  /** As formatInstant writes it. */
  readonly expires: string | null | undefined;
  readonly addedAt: string | null | undefined;
  readonly addedBy: string | null | undefined;
  readonly local: boolean | undefined;
}

/** Bits of `given`: which columns the input speaks of. */
export const GIVEN = { note: 1, expires: 2, addedAt: 4, addedBy: 8, local: 16 } as const;

const TABLES = `
create temp table incoming (
  of text, name text, network text, key blob, note text, expires text, added_at text, added_by text, local integer, given integer
);
-- Rows of the database that were written by hand and can be read, as they would be written by a command.
create temp table hand (id integer, of text, name text, key blob, local integer);
create index temp.hand_key on hand (of, name, key);
-- What is to be done: rows of incoming to insert, rows of the database to write anew from a row of incoming, rows to delete.
create temp table fresh (staged integer primary key, of text);
create temp table altered (id integer, of text, staged integer);
create temp table gone (id integer, of text, twin integer);
-- Of a table that was compared while the input was read (known-rows.ts): the rows that the input has not had word for word.
create temp table unseen (id integer, of text);
`;

export class Staging {
  /** How many rows were added of each table. */
  readonly count: Record<Table, number> = { access: 0, network_set: 0 };
  /** The sets that rows refer to, with the line of the first reference. */
  readonly references = new Map<string, number>();
  /** What the tables had before the first row of the input; null where each row is staged. */
  readonly known: Record<Table, KnownRows | null> = { access: null, network_set: null };
  private readonly begun = new Set<Table>();
  private readonly insert: Statement;
  private open = true;

  /** `compare`: leave out rows that the database has, so that only what differs is staged. */
  constructor(
    private readonly connection: Connection,
    private readonly compare = false,
  ) {
    // SQLite keeps a large temporary table in a file; a statement of one does not lock the other.
    connection.pragma('temp.cache_size = -16000');
    connection.exec(TABLES);
    connection.exec('begin');
    this.insert = connection.prepare(`insert into incoming values (${Array(10).fill('?')})`);
  }

  /** Counts a row that the database has word for word, and says so. False: add it. */
  skips(row: RowText, line: number): boolean {
    if (!this.compare) return false;
    const { table, network } = row;
    if (!this.begun.has(table)) {
      this.begun.add(table);
      // Outside of the transaction, which would hold a lock until its end.
      this.connection.exec('commit');
      this.known[table] = KnownRows.of(this.connection, row);
      this.connection.exec('begin');
    }
    if (this.known[table]?.has(row) !== true) return false;
    this.count[table]++;
    if (network.startsWith('@')) this.refer(network, line);
    return true;
  }

  private refer(network: string, line: number): void {
    if (!this.references.has(network.slice(1))) this.references.set(network.slice(1), line);
  }

  add(row: IncomingRow): void {
    if (row.local !== true && this.skips(row, row.line)) return;
    const { line, table, name, network, key, note, expires, addedAt, addedBy, local } = row;
    const given =
      (note === undefined ? 0 : GIVEN.note) |
      (expires === undefined ? 0 : GIVEN.expires) |
      (addedAt === undefined ? 0 : GIVEN.addedAt) |
      (addedBy === undefined ? 0 : GIVEN.addedBy) |
      (local === undefined ? 0 : GIVEN.local);
    this.count[table]++;
    if (network.startsWith('@')) this.refer(network, line);
    this.insert.run(
      table,
      name,
      network,
      key,
      note ?? null,
      expires ?? null,
      addedAt ?? null,
      addedBy ?? null,
      local === true ? 1 : 0,
      given,
    );
  }

  /**
   * Ends the adding. Of rows that mean the same network for the same name the one that lasts longest stays: what all of them grant.
   * Gives how many were left out.
   */
  finish(): number {
    if (!this.open) return 0;
    this.open = false;
    const { connection } = this;
    connection.exec('commit');
    let repeated = 0;
    for (const table of ['access', 'network_set'] as const) {
      repeated += this.known[table]?.repeated ?? 0;
      this.stageRivals(table);
    }
    return repeated + this.leaveOutRepeated();
  }

  /** What was found out about the difference from the database, which may have changed since. */
  forgetDifference(): void {
    this.connection.exec('delete from hand; delete from fresh; delete from altered; delete from gone');
  }

  /** A staged row and one of the database that the input has too can mean the same: then the choice is between the two. */
  private stageRivals(table: Table): void {
    const known = this.known[table];
    if (known === null) return;
    const { connection } = this;
    const insert = connection.prepare(`insert into unseen values (?, '${table}')`);
    connection.transaction(() => {
      for (const rowid of known.unseen()) insert.run(rowid);
    })();
    const name = nameColumn(table);
    const expires = table === 'access' ? 't.expires' : 'null';
    // Before the others, so that among equals what is there stays.
    const rowid = table === 'access' ? '-2 * t.rowid' : '-2 * t.rowid - 1';
    connection
      .prepare(
        `insert into incoming (rowid, of, name, network, key, note, expires, added_at, added_by, local, given)
         select ${rowid}, '${table}', t.${name}, t.network, t.key, t.note, ${expires}, t.added_at, t.added_by, 0, i.given
         from incoming i, ${table} t where i.of = '${table}' and t.${name} = i.name and t.key = i.key and not t.local
           and t.rowid not in (select id from unseen where of = '${table}') group by t.rowid`,
      )
      .run();
  }

  private leaveOutRepeated(): number {
    const { connection } = this;
    try {
      connection.exec('create unique index temp.incoming_key on incoming (of, name, key)');
      return 0;
    } catch (error) {
      if ((error as { code?: string }).code !== 'SQLITE_CONSTRAINT_UNIQUE') throw error;
    }
    const { changes } = connection
      .prepare(
        `delete from incoming where rowid in (
           select id from (
             select rowid as id, row_number() over (
               partition by of, name, key order by expires is not null, expires desc, rowid) as place
             from incoming)
           where place > 1)`,
      )
      .run();
    connection.exec('create unique index temp.incoming_key on incoming (of, name, key)');
    return changes;
  }
}
