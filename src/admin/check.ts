// allow-nets check: would this user be let in from there, and why. Decides by the same function as the policy program.
import { unreachable } from '../failure';
import { decide, type Entry, type Verdict } from '../policy/decide';
import { parseAddress } from '../rules/address';
import type { Connection } from '../rules/database';
import { hasRows, isExpired, problemOf, type Row } from '../rules/entries';
import { expiryMoment, formatInstant } from '../rules/expiry';
import { rulesOf } from '../rules/lookup';
import { countRows, eachRowOf, familiesOf } from '../rules/selection';
import { foldName, subjectsOf } from '../rules/subject';
import type { Command } from './command';
import { reading } from './open';
import { coloured, printLine, visible } from './output';
import { momentOf, toldMoment } from './time';

export const check: Command = {
  line: 'check <user> <address>',
  summary: 'ask for a decision, and why',
  about: ['Exit status 0 when the user is allowed from there, 1 when refused.'],
  positionals: { user: 'SASL user name', address: 'client address' },
  options: {
    at: { type: 'string', requiresArg: true, describe: 'at another time than now' },
    json: { type: 'boolean', describe: 'as a JSON object' },
  },
  examples: [
    ['allow-nets check alice@example.com 192.0.2.7', 'would this be allowed'],
    ['allow-nets check bob 192.0.2.7 --at 2026-12-25', 'and on that day'],
  ],
  run(given) {
    const user = given.text('user') ?? '';
    const address = given.text('address') ?? '';
    const at = given.text('at');
    const now = at === null ? Date.now() : momentOf(at, '--at', true);
    return reading(given.db, (connection) => {
      const asked = { user, address, wellFormed: true };
      const verdict = decide(asked, () => rulesOf(connection), now);
      const because = reasons(connection, verdict, user, address, now);
      const allowed = verdict.kind !== 'refused';
      if (given.flag('json')) {
        const { subject = null, entry = null } = verdict.kind === 'no-user' ? {} : verdict;
        const decision = allowed ? 'allow' : 'reject';
        const { network = null, set = null } = entry ?? {};
        printLine(
          JSON.stringify({ user, address, decision, subject, network, set, reason: because.join('; ') }),
        );
      } else {
        printLine(coloured(allowed ? 'allowed' : 'refused', allowed ? 'green' : 'red'));
        for (const line of because) printLine(`  ${visible(line)}`);
      }
      return allowed ? 0 : 1;
    });
  },
};

/** The verdict in words, one statement each. */
function reasons(
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

type Refused = Extract<Verdict, { kind: 'refused' }>;

function refusal(
  connection: Connection,
  verdict: Refused,
  user: string,
  address: string,
  now: number,
): string[] {
  const { subject } = verdict;
  if (subject === null) {
    const asked = subjectsOf(user).join(', ');
    return [`no entry for ${asked}`, `to allow it: allow-nets add ${user} NETWORK`];
  }
  if (verdict.why === 'no-address')
    return [decided(subject, user), `${address} is no IP address, it is in no network`];
  const lines = [decided(subject, user)];
  if (verdict.entry !== null) {
    lines.push(`it would be allowed had this not expired: ${entryText(connection, subject, verdict.entry)}`);
  }
  lines.push(
    ...unmatched(connection, subject, address, now, verdict.entry),
    ...wider(connection, subject, user, address, now),
  );
  return lines;
}

const TOLD_ROWS = 10;
/** A user may have a million. */
const COUNTED_ROWS = 10_000;

/** What the deciding subject has that does not hold the address. */
function unmatched(
  connection: Connection,
  subject: string,
  address: string,
  now: number,
  expired: Entry | null,
): string[] {
  const shown = expired?.set ? `@${expired.set}` : expired?.network;
  const lines: string[] = [];
  const hasSet = (name: string) => hasRows(connection, 'network_set', name);
  for (const row of eachRowOf(connection, 'access', subject)) {
    if (row.network === shown) continue;
    if (lines.length === TOLD_ROWS) {
      const rest = countRows(connection, 'access', subject, COUNTED_ROWS) - TOLD_ROWS - (expired ? 1 : 0);
      lines.push(`nor in ${rest + TOLD_ROWS >= COUNTED_ROWS ? 'many' : rest} more`);
      break;
    }
    const problem = problemOf('access', row, hasSet);
    const state = problem ?? (isExpired(row, now) ? `expired on ${told(row.expires)}` : null);
    lines.push(`not in ${row.network}${origin(row)}${state === null ? '' : `: ${state}`}`);
  }
  return [...lines, ...otherFamily(connection, subject, address)];
}

function told(expires: unknown): string {
  return formatInstant(expiryMoment(expires));
}

function otherFamily(connection: Connection, subject: string, address: string): string[] {
  const family = parseAddress(address)?.family;
  const families = familiesOf(connection, subject);
  if (family === undefined || families.size !== 1 || families.has(family)) return [];
  return [`the address is IPv${family}, and all networks of ${subject} are IPv${family === 4 ? 6 : 4}`];
}

/** A wider subject that would have allowed it, had its turn come. */
function wider(
  connection: Connection,
  subject: string,
  user: string,
  address: string,
  now: number,
): string[] {
  const client = parseAddress(address);
  const subjects = subjectsOf(user);
  const rules = rulesOf(connection);
  if (client === null) return [];
  return subjects.slice(subjects.indexOf(subject) + 1).flatMap((later) => {
    for (const entry of rules.covering(later, client)) {
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
  const text = entry.set === null ? entry.network : `@${entry.set}`;
  const row = connection
    .prepare(
      'select note, added_at as addedAt, added_by as addedBy from access where user = ? and network = ?',
    )
    .get(subject, text) as Row | undefined;
  const until = expiryMoment(entry.expires);
  const told = Number.isFinite(until) ? `, until ${toldMoment(until)}` : '';
  return `${entryName(entry)}${told}${row ? origin(row) : ''}`;
}

function origin(row: Pick<Row, 'note' | 'addedAt' | 'addedBy'>): string {
  const who = row.addedBy === null ? '' : ` by ${row.addedBy}`;
  const when = row.addedAt === null ? '' : ` on ${row.addedAt}`;
  const note = row.note === null ? '' : ` (${row.note})`;
  return `${who !== '' || when !== '' ? `, added${who}${when}` : ''}${note}`;
}
