// The rows of an input into the database, in one transaction: added to what is there, or in its place. Only rows that differ are
// written; without a difference nothing is, so that running policy programs keep what they remember.
//
// A replacement that would take away more than half of the entries, or all, is refused unless forced: a pipe cut short must not lock
// everybody out.
import { Trouble } from '../failure';
import type { Connection } from './database';
import { type Counts, findDifference, NONE } from './difference';
import { hasRows } from './entries';
import { makeDifference, type Writing } from './make-difference';
import { meaningOf } from './meaning';
import type { Table } from './schema';
import { nameColumn } from './schema';
import type { Staging } from './staging';

export interface Manner extends Writing {
  /** Find out what would change, and change nothing. */
  readonly dryRun: boolean;
  /** Also when more than half of the entries would go, or sets are missing. */
  readonly force: boolean;
  /** Whether the input speaks of sets; else they stay as they are. */
  readonly hasSets: boolean;
}

export interface Outcome {
  readonly access: Counts;
  readonly network_set: Counts;
  /** Rows of the input that were there already, as they are. */
  readonly unchanged: number;
  /** Rows of the input that mean the same as another one. */
  readonly repeated: number;
  /** Of a dry run: why it would be refused. */
  readonly refusal: Trouble | null;
}

/** Another program has changed the database between the reading of the input and the change: it can be done anew. */
export class Overtaken extends Trouble {
  constructor() {
    const problem = 'another program changed the database while the rows were read';
    super({ kind: 'refused', problem, hint: 'nothing was changed; run it again' });
  }
}

/**
 * `seen` is called with the difference found and before it is made, and may read it with `eachDifference`.
 * Throws Trouble: refused by the guard, overtaken, or a set that does not exist.
 *
 * To find the difference can take seconds, in which nobody else is to wait: it is found before the write lock is taken, and counts only
 * if nothing has changed until then.
 */
export function bringIn(
  connection: Connection,
  staging: Staging,
  manner: Manner,
  seen: (outcome: Outcome) => void = () => {},
): Outcome {
  const repeated = staging.finish();
  const find = () => differenceOf(connection, staging, manner, repeated);
  if (manner.dryRun) {
    const look = () => {
      const outcome = find();
      seen(outcome);
      return outcome;
    };
    return connection.transaction(look).deferred();
  }
  const change = (found: Found | null): Outcome | null => {
    if (found !== null && versionOf(connection) !== found.version) return null;
    const outcome = found?.outcome ?? find();
    if (outcome.refusal !== null) throw outcome.refusal;
    seen(outcome);
    for (const table of tablesOf(manner)) makeDifference(connection, table, manner, outcome[table]);
    if (outcome.network_set.removed > 0 && !manner.force) requireLocalSets(connection);
    return outcome;
  };
  for (let tries = 0; tries < TRIES; tries++) {
    const version = versionOf(connection);
    const outcome = find();
    if (isNothing(outcome) && outcome.refusal === null && versionOf(connection) === version) {
      seen(outcome);
      return outcome;
    }
    const changed = connection.transaction(change).immediate({ version, outcome });
    if (changed !== null) return changed;
  }
  // Others change it all the time: now they have to wait.
  return connection.transaction(change).immediate(null) as Outcome;
}

/** A difference, and of which state of the database it is. */
interface Found {
  readonly version: unknown;
  readonly outcome: Outcome;
}

/** So often the difference is found without holding others up. */
const TRIES = 3;

/** Another one when another program has changed the database. */
function versionOf(connection: Connection): unknown {
  return connection.pragma('data_version', { simple: true });
}

function tablesOf({ hasSets }: Manner): Table[] {
  return hasSets ? ['access', 'network_set'] : ['access'];
}

function isNothing(outcome: Outcome): boolean {
  return [outcome.access, outcome.network_set].every(
    ({ added, changed, removed }) => added + changed + removed === 0,
  );
}

