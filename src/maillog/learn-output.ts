// How `learn` shows what it found out. The findings are gone through twice, once to survey and once to print: there may be a million of them.

import { coloured, columns, hint, isTerminal, printJsonArray, printLine, visible } from '../cli/output';
import { formatInstant } from '../rules/expiry';
import type { Finding, Findings } from './findings';
import { numbered } from './log-reading';

const TITLES = ['USER', 'NETWORK', 'MESSAGES', 'DAYS', 'FIRST', 'LAST', 'STATE', 'LOOK TWICE'];
/** Columns of numbers. */
const RIGHT = [2, 3];
const LONGEST_COLUMN = 43;
/** So many networks, or names, are told of one kind. */
const TOLD = 5;

/** As long as any. */
const ANY_MOMENT = () => '2026-11-04T05:47:54Z';

/** What there is to say about all findings together. */
export interface Survey {
  rows: number;
  /** Not, or not in all, allowed yet. */
  fresh: number;
  readonly gateways: Set<string>;
  readonly spreadUsers: Set<string>;
  /** Of the columns. */
  readonly widths: number[];
}

export function survey(findings: Findings): Survey {
  const widths = TITLES.map((title) => (isTerminal(1) ? title.length : 0));
  const found: Survey = {
    rows: 0,
    fresh: 0,
    gateways: new Set(),
    spreadUsers: new Set(),
    widths,
  };
  for (const finding of findings.all()) {
    const { user, network, marks, allowed } = finding;
    found.rows++;
    if (allowed !== 'all') found.fresh++;
    if (marks.includes('gateway')) found.gateways.add(network);
    if (marks.includes('many-networks')) found.spreadUsers.add(user);
    cells(finding, ANY_MOMENT).forEach((cell, i) => {
      widths[i] = Math.min(LONGEST_COLUMN, Math.max(widths[i] ?? 0, cell.length));
    });
  }
  return found;
}

export function printFindings(findings: Findings, { widths }: Survey): void {
  const line = (texts: readonly string[]) => {
    const aligned = texts.map((text, i) => (RIGHT.includes(i) ? text.padStart(widths[i] ?? 0) : text));
    return columns(aligned, widths);
  };
  if (isTerminal(1)) printLine(coloured(line(TITLES), 'bold'));
  for (const finding of findings.all()) {
    const text = line(cells(finding));
    if (finding.marks.some((mark) => mark !== 'once')) printLine(coloured(text, 'yellow'));
    else printLine(finding.allowed === 'all' ? coloured(text, 'dim') : text);
  }
}

export function printFindingsJson(findings: Findings): void {
  printJsonArray(jsonRows(findings));
}

function* jsonRows(findings: Findings): Iterable<unknown> {
  for (const finding of findings.all()) {
    const { user, network, messages, days, allowed, by, marks } = finding;
    const [first, last] = [momentText(finding.first), momentText(finding.last)];
    yield {
      user,
      network,
      note: noteOf(finding),
      expires: null,
      messages,
      days,
      first,
      last,
      allowed,
      by,
      marks,
    };
  }
}

/** The note of an entry that was made from it. */
export function noteOf({ messages, first, last }: Finding): string {
  return `learned from ${messages} messages, ${momentText(first)} to ${momentText(last)}`;
}

const DAY = 86_400;
const days = new Map<number, string>();
const TWO_DIGITS = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, '0'));

/** As formatInstant, which would be a tenth of all the time that `learn` takes. */
function momentText(seconds: number): string {
  const day = Math.floor(seconds / DAY);
  let text = days.get(day);
  if (text === undefined) {
    text = formatInstant(day * DAY * 1000).slice(0, 'YYYY-MM-DDT'.length);
    days.set(day, text);
  }
  const clock = seconds - day * DAY;
  const two = (number: number) => TWO_DIGITS[number];
  return `${text}${two(Math.floor(clock / 3600))}:${two(Math.floor(clock / 60) % 60)}:${two(clock % 60)}Z`;
}

function cells(finding: Finding, moment = momentText): string[] {
  return [
    visible(finding.user),
    finding.network,
    String(finding.messages),
    String(finding.days),
    moment(finding.first),
    moment(finding.last),
    stateOf(finding),
    finding.marks.join(', '),
  ];
}

function stateOf({ user, allowed, by }: Finding): string {
  if (allowed === 'none' || by === null) return 'new';
  const set = by.set === null ? '' : ` of @${by.set}`;
  const subject = by.subject === user ? '' : ` (${by.subject})`;
  return visible(`${allowed === 'some' ? 'partly ' : ''}allowed by ${by.network}${set}${subject}`);
}

/** What to look at, and what to do next. `applying`: it is being done. */
export function tellFindings(findings: Findings, found: Survey, applying: boolean): void {
  if (found.gateways.size > 0) {
    hint(
      `nearly everybody sends from the private ${someOf(found.gateways)}: if a proxy or a container's network hides the clients, no rule can tell them apart; see smtpd_upstream_proxy_protocol`,
    );
  }
  for (const [network, users] of findings.usedByMany().slice(0, TOLD)) {
    hint(`${users} users send from ${network}, a webmail or an office? allow-nets set add NAME ${network}`);
  }
  if (found.spreadUsers.size > 0) {
    hint(`in many networks within 24 hours, a stolen password? ${someOf(found.spreadUsers)}`);
  }
  if (findings.unfit.length > 0) {
    hint(`left out, as entries they would not mean that one user: ${someOf(findings.unfit)}`);
  }
  if (findings.withoutAddress > 0)
    hint(`left out ${numbered(findings.withoutAddress, 'message')} from no known address`);
  if (applying) return;
  const next = found.fresh === 0 ? 'nothing is new' : `${found.fresh} not allowed yet, --apply adds them`;
  const [rows, users] = [numbered(found.rows, 'network'), numbered(findings.users, 'user')];
  hint(`${rows} of ${users} in ${numbered(findings.messages, 'message')}: ${next}`);
}

function someOf(names: Iterable<string>): string {
  const all = [...names];
  const told = all.slice(0, TOLD).map(visible).join(', ');
  return all.length > TOLD ? `${told} and ${all.length - TOLD} more` : told;
}
