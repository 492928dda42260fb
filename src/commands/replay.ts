// allow-nets replay: who would have been refused, had the database as it is now decided about the mail in the log.

import { dayChart } from '../cli/chart';
import type { Command } from '../cli/command';
import { coloured, columns, hint, isTerminal, printLine, visible } from '../cli/output';
import { Judge } from '../maillog/judge';
import { dayText } from '../maillog/local-day';
import { LOG_FILES, LOG_OPTIONS, readLogs, scopeOf, tellDamage, tellNothing } from '../maillog/log-reading';
import { type Refusals, refusalsOf } from '../maillog/refusals';
import type { Grant } from '../maillog/seen-columns';
import { type Asking, Tally } from '../maillog/tally';
import { openForReading } from '../rules/database';
import { formatInstant } from '../rules/expiry';

export const replay: Command = {
  line: 'replay <file..>',
  summary: 'see who would have been refused',
  about: [
    'Decides about every message in the log that Postfix took from an authenticated user, with the database as it is now, by the function that the policy program decides by. Exit status 0 when nobody would be refused, 1 otherwise: the question to ask before install without --trial.',
  ],
  positionals: { file: LOG_FILES },
  options: { ...LOG_OPTIONS, json: { type: 'boolean', describe: 'as a JSON object' } },
  examples: [
    ['allow-nets replay /var/log/mail.log', 'would anybody be refused'],
    ['allow-nets replay --since 7d --user @example.com /var/log/mail.log*', 'of one domain, this week'],
  ],
  async run(given) {
    const now = Date.now();
    // Whole addresses: a network that is allowed in part would be told as neither.
    const scope = scopeOf(given, now, 32, 128);
    const connection = openForReading(given.db);
    const tally = new Tally(scope, yesOrNo(new Judge(connection, given.db, now)));
    const readings = await readLogs(given, now, tally).finally(() => connection.close());
    const refusals = refusalsOf(tally);
    if (given.flag('json')) printJson(refusals);
    else printTable(refusals);
    tellDamage(readings);
    if (refusals.deliveries === 0) tellNothing();
    else if (refusals.refused > 0 && !given.flag('json')) {
      hint(`allow-nets check USER ADDRESS tells why; allow-nets learn shows what to add`);
    }
    return refusals.refused === 0 ? 0 : 1;
  },
};

/** By which entry a message would be allowed is of no interest here, and to remember it of a million networks would need memory. */
function yesOrNo(judge: Asking): Asking {
  return {
    ask(user, address) {
      const answer = judge.ask(user, address);
      return typeof answer === 'string' ? answer : ALLOWED;
    },
    rest: () => judge.rest(),
  };
}

const ALLOWED: Grant = { subject: '', network: '', set: null };

const TOLD_NETWORKS = 4;

function printTable({ deliveries, allowed, refused, users, withoutEntry, ofUsers, days }: Refusals): void {
  const lines: [string, number, string][] = [
    ['deliveries', deliveries, ''],
    ['allowed', allowed, ''],
    ['refused', refused, ''],
    ['users', users, withoutEntry === 0 ? '' : `${withoutEntry} of them without an entry`],
  ];
  const width = String(deliveries).length;
  for (const [what, count, more] of lines) {
    printLine(columns([what, String(count).padStart(width), more], [10, width]));
  }
  if (isTerminal(1)) for (const line of dayChart(days)) printLine(line);
  if (ofUsers.length === 0) return;
  printLine('');
  const rows = ofUsers.map(({ user, messages, last, networks, hasEntry }) => {
    const more = networks.length > TOLD_NETWORKS ? ` and ${networks.length - TOLD_NETWORKS} more` : '';
    const from = `${networks.slice(0, TOLD_NETWORKS).join(', ')}${more}`;
    const moment = formatInstant(last * 1000);
    return [visible(user), `${messages} refused`, `last ${moment}`, hasEntry ? from : `${from} (no entry)`];
  });
  const widths = [0, 1, 2].map((i) => Math.min(43, Math.max(...rows.map((row) => row[i]?.length ?? 0))));
  for (const row of rows) printLine(coloured(columns(row, widths), 'red'));
}

function printJson(refusals: Refusals): void {
  const { deliveries, allowed, refused, users, withoutEntry, ofUsers, days } = refusals;
  printLine(
    JSON.stringify({
      deliveries,
      allowed,
      refused,
      users,
      users_without_entry: withoutEntry,
      refused_users: ofUsers.map(({ user, messages, networks, last, hasEntry }) => ({
        user,
        messages,
        networks,
        last: formatInstant(last * 1000),
        has_entry: hasEntry,
      })),
      days: days.map(({ day, allowed, refused }) => ({ day: dayText(day), allowed, refused })),
    }),
  );
}