/** Finds the difference (difference.ts), and whether the guard refuses to make it. */
function differenceOf(connection: Connection, staging: Staging, manner: Manner, repeated: number): Outcome {
  for (const known of Object.values(staging.known)) if (known?.isCurrent() === false) throw new Overtaken();
  requireSets(connection, staging, manner);
  staging.forgetDifference();
  const counts = { access: NONE, network_set: NONE };
  const tables = tablesOf(manner);
  for (const table of tables) {
    const isCompared = staging.known[table] !== null;
    counts[table] = findDifference(connection, table, manner.replace, manner.now, isCompared);
  }
  const refusal = manner.replace && !manner.force ? guard(connection, staging, counts) : null;
  const staged = staging.count.access + (manner.hasSets ? staging.count.network_set : 0) - repeated;
  const written = tables.reduce((sum, table) => sum + counts[table].added + counts[table].changed, 0);
  return { ...counts, repeated, unchanged: staged - written, refusal };
}

/** The sets that rows of the input name must exist when all is done. */
function requireSets(connection: Connection, staging: Staging, { replace, hasSets, force }: Manner): void {
  if (force) return;
  const seen = "rowid not in (select id from unseen where of = 'network_set')";
  const stays =
    !replace || !hasSets ? '1' : staging.known.network_set !== null ? `(local or ${seen})` : 'local';
  const exists = connection.prepare(
    `select 1 from network_set where ${stays} and name = ? union all
     select 1 from incoming where of = 'network_set' and name = ? limit 1`,
  );
  for (const [name, line] of staging.references) {
    if (exists.get(name, name) !== undefined) continue;
    throw new Trouble({
      kind: 'refused',
      problem: `line ${line}: there is no set ${name}`,
      hint: `make it first: allow-nets set add ${name} NETWORK; or add --force, and its entries grant nothing`,
    });
  }
}

/** A row with a local mark, which stays, must not lose the set that it names. */
function requireLocalSets(connection: Connection): void {
  const rows = connection.prepare("select user, network from access where local and network glob '*@*'");
  for (const { user, network } of rows.all() as { user: string; network: string }[]) {
    const meaning = meaningOf('access', network);
    if (meaning?.kind !== 'set' || hasRows(connection, 'network_set', meaning.name)) continue;
    throw refused(
      `the input has no set ${meaning.name}, which the local entry of ${user} names`,
      `keep it on this server with: allow-nets set add ${meaning.name} NETWORK --local`,
    );
  }
}

function guard(connection: Connection, staging: Staging, counts: Record<Table, Counts>): Trouble | null {
  if (staging.count.access === 0) {
    return refused('the input has no entry', 'nothing was changed; to remove all entries add --force');
  }
  const count = (table: Table) =>
    staging.known[table]?.count ??
    (connection.prepare(`select count(*) from ${table} where not local`).pluck().get() as number);
  const entries = count('access');
  const gone = counts.access.removed;
  const all = entries + count('network_set');
  if (gone * 2 > entries || (gone + counts.network_set.removed) * 2 > all) {
    return refused(
      `the input would remove ${gone} of ${entries} entries${counts.network_set.removed > 0 ? ` and ${counts.network_set.removed} networks of sets` : ''}`,
      'nothing was changed; --dry-run shows what would be, --force does it',
    );
  }
  return null;
}

function refused(problem: string, hint: string): Trouble {
  return new Trouble({ kind: 'refused', problem, hint });
}

export interface Difference {
  readonly table: Table;
  readonly what: 'add' | 'change' | 'remove';
  readonly name: string;
  readonly network: string;
}

/** What is to be done, one row at a time. */
export function* eachDifference(connection: Connection): Iterable<Difference> {
  for (const table of ['network_set', 'access'] as const) {
    const name = nameColumn(table);
    const incoming = 'i.name as name, i.network as network from incoming i';
    const rows = connection.prepare(
      `select 'remove' as what, t.${name} as name, t.network as network from gone g, ${table} t
         where g.of = '${table}' and not g.twin and t.rowid = g.id
       union all select 'change', ${incoming}, altered a where a.of = '${table}' and i.rowid = a.staged
       union all select 'add', ${incoming}, fresh f where f.of = '${table}' and i.rowid = f.staged
       order by 2, 3`,
    );
    for (const row of rows.iterate()) yield { table, ...(row as Omit<Difference, 'table'>) };
  }
}
