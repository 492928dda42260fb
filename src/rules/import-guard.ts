// Checks that an import does no harm: a truncated list must not lock everybody out, and no entry may name a set that
// does not exist.
import { shellWord, Trouble } from '../failure';
import type { Connection } from './database';
import type { ImportOptions } from './import';
import { nameColumn, type Table } from './schema';

/** Numbers of rows. */
export type TableCounts = Record<Table, number>;

export const sum = ({ access, network_set }: TableCounts) => access + network_set;

/** Counts the rows that a replacement could remove. */
export function countReplaceable(connection: Connection, { tables, set }: ImportOptions): TableCounts {
  const count = (table: Table) => {
    const sql = `select count(*) from ${table} where not local and (@set is null or ${nameColumn(table)} = @set)`;
    return tables.includes(table)
      ? (connection
          .prepare(sql)
          .pluck()
          .get({ set: set ?? null }) as number)
      : 0;
  };
  return { access: count('access'), network_set: count('network_set') };
}

/**
 * Refuses a replacement by an empty input, and one that removes more than half of the rows; else null. `there`: the
 * rows before; `gone`: the removed ones.
 */
export function guard(
  connection: Connection,
  { tables, set }: ImportOptions,
  there: TableCounts,
  gone: TableCounts,
): Trouble | null {
  const main = tables.includes('access') ? 'access' : 'network_set';
  if (connection.prepare('select 1 from incoming where of = ? limit 1').get(main) === undefined) {
    return refused(
      `the input has no ${set === undefined ? 'entry' : 'network'}`,
      `nothing was changed; to remove all ${set === undefined ? 'entries' : 'networks'} add --force`,
    );
  }
  if (gone[main] * 2 <= there[main] && sum(gone) * 2 <= sum(there)) return null;
  const what = main === 'access' ? 'entries' : 'networks';
  const sets = main === 'access' && gone.network_set > 0 ? ` and ${gone.network_set} networks of sets` : '';
  return refused(
    `the input would remove ${gone[main]} of ${there[main]} ${what}${sets}`,
    'nothing was changed; --dry-run shows what would be, --force does it',
  );
}

/** Call this after the change. Throws Trouble if an entry of the input, or a local one, names a missing set. */
export function checkSets(connection: Connection, removed: Iterable<string>): void {
  const missing = (name: string) => `not exists (select 1 from network_set s where s.name = ${name})`;
  const entry = connection
    .prepare(
      `select line, substr(network, 2) as name from incoming i
       where of = 'access' and network glob '@*' and ${missing('substr(i.network, 2)')} order by line limit 1`,
    )
    .get() as { line: number; name: string } | undefined;
  if (entry !== undefined) {
    const hint = `make it first: allow-nets set add ${shellWord(entry.name)} NETWORK; or add --force, and its entries grant nothing`;
    throw refused(`line ${entry.line}: there is no set ${entry.name}`, hint);
  }
  const owner = connection
    .prepare(`select user from access where local and network = '@' || @name and ${missing('@name')} limit 1`)
    .pluck();
  for (const name of removed) {
    const user = owner.get({ name });
    if (user === undefined) continue;
    throw refused(
      `the input has no set ${name}, which the local entry of ${user} names`,
      `keep it on this server with: allow-nets set add ${shellWord(name)} NETWORK --local`,
    );
  }
}

function refused(problem: string, hint: string): Trouble {
  return new Trouble({ kind: 'refused', problem, hint });
}
