// What keeps an import from doing harm: a list that was cut short must not lock everybody out, and no entry may name a set that is not
// there. All is asked before anything is written, of the difference that import.ts has found.
import { shellWord, Trouble } from '../failure';
import type { Connection } from './database';
import type { ImportOptions } from './import';
import { nameColumn, type Table } from './schema';

/** Why a replacement is refused unless forced, or null: nothing is left, or more than half of the rows would go. */
export function guard(connection: Connection, { tables, set }: ImportOptions): Trouble | null {
  const count = (sql: string, ...values: unknown[]) =>
    connection.prepare(`select count(*) from ${sql}`).pluck().get(values) as number;
  const [main = 'access'] = tables.includes('access') ? (['access'] as const) : tables;
  if (count(`incoming_${main}`) === 0) {
    return refused(
      `the input has no ${set === undefined ? 'entry' : 'network'}`,
      `nothing was changed; to remove all ${set === undefined ? 'entries' : 'networks'} add --force`,
    );
  }
  const gone = (table: Table) => count("difference where what = 'remove' and of = ?", table);
  const there = (table: Table) =>
    set === undefined
      ? count(`${table} where not local`)
      : count(`${table} where not local and ${nameColumn(table)} = ?`, set);
  const sum = (of: (table: Table) => number) => tables.reduce((total, table) => total + of(table), 0);
  if (gone(main) * 2 <= there(main) && sum(gone) * 2 <= sum(there)) return null;
  const sets = main === 'access' && tables.length > 1 ? gone('network_set') : 0;
  return refused(
    `the input would remove ${gone(main)} of ${there(main)} ${main === 'access' ? 'entries' : 'networks'}${sets > 0 ? ` and ${sets} networks of sets` : ''}`,
    'nothing was changed; --dry-run shows what would be, --force does it',
  );
}

/** Throws Trouble when an entry of the input, or a local one, which stays, names a set that will not be there. */
export function checkSets(connection: Connection, { tables, replace, set }: ImportOptions): void {
  const replaced = replace && tables.includes('network_set') && set === undefined;
  const missing = (network: string) => `${network} glob '@*'
    and not exists (select 1 from incoming_network_set s where s.name = substr(${network}, 2))
    and not exists (select 1 from network_set s where s.name = substr(${network}, 2) ${replaced ? 'and s.local' : ''})`;
  const first = (sql: string) => connection.prepare(sql).get() as Record<'owner' | 'name', string> | undefined;
  const entry = first(
    `select i.line as owner, substr(network, 2) as name from incoming_access i where ${missing('i.network')} order by line limit 1`,
  );
  if (entry !== undefined) {
    const hint = `make it first: allow-nets set add ${shellWord(entry.name)} NETWORK; or add --force, and its entries grant nothing`;
    throw refused(`line ${entry.owner}: there is no set ${entry.name}`, hint);
  }
  const local = first(
    `select user as owner, substr(network, 2) as name from access a where local and ${missing('a.network')}
       and substr(network, 2) in (select name from difference where of = 'network_set') limit 1`,
  );
  if (local === undefined) return;
  throw refused(
    `the input has no set ${local.name}, which the local entry of ${local.owner} names`,
    `keep it on this server with: allow-nets set add ${shellWord(local.name)} NETWORK --local`,
  );
}

function refused(problem: string, hint: string): Trouble {
  return new Trouble({ kind: 'refused', problem, hint });
}
