// allow-nets learn: finds in the mail log where users have sent mail from, and so the entries that they need.
//
// Without --apply it changes nothing. Unreadable lines and files are reported and skipped; then --apply requires
// --force.
import { type Arguments, type Command, flag, value } from '../cli/command';
import { hint, printJsonArray, quantity, someOf } from '../cli/output';
import { printTable } from '../cli/table';
import { expiryOf } from '../cli/time';
import { applyFindings, noteOf } from '../entries/learned';
import { printable, refusal, wrongUsage } from '../failure';
import { type Finding, type Findings, findingsOf } from '../maillog/findings';
import { DOVECOT_LINES, POSTFIX_LINES } from '../maillog/line-kinds';
import { LOG_FILES, LOG_OPTIONS, NO_MAIL, tallyLogs } from '../maillog/tally-logs';
import { formatInstant } from '../rules/meaning';

const TITLES = ['USER', 'NETWORK', 'MESSAGES', 'DAYS', 'FIRST', 'LAST', 'STATE', 'LOOK TWICE'];

export const learn: Command = {
  line: 'learn [file..]',
  summary: 'find out from the mail log where users send from',
  about: [
    'Counts the messages that Postfix took from authenticated users, for each user and network: messages, days, first and last time, whether the database allows it already and by what. Failed logins and refused mail do not count. Neighbouring networks are joined where that covers nothing that was not seen.',
    'The marks are: gateway, a private address that nearly everybody sends from (a proxy in front of Postfix hides the clients); many-users, a network of many users (likely the webmail or an office: a set is better); many-networks, a user seen in 10 networks, or at 5 providers, within 24 hours (likely a stolen password); blocked, a user who is blocked now, or whose domain is; once, a network seen once.',
    '--apply adds what is printed and not allowed yet, all or nothing. A user whose first entry this is also gets the entry inherit, and so keeps what a wider entry allows. Users marked many-networks or blocked and networks marked gateway are left out and named; --force adds them, even if some of the log could not be read. --json prints what import takes.',
  ],
  positionals: { file: LOG_FILES },
  options: {
    ...LOG_OPTIONS,
    'v4-prefix': value('group IPv4 addresses by prefixes of this length (default 32)'),
    'v6-prefix': value('group IPv6 addresses by prefixes of this length (default 64)'),
    'min-messages': value('only networks with at least this many messages (default 1)'),
    'min-days': value('only networks seen on at least this many days (default 1)'),
    dovecot: flag("count Dovecot's successful logins, too"),
    json: flag('as a JSON array, for import'),
    apply: flag('add it to the database'),
    note: value('note of what is added'),
    for: value('add it for that long only: 7d, 12h'),
    force: flag('also add what is otherwise left out'),
  },
  examples: [
    ['allow-nets learn /var/log/mail.log*', 'who sent mail, and from where'],
    ['allow-nets learn --since 30d --min-days 2 --apply /var/log/mail.log*', 'allow what was seen twice'],
    ["journalctl -u 'postfix*' | allow-nets learn -", 'from the journal'],
  ],
  async run(args) {
    const now = Date.now();
    const least = { messages: countOf(args, 'min-messages', 1), days: countOf(args, 'min-days', 1) };
    const expires = expiryOf(null, args.text('for'), now);
    const applying = args.flag('apply');
    const prefixes = { 4: countOf(args, 'v4-prefix', 32, 32), 6: countOf(args, 'v6-prefix', 64, 128) };
    const kinds = args.flag('dovecot') ? [POSTFIX_LINES, DOVECOT_LINES] : [POSTFIX_LINES];
    const { networks, unread } = await tallyLogs(args, now, 'learn', kinds, prefixes);
    const findings = findingsOf(networks, least);
    printFindings(findings.all, args.flag('json'));
    for (const text of unread) hint(text);
    if (networks.length === 0) hint(NO_MAIL);
    else hintAtFindings(findings, applying);
    if (!applying) return 0;
    if (unread.length > 0 && !args.flag('force')) {
      const problem = 'nothing was added: some of the log could not be read';
      throw refusal(problem, 'if what was read is enough, add --force');
    }
    await applyFindings(findings.all, args, expires, now);
    return 0;
  },
};

/** Parses an option that is a whole number from 1 to `most`. `usual`: the default. */
function countOf(args: Arguments, option: string, usual: number, most = 1_000_000): number {
  const typed = args.text(option) ?? String(usual);
  const number = Number(typed);
  if (/^\d{1,7}$/.test(typed) && number >= 1 && number <= most) return number;
  const problem = `--${option} ${typed} is not a number from 1 to ${most}`;
  throw wrongUsage(problem, `--${option} ${usual}`);
}

function printFindings(all: readonly Finding[], asJson: boolean): void {
  if (asJson) printJsonArray(all.map(rowOf));
  if (asJson || all.length === 0) return;
  const lines = all.map((one) => {
    const figures = [String(one.messages), String(one.days.size), formatInstant(one.first), formatInstant(one.last)];
    return { cells: [printable(one.user), one.name, ...figures, stateOf(one), one.marks.join(', ')] };
  });
  printTable(TITLES, lines, [2, 3]);
}

/** A finding as --json prints it, which import takes. */
function rowOf(finding: Finding) {
  const { user, name, messages, days, first, last, marks } = finding;
  return {
    user,
    network: name,
    note: noteOf(finding),
    expires: null,
    messages,
    days: days.size,
    first: formatInstant(first),
    last: formatInstant(last),
    allowed: allowedPart(finding),
    by: grantOf(finding),
    marks,
  };
}

function allowedPart({ messages, refused }: Finding): 'all' | 'some' | 'none' {
  if (refused === 0) return 'all';
  return refused === messages ? 'none' : 'some';
}

/** The entry that allows messages from there, or null. */
function grantOf({ parts }: Finding) {
  const verdict = parts.find(({ verdict }) => verdict.kind === 'allowed')?.verdict;
  if (verdict?.kind !== 'allowed') return null;
  const { subject, entry } = verdict;
  return { subject, network: entry.network, set: entry.set };
}

function stateOf(finding: Finding): string {
  const by = grantOf(finding);
  if (by === null) return 'new';
  const set = by.set === null ? '' : ` of @${by.set}`;
  const subject = by.subject === finding.user ? '' : ` (${by.subject})`;
  return printable(`${finding.refused > 0 ? 'partly ' : ''}allowed by ${by.network}${set}${subject}`);
}

/** Hints at what is left out and, unless `applying`, at --apply. */
function hintAtFindings({ all, users, messages, withoutAddress, unfit }: Findings, applying: boolean): void {
  if (unfit.length > 0) hint(`left out, because no entry can stand for exactly that user: ${someOf(unfit)}`);
  if (withoutAddress > 0) hint(`left out ${quantity(withoutAddress, 'message')} from no known address`);
  if (applying) return;
  if (all.some(({ marks }) => marks.length > 0))
    hint('the reasons to look twice are explained by: allow-nets learn --help');
  const fresh = all.filter(({ refused }) => refused > 0).length;
  const next = fresh === 0 ? 'nothing is new' : `${fresh} not allowed yet, --apply adds them`;
  hint(`${quantity(all.length, 'network')} of ${quantity(users, 'user')} in ${quantity(messages, 'message')}: ${next}`);
}
