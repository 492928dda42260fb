// Explains a verdict for `check`: which subject decides, which entries match or do not, and who added them.

import { untilText } from '../cli/time';
import { subjectsOf, type Verdict } from '../policy/decide';
import type { Connection } from '../rules/database';
import { eachRowOf, hasRows, isExpired, type Row } from '../rules/entries';
import { type Entry, rulesOf } from '../rules/lookup';
import { expiryMoment, foldName, formatInstant, meaningOf } from '../rules/meaning';
import { type Address, parseAddress } from '../rules/network';
import { problemOf } from './row-fault';

/** At most this many entries of a subject are listed. */
const MOST_ENTRIES = 10;

/** Explains the verdict, one statement per string. `now`: ms since 1970. */
export function reasons(
  connection: Connection,
  verdict: Verdict,
  user: string,
  address: string,
  now: number,
): string[] {
  if (verdict.kind === 'no-user') return ['no SASL user: the restrictions that follow decide'];
  const { subject, entry, passed } = verdict;
  if (subject === null) return [`no entry for ${[...new Set(subjectsOf(user))].join(', ')}`];
  const rules = rulesOf(connection);
  const client = parseAddress(address);

  /** The entries of a subject that contain the address. If the subject refuses, they have all expired. */
  const covering = (name: string): Entry[] =>
    client === null ? [] : [...(rules.of(name)?.covering(client) ?? [])].slice(0, MOST_ENTRIES);
  const expiredMatches = (name: string) =>
    covering(name).map((one) => {
      const fault = Number.isFinite(expiryMoment(one.expires)) ? 'this had not expired' : 'its time could be read';
      return `it would be allowed if ${fault}: ${entryText(connection, name, one)}`;
    });
  const lines = passed.flatMap((name) => [
    `no entry of ${name} allows the address; its entry inherit hands the decision on to the next wider subject`,
    ...expiredMatches(name),
  ]);
  lines.push(`the entries of ${subject} decide${subject === foldName(user) ? '' : ` for ${user}`}`);
  if (entry !== null && (verdict.kind === 'allowed' || verdict.why === 'blocked')) {
    const outcome = verdict.kind === 'allowed' ? 'allowed' : 'blocked';
    return [...lines, `${outcome} by ${entryText(connection, subject, entry)}`];
  }
  if (client === null) return [...lines, `${address} is not an IP address, so it is in no network`];

  lines.push(...expiredMatches(subject), ...unmatched(connection, subject, client, covering(subject), now));
  for (const name of subjectsOf(user).slice(subjectsOf(user).indexOf(subject) + 1)) {
    const one = covering(name).find(({ expires }) => now < expiryMoment(expires));
    if (one) lines.push(`${name} has ${entryName(one)}, which does not count: ${subject} has own entries`);
  }
  return lines;
}

/** The entries of a subject that do not contain the address. `covering`: those that do. */
function unmatched(
  connection: Connection,
  subject: string,
  address: Address,
  covering: readonly Entry[],
  now: number,
): string[] {
  const sets = covering.map(({ set }) => set);
  const lines: string[] = [];
  for (const row of eachRowOf(connection, 'access', subject)) {
    const meaning = meaningOf('access', row.network, address);
    if (meaning !== null && (meaning.kind !== 'set' || sets.includes(meaning.name))) continue;
    if (lines.length === MOST_ENTRIES) return [...lines, 'nor in its other entries'];
    const expired = isExpired(row, now) ? `expired on ${formatInstant(expiryMoment(row.expires))}` : null;
    const state = problemOf('access', row, (name) => hasRows(connection, 'network_set', name)) ?? expired;
    lines.push(`not in ${row.network}${originText(row)}${state === null ? '' : `: ${state}`}`);
  }
  return lines;
}

function entryName({ network, set }: Entry): string {
  return set === null ? network : `${network} of @${set}`;
}

function entryText(connection: Connection, subject: string, entry: Entry): string {
  const sql = 'select note, added_at as addedAt, added_by as addedBy from access where user = ? and network = ?';
  const { network, set, expires } = entry;
  const row = connection.prepare(sql).get(subject, set === null ? network : `@${set}`) as Row | undefined;
  return `${entryName(entry)}${untilText(expires).replace(/^ /, ', ')}${row ? originText(row) : ''}`;
}

function originText({ note, addedAt, addedBy }: Pick<Row, 'note' | 'addedAt' | 'addedBy'>): string {
  const who = `${addedBy === null ? '' : ` by ${addedBy}`}${addedAt === null ? '' : ` on ${addedAt}`}`;
  return `${who && `, added${who}`}${note === null ? '' : ` (${note})`}`;
}
