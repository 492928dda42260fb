// The rules of one open database, as the decision asks for them: a few seeks in an index, however many entries there are.
//
// Networks are ordered by their binary key. From the last network that is not above the address, the next that can contain it is at
// most as long as the prefix that the two share; so one seek leads to the next candidate, and one to three are the rule.
// Rows written by hand have no key: they are found by name, read once, and kept until `forget`.
// A row that cannot be read is an entry, and grants nothing.
import type { Entry, Rules } from '../policy/decide';
import type { Address } from './address';
import type { Connection, Statement } from './database';
import {
  ANY,
  commonPrefix,
  contains,
  formatNetwork,
  isCertain,
  keyAfter,
  type Network,
  networkOfKey,
  parseNetwork,
  truncate,
} from './network';
import { FIRST_NETWORK, type Table } from './schema';
import { foldName, isAscii } from './subject';

export function rulesOf(connection: Connection): Rules & { forget(): void } {
  const access = new Lookup(connection, 'access');
  const sets = new Lookup(connection, 'network_set');

  function* throughSets(found: Iterable<Found>, address: Address): Iterable<Entry> {
    for (const row of found) {
      const set = row.names;
      if (set === null) yield row;
      else {
        for (const member of sets.covering(set, address)) {
          if (member.names === null) yield member.through(set, row.expires);
        }
      }
    }
  }

  return {
    covering: (subject, address) => throughSets(access.covering(subject, address), address),
    has: (subject) => access.has(subject),
    forget() {
      access.forget();
      sets.forget();
    },
  };
}

/** A row that may grant: its network contains the address, or is a set that may. */
class Found implements Entry {
  /** `meaning`: a network, or the text that stands in the row. */
  constructor(
    private readonly meaning: Network | string,
    readonly expires: unknown,
    readonly set: string | null = null,
  ) {}

  /** Put into words when it is wanted, which it seldom is. */
  get network(): string {
    return typeof this.meaning === 'string' ? this.meaning : formatNetwork(this.meaning);
  }

  /** The set that stands in place of a network. */
  get names(): string | null {
    if (typeof this.meaning !== 'string' || !this.meaning.startsWith('@')) return null;
    return foldName(this.meaning.slice(1));
  }

  /** A member of a set, as the entry of who has the set. */
  through(set: string, expires: unknown): Found {
    return new Found(this.meaning, expires, set);
  }
}

/** A row written by hand: what its text means is found out when it is first asked. */
interface HandRow {
  readonly text: string;
  readonly expires: unknown;
  meaning: Network | 'any' | 'set' | 'unreadable' | null;
}

/** How many rows written by hand are kept in memory at the most. */
const KEPT_ROWS = 50_000;

/** What the statements of a look-up are, for the table: exported so that a test can look at their query plans. */
export function lookupSql(table: Table) {
  const [name, expires] = table === 'access' ? ['user', 'expires'] : ['name', 'null'];
  const keyed = `from ${table} where ${name} = ? and key`;
  const byHand = `from ${table} where key is null and ${name}`;
  // A bound that every name keeps makes it a search in the index of such rows, where no other index will do.
  const unicode = `${byHand} >= '' and ${name} glob '*[^ -~]*'`;
  return {
    below: `select key, ${expires} ${keyed} < ? order by key desc limit 1`,
    special: `select network, ${expires} ${keyed} < x'02'`,
    any: `select 1 ${keyed} is not null limit 1`,
    handWritten: `select exists (select 1 ${byHand} >= '' collate nocase) + 2 * exists (select 1 ${unicode})`,
    byHand: `select network ${byHand} = ? collate nocase and ${expires} is null`,
    byHandExpiring: `select network, ${expires} ${byHand} = ? collate nocase and ${expires} is not null`,
    byHandUnicode: `select ${name}, network, ${expires} ${unicode}`,
  };
}

/** Of `handWritten`: there are rows by hand whose names go beyond ASCII. */
const UNICODE = 2;

