// allow-nets learn: from where users have sent mail so far, out of the mail log: the entries that they need.
//
// Without --apply it changes nothing. What could not be read is reported and left out; then --apply requires --force.

import type { Command } from '../cli/command';
import { isOneUser } from '../cli/let-in';
import { hint } from '../cli/output';
import { expiryOf } from '../cli/time';
import { Trouble } from '../failure';
import { DOVECOT_LINES } from '../maillog/dovecot-line';
import { findingsOf } from '../maillog/findings';
import { Judge } from '../maillog/judge';
import { applyFindings } from '../maillog/learn-apply';
import { hintAtFindings, printFindings, printFindingsJson } from '../maillog/learn-output';
import {
  LOG_FILES,
  LOG_OPTIONS,
  numberOf,
  readLogs,
  reportNothing,
  reportUnread,
  spanOf,
} from '../maillog/log-reading';
import { POSTFIX_LINES } from '../maillog/postfix-line';
import { Tally } from '../maillog/tally';
import { openForReading } from '../rules/database';

export const learn: Command = {
  line: 'learn [file..]',
  summary: 'find out from the mail log where users send from',
  about: [
    'Counts the messages that Postfix took from authenticated users, for each user and network: messages, days, first and last time, whether the database allows it already and by what. Failed logins and refused mail do not count. Neighbouring networks are joined where that covers nothing that was not seen.',
    'Marked are: gateway, a private address that nearly everybody sends from, so that a proxy in front must be hiding the clients; many-users, a network of many users, likely the webmail or an office, and better a set; many-networks, a user seen in 10 networks, or at 5 providers, within 24 hours, likely a stolen password; once, a network seen once.',
    '--apply adds what is printed and not allowed yet, all or nothing. A user who gets the first entry of the own name, and about whom a wider one decided, gets the entry inherit too, and so keeps what that allows. Users marked many-networks and networks marked gateway are left out and named; --force adds them too, and adds also when some of the log could not be read. --json prints what import takes.',
  ],
  positionals: { file: LOG_FILES },
  options: {
    ...LOG_OPTIONS,
    'v4-prefix': { type: 'string', requiresArg: true, describe: 'group IPv4 addresses so (32)' },
    'v6-prefix': { type: 'string', requiresArg: true, describe: 'group IPv6 addresses so (64)' },
    'min-messages': {
      type: 'string',
      requiresArg: true,
      describe: 'only networks with so many messages (1)',
    },
    'min-days': { type: 'string', requiresArg: true, describe: 'only networks seen on so many days (1)' },
    dovecot: { type: 'boolean', describe: "count Dovecot's successful logins, too" },
    json: { type: 'boolean', describe: 'as a JSON array, for import' },
    apply: { type: 'boolean', describe: 'add it to the database' },
    note: { type: 'string', requiresArg: true, describe: 'note of what is added' },
    for: { type: 'string', requiresArg: true, describe: 'add it for that long only: 7d, 12h' },
    force: { type: 'boolean', describe: 'add also what is left out otherwise, see below' },
  },
  examples: [
    ['allow-nets learn /var/log/mail.log*', 'from where has who sent mail'],
    ['allow-nets learn --since 30d --min-days 2 --apply /var/log/mail.log*', 'allow what was seen twice'],
    ["journalctl -u 'postfix*' | allow-nets learn -", 'from the journal'],
  ],
  async run(given) {
    const now = Date.now();
    const most = Number.MAX_SAFE_INTEGER;
    const v4Prefix = numberOf(given, 'v4-prefix', 1, 32, 32);
    const v6Prefix = numberOf(given, 'v6-prefix', 1, 128, 64);
    const least = {
      messages: numberOf(given, 'min-messages', 1, most, 1),
      days: numberOf(given, 'min-days', 1, most, 1),
    };
    const scope = { ...spanOf(given, now), v4Prefix, v6Prefix };
    const expires = expiryOf(null, given.text('for'), now);
    const [applying, force] = [given.flag('apply'), given.flag('force')];
    const connection = openUnlessMissing(given.db, applying);
    const judge = connection && new Judge(connection, given.db, now);
    // Before there is a database nobody is allowed.
    const tally = new Tally(scope, (user, address) => judge?.ask(user, address) ?? 'no-entry');
    const kinds = given.flag('dovecot') ? [POSTFIX_LINES, DOVECOT_LINES] : [POSTFIX_LINES];
    const readings = await readLogs(
      'learn',
      given,
      now,
      kinds,
      (sighting, seconds) => tally.record(sighting, seconds),
      () => judge?.rest(),
    ).finally(() => connection?.close());
    const findings = findingsOf(tally, least, isOneUser);

    if (given.flag('json')) printFindingsJson(findings);
    else printFindings(findings);
    const isPartial = reportUnread(readings);
    if (findings.messages === 0) reportNothing();
    else hintAtFindings(findings, applying);
    if (!applying) return 0;
    if (isPartial && !force) {
      throw new Trouble({
        kind: 'refused',
        problem: 'nothing was added: some of the log could not be read',
        hint: 'if what was read will do, add --force',
      });
    }
    const options = { note: given.text('note'), expires, force };
    applyFindings(findings, given.db, now, options, given.flag('json') ? hint : undefined);
    return 0;
  },
};

function openUnlessMissing(file: string, isNeeded: boolean): ReturnType<typeof openForReading> | null {
  try {
    return openForReading(file);
  } catch (error) {
    if (isNeeded || !(error instanceof Trouble) || error.failure.kind !== 'database-missing') throw error;
    return null;
  }
}
