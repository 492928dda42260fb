// Looks up the rules of an open database with a few index seeks, however many entries there are.
//
// The index orders networks by their binary key. A seek returns the nearest network at or below the address. If that
// network contains the address, the next candidate is at least one bit shorter. If not, the next candidate is no longer
// than the prefix that the two share. The next seek starts at the address cut to that length. Network keys start with
// the address family, x'04' or more; set names and words have smaller keys; other SQLite clients write no key. Rows
// without a network key (`loose` rows) are read one by one. An unreadable row is an entry but grants nothing.

import type { Connection, Statement } from './database';
import { foldName, type Meaning, meaningOf } from './meaning';
import { type Address, commonPrefix, formatNetwork, networkKey, networkOfKey, truncate } from './network';
import { nameColumn, type Table } from './schema';

/** An entry of the database. `network`: as stored. `set`: the set that contains the network, or null. */
export interface Entry {
  readonly network: string;
  readonly set: string | null;
  readonly expires: unknown;
}

/** The entries of one subject, expired ones included. There is at least one. */
export interface SubjectRules {
  /** Its entries `none`. */
  readonly blocks: readonly Entry[];
  /** Its entries `inherit`. */
  readonly inherits: readonly Entry[];
  /** Its entries whose networks contain the address. */
  covering(address: Address): Iterable<Entry>;
}

/** The entries that the decision reads, all from one state of the database. */
export interface Rules {
  /** Null if the subject has no entry. An unreadable entry counts as one. */
  of(subject: string): SubjectRules | null;
}

export function rulesOf(connection: Connection): Rules {
  const access = new Lookup(connection, 'access');
  const sets = new Lookup(connection, 'network_set');

  function* covering(subject: string, loose: readonly Row[], address: Address): Iterable<Entry> {
    for (const row of loose) {
      // With an address, meaningOf returns null for a network that does not contain it.
      const meaning = meaningOf('access', row.network, address);
      if (meaning?.kind === 'set') yield* coveringOf(meaning.name, row, address);
      else if (meaning?.kind === 'network' || meaning?.kind === 'any') yield entryOf(row);
    }
    for (const row of access.networks(subject, address)) yield entryOf(row);
  }

  /** The networks of a set that contain the address, as entries of the subject that names the set. */
  function* coveringOf(set: string, { expires }: Row, address: Address): Iterable<Entry> {
    for (const { network } of sets.loose(set)) {
      if (meaningOf('network_set', network, address) !== null) yield { network: network.trim(), set, expires };
    }
    for (const { network } of sets.networks(set, address)) yield { network, set, expires };
  }

  return {
    of(subject) {
      const loose = access.loose(subject);
      if (loose.length === 0 && !access.hasNetwork(subject)) return null;
      const directives = (kind: Meaning['kind']) =>
        loose.filter(({ network }) => meaningOf('access', network)?.kind === kind).map(entryOf);
      return {
        blocks: directives('none'),
        inherits: directives('inherit'),
        covering: (address) => covering(subject, loose, address),
      };
    },
  };
}

/** The SQL statements of a lookup. Exported for a test of their query plans. */
export function lookupSql(table: Table) {
  const name = nameColumn(table);
  const columns = `${name} as name, network, ${table === 'access' ? 'expires' : 'null as expires'}`;
  return {
    loose:
      `select ${columns} from ${table} where ${name} = @name and key < x'04' union all ` +
      `select ${columns} from ${table} where ${name} = @name collate nocase and key is null`,
    // Reads nothing but the index, since most seeks find a network beside the address.
    below: `select key from ${table} where ${name} = ? and key >= x'04' and key < ? order by key desc limit 1`,
    found: `select ${columns} from ${table} where ${name} = ? and key = ? and network = ?`,
  };
}

/** Greater than every network key, and than any key that another client may have written: that row is an entry, too. */
const ABOVE_ALL = Buffer.alloc(32, 0xff);

interface Row {
  readonly name: unknown;
  readonly network: string;
  readonly expires: unknown;
}

function entryOf({ network, expires }: Row): Entry {
  return { network: network.trim(), set: null, expires };
}

class Lookup {
  private readonly statements: Record<keyof ReturnType<typeof lookupSql>, Statement>;

  constructor(connection: Connection, table: Table) {
    const { loose, below, found } = lookupSql(table);
    this.statements = {
      loose: connection.prepare(loose),
      below: connection.prepare(below).pluck(),
      found: connection.prepare(found),
    };
  }

  /** The rows of a name that have no network key: sets, words, and rows of other SQLite clients. */
  loose(name: string): Row[] {
    const rows = this.statements.loose.all({ name }) as Row[];
    // SQLite's nocase comparison stops at the first NUL.
    return rows.filter((row) => typeof row.name === 'string' && foldName(row.name) === name);
  }

  hasNetwork(name: string): boolean {
    return this.statements.below.get(name, ABOVE_ALL) !== undefined;
  }

  /** The rows of a name whose networks contain the address, narrowest first. */
  *networks(name: string, address: Address): Iterable<Row> {
    const { below, found } = this.statements;
    const { family, bytes } = address;
    // The next candidate has a smaller key than this.
    let limit: Uint8Array = networkKey({ family, bytes, prefix: bytes.length * 8 + 1 });
    for (;;) {
      const key = below.get(name, limit) as Uint8Array | undefined;
      if (key === undefined) return;
      const network = networkOfKey(key);
      if (network === null) {
        // A key that no command wrote grants nothing: skip it.
        limit = key;
        continue;
      }
      if (network.family !== family) return;
      const shared = commonPrefix(network.bytes, bytes);
      if (shared >= network.prefix) {
        // A row may have been copied with its key and then edited, so the network must match the key.
        const row = found.get(name, key, formatNetwork(network)) as Row | undefined;
        if (row !== undefined) yield row;
      }
      const longest = Math.min(shared, network.prefix - 1);
      if (longest < 0) return;
      limit = networkKey({ family, bytes: truncate(address, longest).bytes, prefix: longest + 1 });
    }
  }
}
