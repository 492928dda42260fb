// The rows that were written by hand. They have no key: they are found by name, and kept until `forget`; what their texts mean is found out when
// they are first asked. A row that cannot be read grants nothing.
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

/** How many rows written by hand are kept in memory at the most. */
const KEPT_ROWS = 50_000;

/** The statements for a table: exported so that a test can look at their query plans. */
export function handRowsSql(table: Table) {
  const [name, expires] = table === 'access' ? ['user', 'expires'] : ['name', 'null'];
  const from = `from ${table} where key is null and ${name}`;
  // A bound that every name keeps makes it a search in the index of such rows, where no other index will do.
  const unicode = `${from} >= '' and ${name} glob '*[^ -~]*'`;
  return {
    some: `select exists (select 1 ${from} >= '' collate nocase) + 2 * exists (select 1 ${unicode})`,
    ascii: `select network ${from} = ? collate nocase and ${expires} is null`,
    asciiExpiring: `select network, ${expires} ${from} = ? collate nocase and ${expires} is not null`,
    unicode: `select ${name}, network, ${expires} ${unicode}`,
  };
}

/** Of `some`: there are rows whose names go beyond ASCII. */
const UNICODE = 2;

export class HandRows {
  private readonly statements: Prepared<keyof ReturnType<typeof handRowsSql>>;
  private readonly kept = new Map<string, readonly HandRow[]>();
  private keptRows = 0;
  private kinds: number | null = null;

  constructor(connection: Connection, table: Table) {
    this.statements = new Prepared(connection, () => handRowsSql(table));
  }

  /** The rows of a name. */
  of(name: string): readonly HandRow[] {
    this.kinds ??= (this.statements.get('some').get() as [number])[0];
    if (this.kinds === 0) return [];
    const known = this.kept.get(name);
    if (known) return known;
    const rows: HandRow[] = [];
    // In ASCII, what is equal to SQLite without regard to case is equal when folded; and only ASCII folds to it, but for what is read below.
    if (isAscii(name)) {
      for (const network of this.statements.get('ascii').pluck().all(name)) rows.push(handRow(network, null));
      const expiring = this.statements.get('asciiExpiring').all(name) as [unknown, unknown][];
      for (const [network, expires] of expiring) rows.push(handRow(network, expires));
    }
    if ((this.kinds & UNICODE) !== 0) {
      const unicode = this.statements.get('unicode').all() as [unknown, unknown, unknown][];
      for (const [written, network, expires] of unicode) {
        if (typeof written === 'string' && foldName(written) === name) rows.push(handRow(network, expires));
      }
    }
    if (this.keptRows + rows.length + 1 > KEPT_ROWS) this.forgetRows();
    this.kept.set(name, rows);
    this.keptRows += rows.length + 1;
    return rows;
  }

  forget(): void {
    this.forgetRows();
    this.kinds = null;
  }

  private forgetRows(): void {
    this.kept.clear();
    this.keptRows = 0;
  }
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
