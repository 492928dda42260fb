// Why a user is let in from an address or not, in words for `check`: the deciding subject, the entry that matched or those that did not, who
// added them, and what stood in the way when it was one thing only.

import { unreachable } from '../failure';
import type { Entry, Refusal, Verdict } from '../policy/decide';
import { type Family, parseAddress } from '../rules/address';
import type { Connection } from '../rules/database';
import { countRows, eachRowOf, hasRows, isExpired, problemOf, type Row } from '../rules/entries';
import { expiryMoment, formatInstant } from '../rules/expiry';
import { rulesOf } from '../rules/lookup';
import { meaningOf, meaningText } from '../rules/meaning';
import { foldName, subjectsOf } from '../rules/subject';
import { momentText } from './time';

/** The verdict in words, one statement each. */
export function reasons(
  connection: Connection,
  verdict: Verdict,
  user: string,
  address: string,
  now: number,
): string[] {
  switch (verdict.kind) {
    case 'no-user':
      return ['no SASL user: the restrictions that follow decide'];
    case 'allowed':
      return [
        ...way(verdict.passed),
        decided(verdict.subject, user),
        `allowed by ${entryText(connection, verdict.subject, verdict.entry)}`,
      ];
    case 'refused':
      return refusal(connection, verdict, user, address, now);
    default:
      return unreachable(verdict);
  }
}

function decided(subject: string, user: string): string {
  return subject === foldName(user)
    ? `the entries of ${subject} decide`
    : `the entries of ${subject} decide about ${user}`;
}

/** The subjects that were asked before the deciding one. */
function way(passed: readonly string[]): string[] {
  return passed.map(
    (subject) => `no entry of ${subject} allows the address, and its inherit asks the next wider subject`,
  );
}

function refusal(connection: Connection, verdict: Refusal, user: string, address: string, now: number): string[] {
  const { subject, passed } = verdict;
  if (subject === null) return [`no entry for ${subjectsOf(user).join(', ')}`];
  if (verdict.why === 'blocked' && verdict.entry !== null) {
    return [
      ...passedNetworks(connection, passed, address),
      decided(subject, user),
      `blocked by ${entryText(connection, subject, verdict.entry)}`,
    ];
  }
  if (verdict.why === 'no-address') {
    return [decided(subject, user), `${address} is not an IP address, so it is in no network`];
  }
  const covering = coveringEntries(connection, subject, address);
  return [
    ...passedNetworks(connection, passed, address),
    decided(subject, user),
    ...covering.map((entry) => whyNot(connection, subject, entry)),
    ...unmatched(connection, subject, address, now, covering),
    ...wider(connection, subject, user, address, now),
  ];
}

/** The way, with what each subject has that does not contain the address. */
function passedNetworks(connection: Connection, passed: readonly string[], address: string): string[] {
  return passed.flatMap((subject, i) => [
    ...way(passed.slice(i, i + 1)),
    ...coveringEntries(connection, subject, address).map((entry) => whyNot(connection, subject, entry)),
  ]);
}

/** The entries that would let the address in, were it not for their time: a refusal has no others. */
function coveringEntries(connection: Connection, subject: string, address: string): Entry[] {
  const client = parseAddress(address);
  const found: Entry[] = [];
  if (client === null) return found;
  for (const entry of rulesOf(connection).of(subject)?.covering(client) ?? []) {
    if (found.length === SHOWN_ROWS) break;
    if (!found.some((other) => textOf(other) === textOf(entry))) found.push(entry);
  }
  return found;
}

function whyNot(connection: Connection, subject: string, entry: Entry): string {
  const why = Number.isFinite(expiryMoment(entry.expires))
    ? 'it would be allowed had this not expired'
    : 'it would be allowed could its time of expiry be read';
  return `${why}: ${entryText(connection, subject, entry)}`;
}

/** However a row was written by hand: what it means. */
function spelledOut(network: unknown): string {
  const meaning = meaningOf('access', network);
  return meaning === null ? String(network) : meaningText(meaning);
}

/** What stands in the entry's row. */
function textOf({ network, set }: Entry): string {
  return set === null ? network : `@${set}`;
}

