// Which rows of an input the database has exactly as they are, told without a query for each: a million of them in about the time that it
// takes to read them.
//
// Only a row that is the same text in every column compared counts as known; any other one goes the long way (staging.ts), by which it
// can still turn out to be the same. The database is read in pieces and without holding a lock, so that nobody waits. Who uses the
// answer must hold the write lock and see that nothing has changed since (`isCurrent`).
import type { Connection } from './database';
import { COLUMN_END, NO_TEXT, ROW_END, RowHash } from './row-hash';
import type { Table } from './schema';
import { nameColumn } from './schema';

/** Text as it would stand in the database. Undefined: the input does not speak of it. Without a local mark. */
export interface RowText {
  readonly table: Table;
  readonly name: string;
  readonly network: string;
  readonly note: string | null | undefined;
  readonly expires: string | null | undefined;
  readonly addedAt: string | null | undefined;
  readonly addedBy: string | null | undefined;
}

/** Which columns the rows of the input speak of; `expires` is always compared. */
type Compared = Readonly<Record<'note' | 'addedAt' | 'addedBy', boolean>>;

/** Rows in one text, which costs a third less than to take them one by one. */
const AT_ONCE = 1000;
/** Rows that there is room for at first. */
const ROOM = 1 << 16;

/** How far from the expected place a row is looked for, and how many may be missed before all of them are indexed. */
const NEAR = 8;
const MISSES = 500;

/** The rows of one table that a command wrote and that have no local mark. */
export class KnownRows {
  /** How many rows the table has. */
  count = 0;
  /** How many rows of the input said again, word for word, what another one had said. */
  repeated = 0;
  private readonly hash = new RowHash();
  private rowids = new Float64Array(ROOM);
  private hashes = new Int32Array(3 * ROOM);
  /** Which of them the input has: 1. */
  private seen = new Uint8Array(0);
  /** Where the next row of the input is expected, and how many were not near there. */
  private next = 0;
  private missed = 0;
  /** Places in the arrays, plus one, by hash. Made when it is needed. */
  private slots: Int32Array | null = null;
  private readonly version: unknown;

  private constructor(
    private readonly connection: Connection,
    private readonly compared: Compared,
  ) {
    this.version = connection.pragma('data_version', { simple: true });
  }

  /**
   * @param row the first row of the input, whose columns all others are expected to have
   * @returns null where the long way is needed: the table has rows written by hand, or control characters in a note
   */
  static of(connection: Connection, row: RowText): KnownRows | null {
    const { table, note, addedAt, addedBy } = row;
    const byHand = connection.prepare(`select 1 from ${table} where key is null limit 1`).get();
    if (byHand !== undefined) return null;
    const known = new KnownRows(connection, {
      note: note !== undefined,
      addedAt: addedAt !== undefined,
      addedBy: addedBy !== undefined,
    });
    return known.read(table) ? known : null;
  }

  /** Whether the database has this row. Then it is remembered as one that the input has. */
  has(row: RowText): boolean {
    const { hash, compared } = this;
    const { note, addedAt, addedBy } = row;
    if ((note !== undefined) !== compared.note || (addedAt !== undefined) !== compared.addedAt) return false;
    if ((addedBy !== undefined) !== compared.addedBy) return false;
    hash.begin();
    hash.column(row.name);
    hash.column(row.network);
    hash.column(row.expires ?? NO_TEXT);
    // No note and an empty one are the same, as they are for the SQL that compares.
    if (note !== undefined) hash.column(note ?? '');
    if (addedAt !== undefined) hash.column(addedAt ?? NO_TEXT);
    if (addedBy !== undefined) hash.column(addedBy ?? NO_TEXT);
    const place = this.find();
    if (place < 0) return false;
    if (this.seen[place] === 1) this.repeated++;
    this.seen[place] = 1;
    this.next = place + 1;
    return true;
  }

