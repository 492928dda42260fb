// The rows that were written by hand. They have no key: they are found by name, and what their texts mean is found out when they are first
// asked. A row that cannot be read grants nothing.
//
// To find out is slow. So the rows of a name are read as a few long texts, and while those stay the same, whatever else changes in the
// database, the rows are what they were.
import type { Address } from './address';
import type { Connection } from './database';
import { Found } from './found';
import { ANY, contains, isCertain, type Network, parseNetwork } from './network';
import { Prepared } from './prepared';
import type { Table } from './schema';
import { foldName, isAscii } from './subject';

/** `meaning`: null until it is first asked. */
export interface HandRow {
  readonly text: string;
  readonly expires: unknown;
  meaning: Network | 'any' | 'set' | 'unreadable' | null;
}

/** How many rows written by hand are kept in memory at the most, a name counted as four. */
const MOST_KEPT = 50_000;

/** The statements for a table: exported so that a test can look at their query plans. */
export function handRowsSql(table: Table) {
  const [name, expires] = table === 'access' ? ['user', 'expires'] : ['name', 'null'];
  const from = `from ${table} where key is null and ${name}`;
  // A bound that every name keeps makes it a search in the index of such rows, where no other index will do.
  const unicode = `${from} >= '' and ${name} glob '*[^ -~]*'`;
  const pairs = `json_group_array(json_array(${json('network')}, ${json(expires)}))`;
  return {
    some: `select exists (select 1 ${from} >= '' collate nocase) + 2 * exists (select 1 ${unicode})`,
    ascii: `select json_group_array(${json('network')}) ${from} = ? collate nocase and ${expires} is null`,
    asciiExpiring: `select ${pairs} ${from} = ? collate nocase and ${expires} is not null`,
    unicode: `select ${name}, ${pairs} ${unicode} group by ${name}`,
  };
}

/** A BLOB, which JSON cannot hold, as a number: neither is a network, a set or a time. */
function json(column: string): string {
  return `case typeof(${column}) when 'blob' then 0 else ${column} end`;
}

/** Of `some`: there are rows whose names go beyond ASCII. */
const UNICODE = 2;

/** The rows of a name, the JSON that they were read from, and in which reading that was last seen to stand in the database. */
interface Kept {
  readonly texts: readonly string[];
  readonly rows: readonly HandRow[];
  reading: object;
}

// Of all connections: a program that goes on has a new one after each change.
const kept = new Map<string, Kept>();
let keptSize = 0;

export class HandRows {
  private readonly statements: Prepared<keyof ReturnType<typeof handRowsSql>>;
  private kinds: number | null = null;
  private reading = {};

  constructor(
    connection: Connection,
    private readonly table: Table,
  ) {
    this.statements = new Prepared(connection, () => handRowsSql(table));
  }

  /** The rows of a name. */
  of(name: string): readonly HandRow[] {
    this.kinds ??= (this.statements.get('some').get() as [number])[0];
    if (this.kinds === 0) return [];
    const place = `${this.table} ${name}`;
    const known = kept.get(place);
    if (known?.reading === this.reading) return known.rows;
    const texts = this.read(name);
    if (known?.texts.length === texts.length && known.texts.every((text, i) => text === texts[i])) {
      known.reading = this.reading;
      return known.rows;
    }
    const rows = rowsOf(texts);
    keep(place, { texts, rows, reading: this.reading });
    return rows;
  }

  forget(): void {
    this.reading = {};
    this.kinds = null;
  }

  /** The rows of a name, as JSON: first those that do not expire, then pairs of a network and its end. */
  private read(name: string): string[] {
    const texts: string[] = [];
    const ask = (some: 'ascii' | 'asciiExpiring') => this.statements.get(some).get(name) as [string];
    // In ASCII, what is equal to SQLite without regard to case is equal when folded; and only ASCII folds to it, but for what is read below.
    if (isAscii(name)) texts.push(...ask('ascii'), ...ask('asciiExpiring'));
    else texts.push('[]');
    if ((this.kinds ?? 0) & UNICODE) {
      const unicode = this.statements.get('unicode').all() as [unknown, string][];
      for (const [written, text] of unicode) {
        if (typeof written === 'string' && foldName(written) === name) texts.push(text);
      }
    }
    return texts;
  }
}

function keep(place: string, one: Kept): void {
  const size = (of: Kept | undefined) => (of === undefined ? 0 : of.rows.length + 4);
  keptSize -= size(kept.get(place));
  if (keptSize + size(one) > MOST_KEPT) {
    kept.clear();
    keptSize = 0;
  }
  keptSize += size(one);
  kept.set(place, one);
}

function rowsOf([plain = '[]', ...pairs]: readonly string[]): HandRow[] {
  const rows = (JSON.parse(plain) as unknown[]).map((network) => handRow(network, null));
  for (const text of pairs) {
    for (const [network, expires] of JSON.parse(text) as [unknown, unknown][])
      rows.push(handRow(network, expires));
  }
  return rows;
}

/** A row as it stands in the database. */
export function handRow(network: unknown, expires: unknown): HandRow {
  return typeof network === 'string'
    ? { text: network.trim(), expires, meaning: null }
    : { text: '', expires, meaning: 'unreadable' };
}

function meaningOf(text: string): NonNullable<HandRow['meaning']> {
  if (text.startsWith('@')) return 'set';
  return parseNetwork(text)?.network ?? (text.toLowerCase() === ANY ? 'any' : 'unreadable');
}

/** Those of the rows that may grant the address. */
export function* granting(rows: readonly HandRow[], address: Address): Iterable<Found> {
  for (const row of rows) if (mayGrant(row, address)) yield new Found(row.text, row.expires);
}

function mayGrant(row: HandRow, address: Address): boolean {
  const meaning = row.meaning ?? meaningOf(row.text);
  row.meaning = meaning;
  if (typeof meaning === 'string') return meaning !== 'unreadable';
  return contains(meaning, address) && isCertain(row.text, meaning);
}
