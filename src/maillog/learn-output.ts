// Prints the findings of `learn`, or adds them to the database.
import type { Arguments } from '../cli/command';
import { whoAmI } from '../cli/input';
import { withRowImport } from '../cli/open';
import { hint, printJsonArray, printLine, quantity } from '../cli/output';
import { printTable } from '../cli/table';
import { inheritWider } from '../entries/inherit';
import { printable } from '../failure';
import { importRow } from '../rules/import';
import { formatInstant } from '../rules/meaning';
import { hintAtSync } from '../sync/status';
import { daysOf, type Finding, type Findings, type Mark } from './findings';

const TITLES = ['USER', 'NETWORK', 'MESSAGES', 'DAYS', 'FIRST', 'LAST', 'STATE', 'LOOK TWICE'];
/** A hint lists at most this many names of a kind. */
const NAMED = 4;

export function printFindings(all: readonly Finding[], asJson: boolean): void {
  const rows = all.map(rowOf);
  if (asJson) printJsonArray(rows);
  if (asJson || rows.length === 0) return;
  const lines = rows.map((row) => {
    const figures = [String(row.messages), String(row.days), row.first, row.last];
    return { cells: [printable(row.user), row.network, ...figures, stateOf(row), row.marks.join(', ')] };
  });
  printTable(TITLES, lines, [2, 3]);
}

/** A finding as --json prints it, which import takes. */
function rowOf(finding: Finding) {
  const { user, name, messages, refused, first, last, marks } = finding;
  return {
    user,
    network: name,
    note: noteOf(finding),
    expires: null,
    messages,
    days: daysOf(finding),
    first: formatInstant(first),
    last: formatInstant(last),
    allowed: allowedPart(messages - refused, messages),
    by: grantOf(finding),
    marks,
  };
}

function allowedPart(allowed: number, messages: number): 'all' | 'some' | 'none' {
  if (allowed === messages) return 'all';
  return allowed === 0 ? 'none' : 'some';
}

/** The note of an entry made from a finding. */
function noteOf({ messages, first, last }: Finding): string {
  return `learned from ${quantity(messages, 'message')}, ${formatInstant(first)} to ${formatInstant(last)}`;
}

/** The entry that allows messages from there, or null. */
function grantOf({ parts }: Finding) {
  const allowed = parts.map(({ verdict }) => verdict).find(({ kind }) => kind === 'allowed');
  if (allowed?.kind !== 'allowed') return null;
  const { subject, entry } = allowed;
  return { subject, network: entry.network, set: entry.set };
}

function stateOf({ user, allowed, by }: ReturnType<typeof rowOf>): string {
  if (by === null) return 'new';
  const set = by.set === null ? '' : ` of @${by.set}`;
  const subject = by.subject === user ? '' : ` (${by.subject})`;
  return printable(`${allowed === 'some' ? 'partly ' : ''}allowed by ${by.network}${set}${subject}`);
}

/** Hints at what is left out and, unless `applying`, at --apply. */
export function hintAtFindings({ all, users, messages, withoutAddress, unfit }: Findings, applying: boolean): void {
  if (unfit.length > 0) hint(`left out, because no entry can stand for exactly that user: ${someOf(unfit)}`);
  if (withoutAddress > 0) hint(`left out ${quantity(withoutAddress, 'message')} from no known address`);
  if (applying) return;
  if (all.some(({ marks }) => marks.length > 0))
    hint('the reasons to look twice are explained by: allow-nets learn --help');
  const fresh = all.filter(({ refused }) => refused > 0).length;
  const next = fresh === 0 ? 'nothing is new' : `${fresh} not allowed yet, --apply adds them`;
  hint(`${quantity(all.length, 'network')} of ${quantity(users, 'user')} in ${quantity(messages, 'message')}: ${next}`);
}

/** The first names and the number of others: `a, b, c, d and 3 more`. */
export function someOf(names: Iterable<string>): string {
  const all = [...new Set(names)];
  const more = all.length > NAMED ? ` and ${all.length - NAMED} more` : '';
  return `${all.slice(0, NAMED).join(', ')}${more}`;
}

/** Not added without --force. An entry of a blocked user's own would end the block of the domain. */
const DOUBTFUL: readonly Mark[] = ['many-networks', 'blocked', 'gateway'];

/** Adds findings, all or nothing. `args`: --note, --force, --json. `expires`: as formatInstant writes it. `now`: in ms. */
export async function applyFindings(
  all: readonly Finding[],
  args: Arguments,
  expires: string | null,
  now: number,
): Promise<void> {
  const force = args.flag('force');
  const fresh = all.filter(({ refused }) => refused > 0);
  const added = fresh.filter(({ marks }) => force || !marks.some((mark) => DOUBTFUL.includes(mark)));
  const addedBy = whoAmI();
  const changed: string[] = [];
  const inheriting: string[] = [];
  await withRowImport(args.db, (rows) => {
    for (const finding of added) {
      const { user, network } = finding;
      const more = { note: args.text('note') ?? noteOf(finding), expires: expires ?? undefined };
      rows.add(importRow('access', user, { kind: 'network', network }, more));
    }
    rows.apply({
      replace: false,
      dryRun: false,
      force,
      tables: ['access'],
      addedBy,
      now,
      report: ({ name }) => changed.push(name),
      before(connection) {
        // A user's first own entry replaces the wider entries for him, so `inherit` keeps them in force.
        const origin = { addedAt: formatInstant(now), addedBy };
        for (const user of new Set(added.map((finding) => finding.user))) {
          if (inheritWider(connection, user, origin).length > 0) inheriting.push(user);
        }
      },
    });
  });
  // With --json, standard output holds only the JSON.
  const printResult = args.flag('json') ? hint : printLine;
  printResult(`added ${quantity(changed.length, 'entry', 'entries')} of ${quantity(new Set(changed).size, 'user')}`);
  for (const mark of force ? [] : DOUBTFUL) {
    const marked = fresh.filter(({ marks }) => marks.includes(mark));
    const names = someOf(marked.map(({ user, name }) => (mark === 'gateway' ? name : user)));
    const what = mark === 'gateway' ? names : `the networks of ${names}`;
    if (names !== '') hint(`not added, --force adds them: ${what} (${mark})`);
  }
  if (changed.length > 0) hintAtSync(args.db, 'takes this away again, unless its list has it too');
  if (inheriting.length > 0) hint(`an entry inherit keeps what wider entries allow: ${someOf(inheriting)}`);
}