class Lookup {
  private readonly prepared = new Map<string, Statement>();
  private readonly kept = new Map<string, readonly HandRow[]>();
  private keptRows = 0;
  private handWritten: number | null = null;
  /** The name that an entry was last found for, so that `has` after `covering` need not look again. */
  private found: string | null = null;

  constructor(
    private readonly connection: Connection,
    private readonly table: Table,
  ) {}

  has(name: string): boolean {
    if (this.found === name || this.statement('any').get(name) !== undefined) return true;
    return this.handRows(name).length > 0;
  }

  *covering(name: string, address: Address): Iterable<Found> {
    const below = this.statement('below');
    for (let prefix = address.bytes.length * 8; prefix >= -1; ) {
      const bound = prefix < 0 ? FIRST_NETWORK : keyAfter(truncate(address, prefix));
      const row = below.get(name, bound) as [Buffer, unknown] | undefined;
      if (row === undefined) break;
      this.found = name;
      const network = networkOfKey(row[0]);
      if (!network || network.family !== address.family) {
        const special = this.statement('special').all(name) as [string, unknown][];
        yield* granting(
          special.map(([text, expires]) => handRow(text, expires)),
          address,
        );
        break;
      }
      const covers = contains(network, address);
      if (covers) yield new Found(network, row[1]);
      // Always shorter, also should a key not fit its network.
      prefix = Math.min(covers ? network.prefix : commonPrefix(network.bytes, address.bytes) + 1, prefix) - 1;
    }
    const byHand = this.handRows(name);
    if (byHand.length > 0) yield* granting(byHand, address);
  }

  forget(): void {
    this.forgetRows();
    this.handWritten = null;
    this.found = null;
  }

  private forgetRows(): void {
    this.kept.clear();
    this.keptRows = 0;
  }

  /** The rows written by hand for a name. */
  private handRows(name: string): readonly HandRow[] {
    this.handWritten ??= (this.statement('handWritten').get() as [number])[0];
    if (this.handWritten === 0) return [];
    const known = this.kept.get(name);
    if (known) return known;
    const rows: HandRow[] = [];
    // In ASCII, what is equal to SQLite without regard to case is equal when folded; and only ASCII folds to it, but for what is read below.
    if (isAscii(name)) {
      for (const network of this.statement('byHand').pluck().all(name)) rows.push(handRow(network, null));
      const expiring = this.statement('byHandExpiring').all(name) as [unknown, unknown][];
      for (const [network, expires] of expiring) rows.push(handRow(network, expires));
    }
    if ((this.handWritten & UNICODE) !== 0) {
      const unicode = this.statement('byHandUnicode').all() as [unknown, unknown, unknown][];
      for (const [written, network, expires] of unicode) {
        if (typeof written === 'string' && foldName(written) === name) rows.push(handRow(network, expires));
      }
    }
    if (this.keptRows + rows.length + 1 > KEPT_ROWS) this.forgetRows();
    this.kept.set(name, rows);
    this.keptRows += rows.length + 1;
    return rows;
  }

  private statement(name: keyof ReturnType<typeof lookupSql>): Statement {
    let statement = this.prepared.get(name);
    if (statement === undefined) {
      statement = this.connection.prepare(lookupSql(this.table)[name]).raw();
      this.prepared.set(name, statement);
    }
    return statement;
  }
}

function handRow(network: unknown, expires: unknown): HandRow {
  return typeof network === 'string'
    ? { text: network.trim(), expires, meaning: null }
    : { text: '', expires, meaning: 'unreadable' };
}

function meaningOf(text: string): NonNullable<HandRow['meaning']> {
  if (text.startsWith('@')) return 'set';
  return parseNetwork(text)?.network ?? (text.toLowerCase() === ANY ? 'any' : 'unreadable');
}

function* granting(rows: readonly HandRow[], address: Address): Iterable<Found> {
  for (const row of rows) if (mayGrant(row, address)) yield new Found(row.text, row.expires);
}

function mayGrant(row: HandRow, address: Address): boolean {
  const meaning = row.meaning ?? meaningOf(row.text);
  row.meaning = meaning;
  if (typeof meaning === 'string') return meaning !== 'unreadable';
  return contains(meaning, address) && isCertain(row.text, meaning);
}
