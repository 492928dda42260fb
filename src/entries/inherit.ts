// Keeps track of which subjects decide for a user when entries are added or removed, and manages the entry `inherit`,
// by which the next wider subject also decides.

import { decidingSubjects, subjectsOf } from '../policy/decide';
import type { Connection } from '../rules/database';
import { deleteRows, eachRowOf, hasRows, isExpired, namesFrom, type Row, rowWriter } from '../rules/entries';
import { rulesOf } from '../rules/lookup';
import { EVERYBODY, foldName, hasExpired, meaningOf } from '../rules/meaning';
import { problemOf } from './row-fault';

/** A message about a login name without a domain names at most this many domains. */
const NAMED_DOMAINS = 3;

/** Who added an entry, and when. */
export interface Origin {
  readonly addedAt: string;
  readonly addedBy: string;
  readonly local?: boolean;
}

/**
 * Writes `inherit` for a user (or domain) for whom a wider subject decides, so that the first own entry takes nothing
 * away. Blocks are not counted as own entries. `inherit` never expires, because it must outlive that entry. Returns the
 * wider subjects; none if nothing was written.
 */
export function inheritWider(connection: Connection, user: string, origin: Origin): string[] {
  for (const row of eachRowOf(connection, 'access', user)) if (kindOf(row) !== 'none') return [];
  const inherited = subjectsOf(user)
    .slice(1)
    .filter((subject) => subject !== user && hasRows(connection, 'access', subject));
  // For a login name without a domain, the entries of any domain may decide.
  const isLogin = !user.includes('@') && user !== EVERYBODY;
  const domains = isLogin ? [...namesFrom(connection, 'access', '@')].slice(0, NAMED_DOMAINS) : [];
  const wider = isLogin ? [...domains, ...inherited] : inherited.slice(0, 1);
  if (wider.length > 0) {
    rowWriter(connection, 'access')({ user, meaning: { kind: 'inherit' }, note: null, expires: null, ...origin });
  }
  return wider;
}

const kindOf = ({ network }: Row) => meaningOf('access', network)?.kind;

export interface Removal {
  /** The removed rows, including every `inherit` that would have been left alone. */
  readonly rows: readonly Row[];
  /** One sentence for each user whose outcome changed: who decides now. */
  readonly changes: readonly string[];
}

/** Removes rows of `access`; call it in a transaction. `now`: ms since 1970. */
export function removeEntries(connection: Connection, rows: readonly Row[], now: number): Removal {
  const users = [...new Set(rows.map(({ user }) => foldName(String(user))))];
  const before = users.map((user) => decidersOf(connection, user, now));
  deleteRows(connection, 'access', rows);
  const lone = users.flatMap((user) => deleteLoneInherit(connection, user, now));
  const changes = users.flatMap((user, i) => {
    const after = decidersOf(connection, user, now);
    return JSON.stringify(after) === JSON.stringify(before[i]) ? [] : [decidersText(user, after)];
  });
  return { rows: [...rows, ...lone], changes };
}

/** Deletes `inherit` if a user has no other entry, as it then means the same as no entry. Returns the deleted rows. */
function deleteLoneInherit(connection: Connection, user: string, now: number): Row[] {
  const rows: Row[] = [];
  for (const row of eachRowOf(connection, 'access', user)) {
    if (kindOf(row) !== 'inherit' || isExpired(row, now)) return [];
    rows.push(row);
  }
  deleteRows(connection, 'access', rows);
  return rows;
}

/** The subjects whose entries decide for a user, narrowest first, and the outcome. */
export interface Deciders {
  readonly subjects: readonly string[];
  readonly state: 'blocked' | 'in force' | 'nothing in force';
}

/** `user`: a user, a domain or `*`. `now`: ms since 1970. */
export function decidersOf(connection: Connection, user: string, now: number): Deciders {
  const subjects = new Set<string>();
  let state: Deciders['state'] = 'nothing in force';
  for (const { subject, entries } of decidingSubjects(user, rulesOf(connection), now)) {
    subjects.add(subject);
    const isBlocked = entries.blocks.some(({ expires }) => !hasExpired(expires, now));
    if (isBlocked) return { subjects: [...subjects], state: 'blocked' };
    if (grantsAnything(connection, subject, now)) state = 'in force';
  }
  return { subjects: [...subjects], state };
}

/** Whether an entry of the subject that is in force grants a network. */
export function grantsAnything(connection: Connection, subject: string, now: number): boolean {
  const hasSet = (name: string) => hasRows(connection, 'network_set', name);
  for (const row of eachRowOf(connection, 'access', subject)) {
    const isDirective = ['none', 'inherit'].includes(kindOf(row) ?? '');
    if (!isDirective && !isExpired(row, now) && problemOf('access', row, hasSet) === null) return true;
  }
  return false;
}

function decidersText(user: string, { subjects, state }: Deciders): string {
  const [first, ...wider] = subjects;
  if (first === undefined) return `${user} has no entry left, and no wider one: it is refused from everywhere`;
  const last = subjects.at(-1) ?? first;
  if (state === 'blocked') {
    return last === user ? `${user} is blocked` : `the entries of ${last} now block ${user}`;
  }
  if (state === 'nothing in force') {
    return `all entries of ${subjects.join(' and ')} have expired or grant nothing: ${user} is refused from everywhere`;
  }
  if (first !== user) return `${user} has no entry left: the entries of ${subjects.join(' and ')} decide now`;
  if (wider.length === 0) return `only the entries of ${user} decide now`;
  return `the entries of ${user} decide now, and by inherit those of ${wider.join(' and ')}`;
}
