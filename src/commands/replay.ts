// allow-nets replay: decides by the current database for the mail in the log, and shows who would have been refused.
import type { Command } from '../cli/command';
import { hint, printLine } from '../cli/output';
import { printTable } from '../cli/table';
import { printable } from '../failure';
import { POSTFIX_LINES } from '../maillog/postfix-line';
import type { Tally } from '../maillog/tally';
import { hintAtNoMail, hintAtUnread, LOG_FILES, LOG_OPTIONS, secondsText, tallyLogs } from '../maillog/tally-logs';

export const replay: Command = {
  line: 'replay [file..]',
  summary: 'show who would have been refused',
  about: [
    'Decides for every message in the log that Postfix accepted from an authenticated user, with the database as it is now and by the same function as the policy program. Exit status 0 if nobody would be refused and all of the log could be read, else 1. Run it before install without --trial.',
  ],
  positionals: { file: LOG_FILES },
  options: { ...LOG_OPTIONS, json: { type: 'boolean', describe: 'as a JSON object' } },
  examples: [
    ['allow-nets replay /var/log/mail.log', 'would anybody be refused'],
    ['allow-nets replay --since 7d --user @example.com /var/log/mail.log*', 'of one domain, this week'],
  ],
  async run(args) {
    const { tally, readings } = await tallyLogs(args, Date.now(), { command: 'replay', kinds: [POSTFIX_LINES] });
    const result = resultOf(tally);
    if (args.flag('json')) printLine(JSON.stringify(result));
    else printResult(result);
    // If part of the log was unreadable, "nobody would be refused" is not certain: exit status 1.
    const isPartial = hintAtUnread(readings);
    if (result.deliveries === 0) hintAtNoMail();
    else if (result.refused > 0 && !args.flag('json')) {
      hint('allow-nets check USER ADDRESS says why; allow-nets learn shows what to add');
    }
    return result.refused === 0 && !isPartial ? 0 : 1;
  },
};

const DAY = 86_400_000;

/** The result as --json prints it, the user with most refused messages first. */
function resultOf({ users, withoutEntry, days }: Tally) {
  const byDay = [...days]
    .sort(([a], [b]) => a - b)
    .map(([day, total]) => ({ day: new Date(day * DAY).toISOString().slice(0, 10), ...total }));
  const allowed = byDay.reduce((sum, day) => sum + day.allowed, 0);
  const refused = byDay.reduce((sum, day) => sum + day.refused, 0);
  const refusedUsers = [...users].flatMap(([user, all]) => {
    const networks = [...all.values()].filter((one) => one.refused > 0);
    if (networks.length === 0) return [];
    return {
      user,
      messages: networks.reduce((sum, one) => sum + one.refused, 0),
      networks: networks.sort((a, b) => b.refused - a.refused || (a.name < b.name ? -1 : 1)).map(({ name }) => name),
      last: secondsText(Math.max(...networks.map(({ lastRefused }) => lastRefused))),
      has_entry: !withoutEntry.has(user),
    };
  });
  return {
    deliveries: allowed + refused,
    allowed,
    refused,
    users: users.size,
    users_without_entry: withoutEntry.size,
    refused_users: refusedUsers.sort((a, b) => b.messages - a.messages || (a.user < b.user ? -1 : 1)),
    days: byDay,
  };
}

const SHOWN_NETWORKS = 4;

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
    const more = networks.length > SHOWN_NETWORKS ? ` and ${networks.length - SHOWN_NETWORKS} more` : '';
    const from = `${networks.slice(0, SHOWN_NETWORKS).join(', ')}${more}${has_entry ? '' : ' (no entry)'}`;
    return { cells: [printable(user), `${messages} refused`, `last ${last}`, from], colour: 'red' } as const;
  });
  printTable(null, lines);
}
