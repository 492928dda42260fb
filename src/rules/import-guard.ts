// Refuses an import that would lock users out: a truncated list must not do so, and no entry may name a set that does not
// exist.
import { refusal, shellWord, type Trouble } from '../failure';
import type { Connection } from './database';
import type { Table } from './schema';

/** A number of rows of each table. */
export type TableCounts = Record<Table, number>;

const sum = ({ access, network_set }: TableCounts) => access + network_set;

/**
 * Refuses a replacement by an empty input, and one that removes more than half of the rows; else null. `replaceable`:
 * the number of rows that it could remove; `removed`: the number that it did remove.
 */
export function guard(
  connection: Connection,
  tables: readonly Table[],
  replaceable: TableCounts,
  removed: TableCounts,
): Trouble | null {
  const main = tables.includes('access') ? 'access' : 'network_set';
  const [one, many] = main === 'access' ? ['entry', 'entries'] : ['network', 'networks'];
  if (connection.prepare('select 1 from incoming where of = ? limit 1').get(main) === undefined) {
    return refusal(`the input has no ${one}`, `nothing was changed; to remove all ${many}, run this once with --force`);
  }
  if (removed[main] * 2 <= replaceable[main] && sum(removed) * 2 <= sum(replaceable)) return null;
  const sets = main === 'access' && removed.network_set > 0 ? ` and ${removed.network_set} networks of sets` : '';
  return refusal(
    `the input would remove ${removed[main]} of ${replaceable[main]} ${many}${sets}`,
    'nothing was changed; --dry-run shows what would be, --force does it',
  );
}

/** Throws Trouble if an entry of the input names a missing set, or a local one a set that was removed. */
export function checkSets(connection: Connection, removed: Iterable<string>): void {
  const missing = (name: string) => `not exists (select 1 from network_set s where s.name = ${name})`;
  const sql = `select line, substr(network, 2) as name from incoming i
    where of = 'access' and network glob '@*' and ${missing('substr(i.network, 2)')} order by line limit 1`;
  const entry = connection.prepare(sql).get() as { line: number; name: string } | undefined;
  if (entry !== undefined) {
    const hint = `make it first: allow-nets set add ${shellWord(entry.name)} NETWORK; or add --force, and its entries grant nothing`;
    throw refusal(`line ${entry.line}: there is no set ${entry.name}`, hint);
  }
  const named = `select user from access where local and network = '@' || @name and ${missing('@name')} limit 1`;
  const owner = connection.prepare(named).pluck();
  for (const name of removed) {
    const user = owner.get({ name });
    if (user === undefined) continue;
    throw refusal(
      `the input has no set ${name}, which the local entry of ${user} names`,
      `keep it on this server with: allow-nets set add ${shellWord(name)} NETWORK --local`,
    );
  }
}