  /** The place of the row that `hash` is of, or -1. Mostly the input has the order of the database: then the search is short. */
  private find(): number {
    const { a, b, c } = this.hash;
    const { hashes, next, count } = this;
    for (let place = next; place < next + NEAR && place < count; place++) {
      const at = 3 * place;
      if (hashes[at] === a && hashes[at + 1] === b && hashes[at + 2] === c) return place;
    }
    if (this.slots === null) {
      // Not to find one is no mistake: such a row goes the long way.
      if (this.missed++ < MISSES) return -1;
      this.index();
    }
    return (this.slots?.[this.slotOf(a, b, c)] ?? 0) - 1;
  }

  /** The rows of the database that the input does not have word for word. */
  *unseen(): Iterable<number> {
    for (let i = 0; i < this.count; i++) if (this.seen[i] === 0) yield this.rowids[i] ?? 0;
  }

  /** Whether no other program has changed the database since it was read. */
  isCurrent(): boolean {
    return this.connection.pragma('data_version', { simple: true }) === this.version;
  }

  private read(table: Table): boolean {
    const { note, addedAt, addedBy } = this.compared;
    const columns = [
      nameColumn(table),
      'network',
      table === 'access' ? orNoText('expires') : `'${NO_TEXT}'`,
      ...(note ? ["ifnull(note, '')"] : []),
      ...(addedAt ? [orNoText('added_at')] : []),
      ...(addedBy ? [orNoText('added_by')] : []),
    ];
    const ended = ['id', ...columns].map((column) => `${column} || '${COLUMN}'`).join(' || ');
    const statement = this.connection
      .prepare(
        `select count(*), max(id), group_concat(${ended} || '${ROW}', '') from (
           select rowid as id, ${nameColumn(table)}, network, ${table === 'access' ? 'expires, ' : ''}note, added_at, added_by
           from ${table} where rowid > ? and key is not null and not local order by rowid limit ${AT_ONCE})`,
      )
      .raw();
    for (let last = Number.MIN_SAFE_INTEGER; ; ) {
      const [rows, to, text] = statement.get(last) as [number, number, string];
      if (rows === 0) break;
      if (!this.keep(text, rows, columns.length)) return false;
      last = to;
    }
    this.seen = new Uint8Array(this.count);
    return true;
  }

  private keep(text: string, rows: number, columns: number): boolean {
    const { hash } = this;
    while (this.count + rows > this.rowids.length) this.grow();
    let at = 0;
    for (let row = 0; row < rows; row++) {
      const start = text.indexOf(COLUMN, at) + 1;
      this.rowids[this.count] = Number(text.slice(at, start - 1));
      at = hash.joined(text, start, columns);
      if (start === 0 || at < 0) return false;
      const place = 3 * this.count++;
      this.hashes[place] = hash.a;
      this.hashes[place + 1] = hash.b;
      this.hashes[place + 2] = hash.c;
    }
    return at === text.length;
  }

  private grow(): void {
    const { rowids, hashes } = this;
    this.rowids = new Float64Array(2 * rowids.length);
    this.hashes = new Int32Array(2 * hashes.length);
    this.rowids.set(rowids);
    this.hashes.set(hashes);
  }

  private index(): void {
    const { hashes } = this;
    const slots = new Int32Array(2 ** Math.ceil(Math.log2(2 * this.count + 2)));
    this.slots = slots;
    for (let place = 0; place < this.count; place++) {
      const at = 3 * place;
      const slot = this.slotOf(hashes[at] ?? 0, hashes[at + 1] ?? 0, hashes[at + 2] ?? 0);
      if (slots[slot] === 0) slots[slot] = place + 1;
    }
  }

  /** Where the row with this hash is in `slots`, or where there is room for it. */
  private slotOf(a: number, b: number, c: number): number {
    const { hashes } = this;
    const slots = this.slots ?? new Int32Array(1);
    for (let slot = a & (slots.length - 1); ; slot = (slot + 1) & (slots.length - 1)) {
      const at = 3 * ((slots[slot] ?? 0) - 1);
      if (at < 0 || (hashes[at] === a && hashes[at + 1] === b && hashes[at + 2] === c)) return slot;
    }
  }
}

const COLUMN = String.fromCharCode(COLUMN_END);
const ROW = String.fromCharCode(ROW_END);

function orNoText(column: string): string {
  return `ifnull(${column}, '${NO_TEXT}')`;
}
