// Explains a verdict for `check`: which subject decides, which entries match or do not, and who added them.
import type { Verdict } from '../policy/decide';
import { parseAddress } from '../rules/address';
import type { Connection } from '../rules/database';
import { eachRowOf, hasRows, isExpired, type Row } from '../rules/entries';
import { expiryMoment, formatInstant } from '../rules/expiry';
import { rulesOf } from '../rules/lookup';
import { meaningOf, meaningText } from '../rules/meaning';
import { problemOf } from '../rules/row-fault';
import { type Entry, foldName, subjectsOf } from '../rules/subject';
import { untilText } from './time';

/** At most this many entries are listed. */
const SHOWN = 10;

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
  if (subject === null) return [`no entry for ${subjectsOf(user).join(', ')}`];
  const rules = rulesOf(connection);
  const client = parseAddress(address);

  /** The entries of a subject that contain the address. If the subject refuses, they have all expired. */
  const covering = (name: string): Entry[] => {
    const found: Entry[] = [];
    for (const one of (client && rules.of(name)?.covering(client)) ?? []) if (found.push(one) === SHOWN) break;
    return found;
  };
  const whyNot = (name: string) =>
    covering(name).map((one) => {
      const hasExpired = Number.isFinite(expiryMoment(one.expires));
      const why = hasExpired
        ? 'it would be allowed if this had not expired'
        : 'it would be allowed if its time of expiry could be read';
      return `${why}: ${entryText(connection, name, one)}`;
    });
  const start = [
    ...passed.flatMap((name) => [
      `no entry of ${name} allows the address; its entry inherit hands the decision on to the next wider subject`,
      ...whyNot(name),
    ]),
    `the entries of ${subject} decide${subject === foldName(user) ? '' : ` for ${user}`}`,
  ];
  if (verdict.kind === 'allowed') return [...start, `allowed by ${entryText(connection, subject, verdict.entry)}`];
  if (verdict.why === 'blocked' && entry !== null)
    return [...start, `blocked by ${entryText(connection, subject, entry)}`];
  if (client === null) return [...start, `${address} is not an IP address, so it is in no network`];

  const wider = subjectsOf(user).slice(subjectsOf(user).indexOf(subject) + 1);
  return [
    ...start,
    ...whyNot(subject),
    ...unmatched(connection, subject, covering(subject), now),
    ...wider.flatMap((name) => {
      const one = covering(name).find(({ expires }) => now < expiryMoment(expires));
      return one ? [`${name} has ${entryName(one)}, which does not count: ${subject} has own entries`] : [];
    }),
  ];
}

/** The entries of the deciding subject that do not contain the address. `covering`: those that do. */
function unmatched(connection: Connection, subject: string, covering: readonly Entry[], now: number): string[] {
  const covered = new Set(covering.map((entry) => plainText(textOf(entry))));
  const lines: string[] = [];
  for (const row of eachRowOf(connection, 'access', subject)) {
    const kind = meaningOf('access', row.network)?.kind;
    if (kind === 'inherit' || kind === 'none' || covered.has(plainText(row.network))) continue;
    if (lines.length === SHOWN) return [...lines, 'nor in its other entries'];
    const expired = isExpired(row, now) ? `expired on ${formatInstant(expiryMoment(row.expires))}` : null;
    const state = problemOf('access', row, (name) => hasRows(connection, 'network_set', name)) ?? expired;
    lines.push(`not in ${row.network}${originText(row)}${state === null ? '' : `: ${state}`}`);
  }
  return lines;
}

/** The network column of an entry's row. */
function textOf({ network, set }: Entry): string {
  return set === null ? network : `@${set}`;
}

/** A network as commands write it. */
function plainText(network: unknown): string {
  const meaning = meaningOf('access', network);
  return meaning === null ? String(network) : meaningText(meaning);
}

function entryName({ network, set }: Entry): string {
  return set === null ? network : `${network} of @${set}`;
}

function entryText(connection: Connection, subject: string, entry: Entry): string {
  const sql = 'select note, added_at as addedAt, added_by as addedBy from access where user = ? and network = ?';
  const row = connection.prepare(sql).get(subject, textOf(entry)) as Row | undefined;
  const until = untilText(entry.expires).replace(/^ /, ', ');
  return `${entryName(entry)}${until}${row ? originText(row) : ''}`;
}

function originText({ note, addedAt, addedBy }: Pick<Row, 'note' | 'addedAt' | 'addedBy'>): string {
  const who = addedBy === null ? '' : ` by ${addedBy}`;
  const when = addedAt === null ? '' : ` on ${addedAt}`;
  return `${who + when === '' ? '' : `, added${who}${when}`}${note === null ? '' : ` (${note})`}`;
}
