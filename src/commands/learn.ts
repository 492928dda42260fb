// allow-nets learn: from where users have sent mail so far, out of the mail log: the entries that they need.
//
// Without --apply it changes nothing. What could not be read is told and left out; then --apply wants --force.

import type { Command } from '../cli/command';
import { refuseSubject } from '../cli/input';
import { hint } from '../cli/output';
import { Trouble } from '../failure';
import { Findings } from '../maillog/findings';
import { Judge } from '../maillog/judge';
import { applyFindings } from '../maillog/learn-apply';
import { printFindings, printFindingsJson, survey, tellFindings } from '../maillog/learn-output';
import {
  LOG_FILES,
  LOG_OPTIONS,
  numberOf,
  readLogs,
  scopeOf,
  tellDamage,
  tellNothing,
} from '../maillog/log-reading';
import { type Asking, Tally } from '../maillog/tally';
import { openForReading } from '../rules/database';

export const learn: Command = {
  line: 'learn <file..>',
  summary: 'find out from the mail log where users send from',
  about: [
    'Counts the messages that Postfix took from authenticated users, for each user and network: messages, days, first and last time, whether the database allows it already and by what. Failed logins and refused mail do not count. Neighbouring networks are joined where that covers nothing that was not seen, or not more than --unseen percent.',
    'Marked are: gateway, a private address that nearly everybody sends from, so that a proxy in front must be hiding the clients; many-users, a network of many users, likely the webmail or an office, and better a set; many-networks, a user seen in 10 networks, or at 5 providers, within 24 hours, likely a stolen password; once, a network seen once.',
    '--apply adds what is printed and not allowed yet, all or nothing. A user of whom nothing is new is left alone; one of whom something is gets all of it, since from then on no wider entry decides about that user. --json prints what import takes.',
  ],
  positionals: { file: LOG_FILES },
  options: {
    ...LOG_OPTIONS,
    'v4-prefix': { type: 'string', requiresArg: true, describe: 'group IPv4 addresses so (32)' },
    'v6-prefix': { type: 'string', requiresArg: true, describe: 'group IPv6 addresses so (64)' },
    unseen: {
      type: 'string',
      requiresArg: true,
      describe: 'how much of a joined network may be unseen, in percent (0)',
    },
    'min-messages': {
      type: 'string',
      requiresArg: true,
      describe: 'only networks with so many messages (1)',
    },
    'min-days': { type: 'string', requiresArg: true, describe: 'only networks seen on so many days (1)' },
    dovecot: { type: 'boolean', describe: "count Dovecot's successful logins, too" },
    json: { type: 'boolean', describe: 'as a JSON array, for import' },
    apply: { type: 'boolean', describe: 'add it to the database' },
    force: { type: 'boolean', describe: 'apply also when some of the log could not be read' },
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
    const unseen = numberOf(given, 'unseen', 0, 99, 0) / 100;
    const least = {
      messages: numberOf(given, 'min-messages', 1, most, 1),
      days: numberOf(given, 'min-days', 1, most, 1),
    };
    const scope = scopeOf(given, now, v4Prefix, v6Prefix);
    const connection = openUnlessMissing(given.db, given.flag('apply'));
    const asking = connection ? new Judge(connection, given.db, now) : NOBODY_ALLOWED;
    const tally = new Tally(scope, asking);
    const readings = await readLogs(given, now, tally).finally(() => connection?.close());
    const findings = new Findings(tally, least, unseen, isOneUser);

    const found = survey(findings);
    if (given.flag('json')) printFindingsJson(findings);
    else printFindings(findings, found);
    const isDamaged = tellDamage(readings);
    if (findings.messages === 0) tellNothing();
    else tellFindings(findings, found, given.flag('apply'));
    if (!given.flag('apply')) return 0;
    if (isDamaged && !given.flag('force')) {
      throw new Trouble({
        kind: 'refused',
        problem: 'nothing was added: some of the log could not be read',
        hint: 'if what was read will do, add --force',
      });
    }
    applyFindings(findings, given.db, now, given.flag('json') ? hint : null);
    return 0;
  },
};

/** Before there is a database nobody is allowed. */
const NOBODY_ALLOWED: Asking = { ask: () => 'no-entry', rest: () => {} };

function openUnlessMissing(file: string, isNeeded: boolean): ReturnType<typeof openForReading> | null {
  try {
    return openForReading(file);
  } catch (error) {
    if (isNeeded || !(error instanceof Trouble) || error.failure.kind !== 'database-missing') throw error;
    return null;
  }
}

/** Whether an entry of that name is about that user alone: `*` and `@example.com` are login names that somebody may have chosen. */
function isOneUser(name: string): boolean {
  return name !== '*' && !name.startsWith('@') && refuseSubject(name) === null;
}
