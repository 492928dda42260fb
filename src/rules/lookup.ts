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
  isCertain,
  type Network,
  networkKey,
  parseNetwork,
  truncate,
} from './network';
import type { Table } from './schema';
import { foldName } from './subject';

export function rulesOf(connection: Connection): Rules & { forget(): void } {
  const access = new Lookup(connection, 'access');
  const sets = new Lookup(connection, 'network_set');

  function* throughSets(found: Iterable<Found>, address: Address): Iterable<Entry> {
    for (const { network, expires } of found) {
      if (!network.startsWith('@')) yield { network, set: null, expires };
      else {
        const set = foldName(network.slice(1));
        for (const member of sets.covering(set, address)) {
          if (!member.network.startsWith('@')) yield { network: member.network, set, expires };
        }
      }
    }
  }

  return {
    deciding: (subjects) => subjects.find((subject) => access.has(subject)) ?? null,
    covering: (subject, address) => throughSets(access.covering(subject, address), address),
    forget() {
      access.forget();
      sets.forget();
    },
  };
}

/** A row that may grant: its network contains the address, or is a set that may. */
interface Found {
  readonly network: string;
  readonly expires: unknown;
}

/** A row written by hand, read; `network` null stands for every address, `set` for a set to ask. */
interface HandRow {
  readonly text: string;
  readonly expires: unknown;
  readonly meaning: Network | 'any' | 'set' | 'unreadable';
}

/** How many rows written by hand are kept in memory at the most. */
const KEPT_ROWS = 50_000;

const NETWORKS = 1;
const SPECIAL = 2;
const BY_HAND = 4;
const BY_HAND_UNICODE = 8;

/** What the statements of a look-up are, for the table: exported so that a test can look at their query plans. */
export function lookupSql(table: Table) {
  const [name, expires] = table === 'access' ? ['user', 'expires'] : ['name', 'null'];
  const columns = `select network, ${expires} from ${table}`;
  const byHand = `from ${table} where key is null and ${name}`;
  return {
    kinds: `select exists (select 1 from ${table} where ${name} = ? and key >= x'02')
      + 2 * exists (select 1 from ${table} where ${name} = ? and key < x'02')
      + 4 * exists (select 1 ${byHand} = ? collate nocase)
      + 8 * exists (select 1 ${byHand} glob '*[^ -~]*')`,
    floor: `${columns} where ${name} = ? and key between x'02' and ? order by key desc limit 1`,
    special: `${columns} where ${name} = ? and key < x'02'`,
    byHand: `select ${name}, network, ${expires} ${byHand} = ? collate nocase`,
    byHandUnicode: `select ${name}, network, ${expires} ${byHand} glob '*[^ -~]*'`,
  };
}

class Lookup {
  private readonly sql: ReturnType<typeof lookupSql>;
  private readonly prepared = new Map<string, Statement>();
  private readonly kept = new Map<string, readonly HandRow[]>();
  private keptRows = 0;

  constructor(
    private readonly connection: Connection,
    table: Table,
  ) {
    this.sql = lookupSql(table);
  }

  has(name: string): boolean {
    const kinds = this.kinds(name);
    if ((kinds & (NETWORKS | SPECIAL)) !== 0) return true;
    return kinds !== 0 && this.handRows(name, kinds).length > 0;
  }

  *covering(name: string, address: Address): Iterable<Found> {
    const kinds = this.kinds(name);
    if ((kinds & NETWORKS) !== 0) yield* this.keyed(name, address);
    if ((kinds & SPECIAL) !== 0) {
      for (const [network, expires] of this.statement('special').all(name) as [string, unknown][]) {
        yield { network, expires };
      }
    }
    if ((kinds & (BY_HAND | BY_HAND_UNICODE)) === 0) return;
    for (const row of this.handRows(name, kinds)) {
      if (mayGrant(row, address)) yield { network: row.text, expires: row.expires };
    }
  }

  forget(): void {
    this.kept.clear();
    this.keptRows = 0;
  }

  private kinds(name: string): number {
    return (this.statement('kinds').get(name, name, name) as [number])[0];
  }

  private *keyed(name: string, address: Address): Iterable<Found> {
    const floor = this.statement('floor');
    let prefix = address.bytes.length * 8;
    while (prefix >= 0) {
      const row = floor.get(name, networkKey(truncate(address, prefix))) as [string, unknown] | undefined;
      const network = row && parseNetwork(row[0])?.network;
      if (!network || network.family !== address.family) return;
      const covers = contains(network, address);
      if (covers) yield { network: row[0], expires: row[1] };
      // Always shorter, also should a key not fit its network.
      prefix = Math.min(covers ? network.prefix : commonPrefix(network.bytes, address.bytes) + 1, prefix) - 1;
    }
  }

  private handRows(name: string, kinds: number): readonly HandRow[] {
    const known = this.kept.get(name);
    if (known) return known;
    const rows: HandRow[] = [];
    const read = (found: [unknown, unknown, unknown][]) => {
      for (const [written, network, expires] of found) {
        if (typeof written === 'string' && foldName(written) === name) rows.push(handRow(network, expires));
      }
    };
    if ((kinds & BY_HAND) !== 0) read(this.statement('byHand').all(name) as [unknown, unknown, unknown][]);
    if ((kinds & BY_HAND_UNICODE) !== 0) {
      read(this.statement('byHandUnicode').all() as [unknown, unknown, unknown][]);
    }
    if (this.keptRows + rows.length + 1 > KEPT_ROWS) this.forget();
    this.kept.set(name, rows);
    this.keptRows += rows.length + 1;
    return rows;
  }

  private statement(name: keyof ReturnType<typeof lookupSql>): Statement {
    let statement = this.prepared.get(name);
    if (statement === undefined) {
      statement = this.connection.prepare(this.sql[name]).raw();
      this.prepared.set(name, statement);
    }
    return statement;
  }
}

function handRow(network: unknown, expires: unknown): HandRow {
  if (typeof network !== 'string') return { text: '', expires, meaning: 'unreadable' };
  const text = network.trim();
  if (text.startsWith('@')) return { text, expires, meaning: 'set' };
  if (text.toLowerCase() === ANY) return { text, expires, meaning: 'any' };
  return { text, expires, meaning: parseNetwork(text)?.network ?? 'unreadable' };
}

function mayGrant({ text, meaning }: HandRow, address: Address): boolean {
  if (typeof meaning === 'string') return meaning !== 'unreadable';
  return contains(meaning, address) && isCertain(text, meaning);
}