const SHOWN_ROWS = 10;
/** A user may have a million. */
const COUNTED_ROWS = 10_000;

/** What the deciding subject has that does not hold the address. */
function unmatched(
  connection: Connection,
  subject: string,
  address: string,
  now: number,
  covering: readonly Entry[],
): string[] {
  const shown = new Set(covering.map((entry) => spelledOut(textOf(entry))));
  const lines: string[] = [];
  const hasSet = (name: string) => hasRows(connection, 'network_set', name);
  for (const row of eachRowOf(connection, 'access', subject)) {
    const kind = meaningOf('access', row.network)?.kind;
    if (kind === 'inherit' || kind === 'none' || shown.has(spelledOut(row.network))) continue;
    if (lines.length === SHOWN_ROWS) {
      const rest = countRows(connection, 'access', subject, COUNTED_ROWS) - SHOWN_ROWS - covering.length;
      lines.push(`nor in ${rest + SHOWN_ROWS >= COUNTED_ROWS ? 'many' : rest} more`);
      break;
    }
    const problem = problemOf('access', row, hasSet);
    const state = problem ?? (isExpired(row, now) ? `expired on ${formatInstant(expiryMoment(row.expires))}` : null);
    lines.push(`not in ${row.network}${origin(row)}${state === null ? '' : `: ${state}`}`);
  }
  return [...lines, ...otherFamily(connection, subject, address)];
}

function otherFamily(connection: Connection, subject: string, address: string): string[] {
  const family = parseAddress(address)?.family;
  const families = familiesOf(connection, subject);
  if (family === undefined || families.size !== 1 || families.has(family)) return [];
  return [`the address is IPv${family}, and all networks of ${subject} are IPv${family === 4 ? 6 : 4}`];
}

/** The address families of the networks that a subject has, those of its sets included. */
function familiesOf(connection: Connection, subject: string): Set<Family> {
  const families = new Set<Family>();
  const prefixes: Record<Family, string> = { 4: "x'04'", 6: "x'06'" };
  for (const family of [4, 6] as const) {
    const own = `key >= ${prefixes[family]} and substr(key, 1, 1) = ${prefixes[family]}`;
    const sql = `select 1 from access where user = @subject and ${own} union all
      select 1 from access a, network_set s where a.user = @subject and a.key < x'04' and a.network = '@' || s.name
        and ${own.replaceAll('key', 's.key')} limit 1`;
    if (connection.prepare(sql).get({ subject }) !== undefined) families.add(family);
  }
  return families;
}

/** A wider subject that would have allowed it, had its turn come. */
function wider(connection: Connection, subject: string, user: string, address: string, now: number): string[] {
  const client = parseAddress(address);
  const subjects = subjectsOf(user);
  const rules = rulesOf(connection);
  if (client === null) return [];
  return subjects.slice(subjects.indexOf(subject) + 1).flatMap((later) => {
    for (const entry of rules.of(later)?.covering(client) ?? []) {
      if (now < expiryMoment(entry.expires)) {
        return [`${later} has ${entryName(entry)}, which does not count: ${subject} has entries of its own`];
      }
    }
    return [];
  });
}

function entryName({ network, set }: Entry): string {
  return set === null ? network : `${network} of @${set}`;
}

function entryText(connection: Connection, subject: string, entry: Entry): string {
  const row = connection
    .prepare('select note, added_at as addedAt, added_by as addedBy from access where user = ? and network = ?')
    .get(subject, textOf(entry)) as Row | undefined;
  const until = expiryMoment(entry.expires);
  const end = Number.isFinite(until) ? `, until ${momentText(until)}` : '';
  return `${entryName(entry)}${end}${row ? origin(row) : ''}`;
}

function origin(row: Pick<Row, 'note' | 'addedAt' | 'addedBy'>): string {
  const who = row.addedBy === null ? '' : ` by ${row.addedBy}`;
  const when = row.addedAt === null ? '' : ` on ${row.addedAt}`;
  const note = row.note === null ? '' : ` (${row.note})`;
  return `${who !== '' || when !== '' ? `, added${who}${when}` : ''}${note}`;
}
