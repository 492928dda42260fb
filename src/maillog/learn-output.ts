// How `learn` shows what it found out.

import { type Colour, hint, printJsonArray } from '../cli/output';
import { printTable } from '../cli/table';
import { printable } from '../failure';
import { formatInstant } from '../rules/expiry';
import type { Finding, Findings } from './findings';
import { counted } from './log-reading';

const TITLES = ['USER', 'NETWORK', 'MESSAGES', 'DAYS', 'FIRST', 'LAST', 'STATE', 'LOOK TWICE'];
/** Columns of numbers. */
const RIGHT = [2, 3];
/** So many networks, or names, are shown of one kind. */
const SHOWN = 5;

export function printFindings({ all }: Findings): void {
  if (all.length === 0) return;
  const lines = all.map((finding) => ({ cells: cells(finding), colour: colourOf(finding) }));
  printTable(TITLES, lines, RIGHT);
}

function colourOf({ marks, allowed }: Finding): Colour | null {
  if (marks.some((mark) => mark !== 'once')) return 'yellow';
  return allowed === 'all' ? 'dim' : null;
}

export function printFindingsJson({ all }: Findings): void {
  printJsonArray(
    all.map((finding) => ({
      user: finding.user,
      network: finding.network,
      note: noteOf(finding),
      expires: null,
      messages: finding.messages,
      days: finding.days,
      first: momentText(finding.first),
      last: momentText(finding.last),
      allowed: finding.allowed,
      by: finding.by,
      marks: finding.marks,
    })),
  );
}

/** The note of an entry that was made from it. */
export function noteOf({ messages, first, last }: Finding): string {
  return `learned from ${messages} messages, ${momentText(first)} to ${momentText(last)}`;
}

/** Seconds since 1970 as text. */
function momentText(seconds: number): string {
  return formatInstant(seconds * 1000);
}

function cells(finding: Finding): string[] {
  return [
    printable(finding.user),
    finding.network,
    String(finding.messages),
    String(finding.days),
    momentText(finding.first),
    momentText(finding.last),
    stateOf(finding),
    finding.marks.join(', '),
  ];
}

function stateOf({ user, allowed, by }: Finding): string {
  if (by === null) return 'new';
  const set = by.set === null ? '' : ` of @${by.set}`;
  const subject = by.subject === user ? '' : ` (${by.subject})`;
  return printable(`${allowed === 'some' ? 'partly ' : ''}allowed by ${by.network}${set}${subject}`);
}

/** What to look at, and what to do next. `applying`: it is being done. */
export function hintAtFindings(findings: Findings, applying: boolean): void {
  const { all, users, messages, withoutAddress, unfit, usedByMany } = findings;
  const gateways = new Set(all.filter(isGateway).map(({ network }) => network));
  if (gateways.size > 0) {
    hint(
      `nearly everybody sends from the private ${someOf(gateways)}: if a proxy or a container's network hides the clients, no rule can tell them apart; see smtpd_upstream_proxy_protocol`,
    );
  }
  for (const [network, count] of usedByMany.slice(0, SHOWN)) {
    hint(`${count} users send from ${network}, a webmail or an office? allow-nets set add NAME ${network}`);
  }
  const spread = new Set(all.filter(isSpreadUser).map(({ user }) => user));
  if (spread.size > 0) hint(`in many networks within 24 hours, a stolen password? ${someOf(spread)}`);
  if (unfit.length > 0) hint(`left out, as entries they would not mean that one user: ${someOf(unfit)}`);
  if (withoutAddress > 0) hint(`left out ${counted(withoutAddress, 'message')} from no known address`);
  if (applying) return;
  const fresh = all.filter(({ allowed }) => allowed !== 'all').length;
  const next = fresh === 0 ? 'nothing is new' : `${fresh} not allowed yet, --apply adds them`;
  hint(`${counted(all.length, 'network')} of ${counted(users, 'user')} in ${counted(messages, 'message')}: ${next}`);
}

export function isGateway({ marks }: Finding): boolean {
  return marks.includes('gateway');
}

export function isSpreadUser({ marks }: Finding): boolean {
  return marks.includes('many-networks');
}

/** The first of the names, and how many more there are. */
export function someOf(names: Iterable<string>): string {
  const all = [...names];
  const shown = all.slice(0, SHOWN).map(printable).join(', ');
  return all.length > SHOWN ? `${shown} and ${all.length - SHOWN} more` : shown;
}
