// allow-nets replay: decides by the current database for the mail in the log, and shows who would have been refused.
import { type Command, flag } from '../cli/command';
import { hint, printLine, someOf } from '../cli/output';
import { printTable } from '../cli/table';
import { printable } from '../failure';
import { POSTFIX_LINES } from '../maillog/line-kinds';
import { count, DAY, groupBy, type Part, type UserNetwork } from '../maillog/tally';
import { LOG_FILES, LOG_OPTIONS, NO_MAIL, tallyLogs } from '../maillog/tally-logs';
import { formatInstant } from '../rules/meaning';

export const replay: Command = {
  line: 'replay [file..]',
  summary: 'show who would have been refused',
  about: [
    'Decides for every message in the log that Postfix accepted from an authenticated user, with the database as it is now and by the same function as the policy program. Exit status 0 if nobody would be refused and all of the log could be read, else 1. Run it before install without --trial.',
  ],
  positionals: { file: LOG_FILES },
  options: { ...LOG_OPTIONS, json: flag('as a JSON object') },
  examples: [
    ['allow-nets replay /var/log/mail.log', 'would anybody be refused'],
    ['allow-nets replay --since 7d --user @example.com /var/log/mail.log*', 'of one domain, this week'],
  ],
  async run(args) {
    const { networks, unread } = await tallyLogs(args, Date.now(), 'replay', [POSTFIX_LINES]);
    const result = resultOf(networks);
    if (args.flag('json')) printLine(JSON.stringify(result));
    else printResult(result);
    // If part of the log was unreadable, "nobody would be refused" is not certain: exit status 1.
    for (const text of unread) hint(text);
    if (result.deliveries === 0) hint(NO_MAIL);
    else if (result.refused > 0 && !args.flag('json')) {
      hint('allow-nets check USER ADDRESS says why; allow-nets learn shows what to add');
    }
    return result.refused === 0 && unread.length === 0 ? 0 : 1;
  },
};

/** The result as --json prints it, the user with most refused messages first. */
function resultOf(networks: readonly UserNetwork[]) {
  const users = groupBy(networks, ({ user }) => user);
  const deliveries = count(networks);
  const refused = count(networks, 'refused');
  const refusedUsers = users.flatMap((all) => {
    const from = all
      .filter((one) => one.refused > 0)
      .sort((a, b) => b.refused - a.refused || (a.name < b.name ? -1 : 1));
    if (from.length === 0) return [];
    return {
      user: all[0].user,
      messages: count(from, 'refused'),
      networks: from.map(({ name }) => name),
      last: formatInstant(refusedParts(from).reduce((most, { last }) => Math.max(most, last), 0)),
      has_entry: hasEntry(all),
    };
  });
  return {
    deliveries,
    allowed: deliveries - refused,
    refused,
    users: users.length,
    users_without_entry: users.filter((all) => !hasEntry(all)).length,
    refused_users: refusedUsers.sort((a, b) => b.messages - a.messages),
    days: daysOf(networks),
  };
}

function hasEntry(networks: readonly UserNetwork[]): boolean {
  return refusedParts(networks).every(({ verdict }) => verdict.kind !== 'refused' || verdict.why !== 'no-entry');
}

function refusedParts(networks: readonly UserNetwork[]): Part[] {
  return networks.flatMap(({ parts }) => parts.filter(({ verdict }) => verdict.kind === 'refused'));
}

/** The messages of each day, in UTC. */
function daysOf(networks: readonly UserNetwork[]) {
  const days = new Map<number, { allowed: number; refused: number }>();
  for (const part of networks.flatMap(({ parts }) => parts)) {
    for (const [day, messages] of part.days) {
      const sums = days.get(day) ?? { allowed: 0, refused: 0 };
      sums[part.verdict.kind === 'refused' ? 'refused' : 'allowed'] += messages;
      days.set(day, sums);
    }
  }
  const inOrder = [...days].sort(([a], [b]) => a - b);
  return inOrder.map(([day, sums]) => ({ day: formatInstant(day * DAY).slice(0, 10), ...sums }));
}

function printResult(result: ReturnType<typeof resultOf>): void {
  const without = result.users_without_entry;
  const sums = (['deliveries', 'allowed', 'refused', 'users'] as const).map((what) => {
    const more = what === 'users' && without > 0 ? `${without} of them without an entry` : '';
    return { cells: [what, String(result[what]), more] };
  });
  printTable(null, sums, [1]);
  if (result.refused === 0) return;
  printLine('');
  const lines = result.refused_users.map(({ user, messages, last, networks, has_entry }) => {
    const from = `${someOf(networks)}${has_entry ? '' : ' (no entry)'}`;
    return { cells: [printable(user), `${messages} refused`, `last ${last}`, from], colour: 'red' } as const;
  });
  printTable(null, lines);
}
