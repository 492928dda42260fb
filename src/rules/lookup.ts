// The rules of one open database, as the decision asks for them: a few seeks in an index, however many entries there are.
//
// Networks are ordered by their binary key. From the last network that is not above the address, the next that can contain it is at
// most as long as the prefix that the two share; so one seek leads to the next candidate, and one to three are the rule.
// Rows written by hand are looked for apart (hand-rows.ts). A row that cannot be read is an entry, and grants nothing.
import type { Entry, Rules } from '../policy/decide';
import type { Address } from './address';
import type { Connection } from './database';
import { Found } from './found';
import { granting, HandRows, handRow } from './hand-rows';
import { keyAbove, LONGEST, lowerKey, networkOfKey, prefixOfKey, sharedWithKey } from './key';
import { Prepared } from './prepared';
import { FIRST_NETWORK, type Table } from './schema';

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

/** What the statements of a look-up are, for the table: exported so that a test can look at their query plans. */
export function lookupSql(table: Table) {
  const [name, expires] = table === 'access' ? ['user', 'expires'] : ['name', 'null'];
  const keyed = `from ${table} where ${name} = ? and key`;
  return {
    below: `select key, ${expires} ${keyed} < ? order by key desc limit 1`,
    special: `select network, ${expires} ${keyed} < x'02'`,
    any: `select 1 ${keyed} is not null limit 1`,
  };
}

class Lookup {
  private readonly statements: Prepared<keyof ReturnType<typeof lookupSql>>;
  private readonly handRows: HandRows;
  /** The name that an entry was last found for, so that `has` after `covering` need not look again. */
  private found: string | null = null;

  constructor(connection: Connection, table: Table) {
    this.statements = new Prepared(connection, () => lookupSql(table));
    this.handRows = new HandRows(connection, table);
  }

  has(name: string): boolean {
    if (this.found === name || this.statements.get('any').get(name) !== undefined) return true;
    return this.handRows.of(name).length > 0;
  }

  *covering(name: string, address: Address): Iterable<Found> {
    const below = this.statements.get('below');
    const bound = keyAbove(address);
    for (let prefix = LONGEST[address.family]; ; ) {
      const row = below.get(name, prefix < 0 ? FIRST_NETWORK : bound) as [Buffer, unknown] | undefined;
      if (row === undefined) break;
      this.found = name;
      const [key, expires] = row;
      const own = prefixOfKey(key, address.family);
      if (own < 0) {
        const special = this.statements.get('special').all(name) as [string, unknown][];
        yield* granting(
          special.map(([text, expires]) => handRow(text, expires)),
          address,
        );
        break;
      }
      const shared = sharedWithKey(key, address);
      if (shared >= own) yield new Found(networkOfKey(key, address.family), expires);
      // Always shorter, also should a key not fit its network.
      prefix = Math.min(shared >= own ? own : shared + 1, prefix) - 1;
      if (prefix >= 0) lowerKey(bound, prefix);
    }
    const byHand = this.handRows.of(name);
    if (byHand.length > 0) yield* granting(byHand, address);
  }

  forget(): void {
    this.handRows.forget();
    this.found = null;
  }
}
