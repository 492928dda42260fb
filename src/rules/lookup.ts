// The rules of one open database, as the decision asks for them: a few seeks in an index, however many entries there are.
//
// Networks are ordered by their binary key. From the last network that is not above the address, the next that can contain it is at
// most as long as the prefix that the two share; so one seek leads to the next candidate. After the first three, the prefix lengths
// that the name has at all tell which others there can be.
// Rows written by hand are looked for apart (hand-rows.ts). A row that cannot be read is an entry, and grants nothing.
import type { Entry, Rules } from '../policy/decide';
import type { Address, Family } from './address';
import type { Connection } from './database';
import { Found } from './found';
import { granting, HandRows, handRow } from './hand-rows';
import { keyAbove, LONGEST, lowerKey, networkOfKey, prefixOfKey, sharedWithKey } from './key';
import { Prepared } from './prepared';
import { FIRST_NETWORK, type Table } from './schema';

/** After how many networks it is found out which prefix lengths the name has. */
const MANY_SEEKS = 3;

/** For how many names of a family their prefix lengths are kept. */
const KEPT_LENGTHS = 100;

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
    length:
      `select substr(key, -1) ${keyed} is not null and substr(key, 1, 1) = ? and substr(key, -1) < ? ` +
      'order by substr(key, -1) desc limit 1',
    any: `select 1 ${keyed} is not null limit 1`,
  };
}

class Lookup {
  private readonly statements: Prepared<keyof ReturnType<typeof lookupSql>>;
  private readonly handRows: HandRows;
  /** The name that an entry was last found for, so that `has` after `covering` need not look again. */
  private found: string | null = null;
  /** The prefix lengths of names that many networks lie close to each other for. */
  private readonly lengths = { 4: new Map<string, number[]>(), 6: new Map<string, number[]>() };

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
    let from: Uint8Array = bound;
    let seeks = 0;
    for (let prefix = LONGEST[address.family]; ; ) {
      const row = below.get(name, prefix < 0 ? FIRST_NETWORK : from) as [Buffer, unknown] | undefined;
      if (row === undefined) break;
      this.found = name;
      const [key, expires] = row;
      const own = prefixOfKey(key, address.family);
      if (own < 0 && key[0] === address.family) {
        // Something else than a command wrote that key: it grants nothing, and hides nothing.
        from = key;
        continue;
      }
      if (own < 0) {
        const special = this.statements.get('special').all(name) as [string, unknown][];
        yield* granting(
          special.map(([text, expires]) => handRow(text, expires)),
          address,
        );
        break;
      }
      const shared = sharedWithKey(key, address);
      if (shared >= own) yield new Found(networkOfKey(key, address.family, own), expires);
      // Always shorter, also should a key not fit its network.
      prefix = Math.min(shared >= own ? own : shared + 1, prefix) - 1;
      prefix = this.longest(name, address.family, prefix, ++seeks);
      if (prefix >= 0) lowerKey(bound, prefix);
      from = bound;
    }
    const byHand = this.handRows.of(name);
    if (byHand.length > 0) yield* granting(byHand, address);
  }

  /**
   * The longest prefix of `most` bits at the most that a network of the name and family has, or -1; `most` itself as long as too few
   * networks were in the way for it to be worth while to find out.
   */
  private longest(name: string, family: Family, most: number, seeks: number): number {
    const known = this.lengths[family];
    let lengths = known.get(name);
    if (lengths === undefined) {
      if (seeks < MANY_SEEKS) return most;
      lengths = this.lengthsOf(name, family);
      if (known.size >= KEPT_LENGTHS) known.clear();
      known.set(name, lengths);
    }
    return lengths.find((length) => length <= most) ?? -1;
  }

  /** All prefix lengths, the longest first. */
  private lengthsOf(name: string, family: Family): number[] {
    const shorter = this.statements.get('length');
    const lengths: number[] = [];
    for (let last = 255; ; ) {
      const row = shorter.get(name, Uint8Array.of(family), Uint8Array.of(last)) as [Buffer] | undefined;
      if (row === undefined) return lengths;
      last = row[0][0] ?? 0;
      lengths.push(last);
    }
  }

  forget(): void {
    this.handRows.forget();
    for (const known of Object.values(this.lengths)) known.clear();
    this.found = null;
  }
}
