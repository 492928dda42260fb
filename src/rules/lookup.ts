// Looks up the rules of an open database with a few index seeks, however many entries there are.
//
// The networks that contain an address are few: one of each prefix length. Rows that a command wrote have the canonical
// text of their network, so these texts are looked up. Other rows of a name (sets, words, and hand-written rows, in
// whatever spelling) are read one by one. An unreadable row is an entry but grants nothing.

import type { Connection, Statement } from './database';
import { foldName, meaningOf, type Word, wordOf } from './meaning';
import { type Address, networksAround } from './network';
import { byHand, nameColumn, type Table } from './schema';

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

  function* covering(subject: string, others: readonly Row[], address: Address): Iterable<Entry> {
    const networks = JSON.stringify(networksAround(address));
    for (const row of others) {
      // Null for a network that does not contain the address.
      const meaning = meaningOf('access', row.network, address);
      if (meaning?.kind === 'set') yield* coveringOf(meaning.name, row, address, networks);
      else if (meaning?.kind === 'network' || meaning?.kind === 'any') yield entryOf(row);
    }
    // Many subjects have sets and no networks.
    if (others.length > 0 && !access.hasNetworks(subject)) return;
    for (const row of access.networks(subject, networks)) yield entryOf(row);
  }

  /** The networks of a set that contain the address, as entries of the subject that names the set. */
  function* coveringOf(set: string, { expires }: Row, address: Address, networks: string): Iterable<Entry> {
    for (const { network } of sets.others(set)) {
      if (meaningOf('network_set', network, address) !== null) yield { network: network.trim(), set, expires };
    }
    for (const { network } of sets.networks(set, networks)) yield { network, set, expires };
  }

  return {
    of(subject) {
      const others = access.others(subject);
      if (others.length === 0 && !access.hasNetworks(subject)) return null;
      const directives = (word: Word) => others.filter(({ network }) => wordOf(network) === word).map(entryOf);
      return {
        blocks: directives('none'),
        inherits: directives('inherit'),
        covering: (address) => covering(subject, others, address),
      };
    },
  };
}

/** The SQL statements of a lookup. Exported for a test of their query plans. */
export function lookupSql(table: Table) {
  const name = nameColumn(table);
  const rows = `select ${name} as name, network, ${table === 'access' ? 'expires' : 'null as expires'} from`;
  const ofName = `${table} where ${name} = @name`;
  const isSet = "network >= '@' and network < 'A'";
  return {
    hasNetworks: `select 1 from ${ofName} and not (${isSet}) limit 1`,
    // The sets of the name; its words; its hand-written rows.
    others: `${rows} ${ofName} and ${isSet} and not (${byHand(table)}) union all
      ${rows} ${ofName} and network in ('any', 'inherit', 'none') and not (${byHand(table)}) union all
      ${rows} ${ofName} collate nocase and ${byHand(table)}`,
    networks: `${rows} json_each(@networks) as wanted cross join ${ofName} and network = wanted.value
      and not (${byHand(table)})`,
  };
}

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
    const { hasNetworks, others, networks } = lookupSql(table);
    this.statements = {
      hasNetworks: connection.prepare(hasNetworks),
      others: connection.prepare(others),
      networks: connection.prepare(networks),
    };
  }

  /** Whether a name has other rows than sets. */
  hasNetworks(name: string): boolean {
    return this.statements.hasNetworks.get({ name }) !== undefined;
  }

  /** The rows of a name that have no canonical network: sets, words, and rows of other SQLite clients. */
  others(name: string): Row[] {
    const rows = this.statements.others.all({ name }) as Row[];
    // SQLite's nocase comparison stops at the first NUL.
    return rows.filter((row) => typeof row.name === 'string' && foldName(row.name) === name);
  }

  /** The canonical rows of a name with one of these networks, in their order. `networks`: a JSON array of texts. */
  networks(name: string, networks: string): Row[] {
    return this.statements.networks.all({ name, networks }) as Row[];
  }
}
