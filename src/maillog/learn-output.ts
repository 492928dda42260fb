// Prints the findings of `learn`.
import { type Colour, hint, printJsonArray, quantity } from '../cli/output';
import { printTable } from '../cli/table';
import { printable } from '../failure';
import { formatNetwork } from '../rules/network';
import type { Finding, Findings } from './findings';
import type { Mark } from './marks';
import { secondsText } from './tally-logs';

const TITLES = ['USER', 'NETWORK', 'MESSAGES', 'DAYS', 'FIRST', 'LAST', 'STATE', 'LOOK TWICE'];
/** The right-aligned columns. */
const RIGHT = [2, 3];
/** A hint lists at most this many networks or names of a kind. */
const NAMED = 5;

export function printFindings({ all }: Findings): void {
  if (all.length === 0) return;
  const lines = all.map((finding) => {
    const [first, last] = [secondsText(finding.first), secondsText(finding.last)];
    const figures = [String(finding.messages), String(finding.days.size), first, last];
    const network = formatNetwork(finding.network);
    const cells = [printable(finding.user), network, ...figures, stateOf(finding), finding.marks.join(', ')];
    return { cells, colour: colourOf(finding) };
  });
  printTable(TITLES, lines, RIGHT);
}

function colourOf({ marks, refused }: Finding): Colour | null {
  if (marks.some((mark) => mark !== 'once')) return 'yellow';
  return refused === 0 ? 'dim' : null;
}

export function printFindingsJson({ all }: Findings): void {
  printJsonArray(
    all.map((finding) => ({
      user: finding.user,
      network: formatNetwork(finding.network),
      note: noteOf(finding),
      expires: null,
      messages: finding.messages,
      days: finding.days.size,
      first: secondsText(finding.first),
      last: secondsText(finding.last),
      allowed: finding.refused === 0 ? 'all' : finding.by === null ? 'none' : 'some',
      by: finding.by,
      marks: finding.marks,
    })),
  );
}

/** The note of an entry made from a finding. */
export function noteOf({ messages, first, last }: Finding): string {
  return `learned from ${quantity(messages, 'message')}, ${secondsText(first)} to ${secondsText(last)}`;
}

function stateOf({ user, refused, by }: Finding): string {
  if (by === null) return 'new';
  const set = by.set === null ? '' : ` of @${by.set}`;
  const subject = by.subject === user ? '' : ` (${by.subject})`;
  return printable(`${refused > 0 ? 'partly ' : ''}allowed by ${by.network}${set}${subject}`);
}

/** Hints at what to review and, unless `applying`, at --apply. */
export function hintAtFindings(findings: Findings, applying: boolean): void {
  const { all, users, messages, withoutAddress, unfit, usedByMany } = findings;
  const gateways = someOf(networksMarked(all, 'gateway'));
  if (gateways !== '') {
    hint(
      `nearly everybody sends from the private ${gateways}: if a proxy or a container's network hides the clients, no rule can tell them apart; see smtpd_upstream_proxy_protocol`,
    );
  }
  for (const [network, count] of usedByMany.slice(0, NAMED)) {
    hint(`${count} users send from ${network}, a webmail or an office? allow-nets set add NAME ${network}`);
  }
  const spread = someOf(usersMarked(all, 'many-networks'));
  if (spread !== '') hint(`in many networks within 24 hours, a stolen password? ${spread}`);
  if (unfit.length > 0) hint(`left out, as entries they would not mean that one user: ${someOf(unfit)}`);
  if (withoutAddress > 0) hint(`left out ${quantity(withoutAddress, 'message')} from no known address`);
  if (applying) return;
  const fresh = all.filter(({ refused }) => refused > 0).length;
  const next = fresh === 0 ? 'nothing is new' : `${fresh} not allowed yet, --apply adds them`;
  hint(`${quantity(all.length, 'network')} of ${quantity(users, 'user')} in ${quantity(messages, 'message')}: ${next}`);
}

/** Lists the new findings that --apply skips without --force. */
export function hintAtSkipped(fresh: readonly Finding[]): void {
  for (const mark of ['many-networks', 'blocked'] as const) {
    const users = someOf(usersMarked(fresh, mark));
    if (users !== '') hint(`not added, --force adds them: the networks of ${users} (${mark})`);
  }
  const networks = someOf(networksMarked(fresh, 'gateway'));
  if (networks !== '') hint(`not added, --force adds them: ${networks} (gateway)`);
}

function networksMarked(all: readonly Finding[], mark: Mark): string[] {
  return all.flatMap(({ marks, network }) => (marks.includes(mark) ? formatNetwork(network) : []));
}

function usersMarked(all: readonly Finding[], mark: Mark): string[] {
  return all.flatMap(({ marks, user }) => (marks.includes(mark) ? user : []));
}

/** The first names and the number of others: `a, b, c, d, e and 3 more`. */
export function someOf(names: Iterable<string>): string {
  const all = [...new Set(names)];
  const some = all.slice(0, NAMED).map(printable).join(', ');
  return all.length > NAMED ? `${some} and ${all.length - NAMED} more` : some;
}
