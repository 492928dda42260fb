// allow-nets list: shows who may send mail from where, and which entries grant nothing.

import { type Command, flag } from '../cli/command';
import { commandText } from '../cli/command-text';
import { withReadTransaction } from '../cli/open';
import { hint } from '../cli/output';
import { decidersOf } from '../entries/inherit';
import { printRows } from '../entries/table';
import { refusal } from '../failure';
import { subjectsOf } from '../policy/decide';
import type { Connection } from '../rules/database';
import { eachExpired, eachRow, eachRowOf, hasRows, isExpired } from '../rules/entries';
import { foldName } from '../rules/meaning';
import { printStatus } from '../sync/status';

export const list: Command = {
  line: 'list [user]',
  summary: 'show who may send mail from where',
  about: [
    'With a user: the entries of every subject that can decide for that user, the deciding one first. Rows that block, have expired, grant nothing, or grant more than they seem to are marked.',
  ],
  positionals: { user: 'only the entries that decide for this SASL user name, @domain or *' },
  options: {
    expired: flag('only entries that have expired'),
    status: flag('the state of sync instead of entries'),
    json: flag('as a JSON array; with --status, as an object'),
  },
  examples: [
    ['allow-nets list', 'all entries'],
    ['allow-nets list alice@example.com', 'the entries that decide for alice'],
  ],
  run(args) {
    const json = args.flag('json');
    const expired = args.flag('expired');
    if (args.flag('status')) return printStatus(args.db, json);
    const user = args.text('user');
    const now = Date.now();
    return withReadTransaction(args.db, (connection) => {
      if (user === null) {
        const rows = expired ? eachExpired(connection, now) : eachRow(connection, 'access');
        return printRows(connection, 'access', rows, json);
      }
      const subjects = [...new Set(subjectsOf(user))].filter((subject) => hasRows(connection, 'access', subject));
      if (subjects.length === 0) {
        const problem = `no entry applies to ${user}, so it is refused from everywhere`;
        const command = commandText('add', [user, 'NETWORK'], args.db);
        throw refusal(problem, command === null ? 'no user can have this name' : 'to allow it', command);
      }
      const rows = subjects.flatMap((subject) => [...eachRowOf(connection, 'access', subject)]);
      printRows(connection, 'access', expired ? rows.filter((row) => isExpired(row, now)) : rows, json);
      if (!json && !expired) hintDeciders(connection, subjects, user, now);
      return 0;
    });
  },
};

/** `subjects`: the subjects with entries, the deciding one first. */
function hintDeciders(connection: Connection, subjects: readonly string[], user: string, now: number): void {
  const deciders = decidersOf(connection, user, now).subjects;
  const others = subjects.filter((subject) => !deciders.includes(subject));
  const [first, ...inherited] = deciders;
  const by = inherited.length === 0 ? '' : `, and by inherit those of ${inherited.join(' and ')}`;
  const about = `the entries of ${first} decide for ${user}${by}`;
  if (others.length > 0) hint(`${about}; those of ${others.join(' and ')} do not count`);
  else if (first !== foldName(user) || by !== '') hint(about);
}
