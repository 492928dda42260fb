// allow-nets replay: who would have been refused, had the database as it is now decided about the mail in the log.

import { dayChart } from '../cli/chart';
import type { Command } from '../cli/command';
import { hint, isTerminal, printLine } from '../cli/output';
import { printTable } from '../cli/table';
import { printable } from '../failure';
import { Judge } from '../maillog/judge';
import { LOG_FILES, LOG_OPTIONS, readLogs, reportNothing, reportUnread, spanOf } from '../maillog/log-reading';
import { POSTFIX_LINES } from '../maillog/postfix-line';
import { type Replayed, replayedOf } from '../maillog/replayed';
import { Tally } from '../maillog/tally';
import { openForReading } from '../rules/database';
import { formatInstant } from '../rules/expiry';

export const replay: Command = {
  line: 'replay [file..]',
  summary: 'see who would have been refused',
  about: [
    'Decides about every message in the log that Postfix took from an authenticated user, with the database as it is now, by the function that the policy program decides by. Exit status 0 when nobody would be refused and all of the log could be read, 1 otherwise: the question to ask before install without --trial.',
  ],
  positionals: { file: LOG_FILES },
  options: { ...LOG_OPTIONS, json: { type: 'boolean', describe: 'as a JSON object' } },
  examples: [
    ['allow-nets replay /var/log/mail.log', 'would anybody be refused'],
    ['allow-nets replay --since 7d --user @example.com /var/log/mail.log*', 'of one domain, this week'],
  ],
  async run(given) {
    const now = Date.now();
    const scope = { ...spanOf(given, now), v4Prefix: 32, v6Prefix: 64 };
    const connection = openForReading(given.db);
    const judge = new Judge(connection, given.db, now);
    const tally = new Tally(scope, (user, address) => judge.ask(user, address));
    const readings = await readLogs(
      'replay',
      given,
      now,
      [POSTFIX_LINES],
      (sighting, seconds) => tally.record(sighting, seconds),
      () => judge.rest(),
    ).finally(() => connection.close());
    const replayed = replayedOf(tally);
    if (given.flag('json')) printJson(replayed);
    else printReplayed(replayed);
    // An answer about a part of the log is not the one that was asked for.
    const isPartial = reportUnread(readings);
    if (replayed.deliveries === 0) reportNothing();
    else if (replayed.refused > 0 && !given.flag('json')) {
      hint('allow-nets check USER ADDRESS says why; allow-nets learn shows what to add');
    }
    return replayed.refused === 0 && !isPartial ? 0 : 1;
  },
};

const SHOWN_NETWORKS = 4;

function printReplayed({ deliveries, allowed, refused, users, withoutEntry, ofUsers, days }: Replayed): void {
  const sums = [
    ['deliveries', deliveries, ''],
    ['allowed', allowed, ''],
    ['refused', refused, ''],
    ['users', users, withoutEntry === 0 ? '' : `${withoutEntry} of them without an entry`],
  ];
  printTable(
    null,
    sums.map((cells) => ({ cells: cells.map(String) })),
    [1],
  );
  if (isTerminal(1)) for (const line of dayChart(days)) printLine(line);
  if (ofUsers.length === 0) return;
  printLine('');
  const lines = ofUsers.map(({ user, messages, last, networks, hasEntry }) => {
    const more = networks.length > SHOWN_NETWORKS ? ` and ${networks.length - SHOWN_NETWORKS} more` : '';
    const from = `${networks.slice(0, SHOWN_NETWORKS).join(', ')}${more}${hasEntry ? '' : ' (no entry)'}`;
    const cells = [printable(user), `${messages} refused`, `last ${formatInstant(last * 1000)}`, from];
    return { cells, colour: 'red' } as const;
  });
  printTable(null, lines);
}

function printJson(replayed: Replayed): void {
  const { deliveries, allowed, refused, users, withoutEntry, ofUsers, days } = replayed;
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
      days,
    }),
  );
}
