// allow-nets block: refuses a user from everywhere, whatever other entries allow, by the entry `none`.

import { type Command, ENTRY_OPTIONS } from '../cli/command';
import { commandText } from '../cli/command-text';
import { entryWriter } from '../cli/entry-writer';
import { parseSubjectArgument, whoAmI } from '../cli/input';
import { nameHints, requireUserName } from '../cli/known-names';
import { withWriteTransaction } from '../cli/open';
import { hint, printLine } from '../cli/output';
import { expiryOf, untilText } from '../cli/time';
import { Trouble } from '../failure';
import type { Connection } from '../rules/database';
import { formatInstant } from '../rules/expiry';
import { inheritWider } from '../rules/inherit';
import { EVERYBODY } from '../rules/subject';
import { hintAtSync } from '../sync/status';

export const block: Command = {
  line: 'block <user>',
  summary: 'refuse a user from everywhere',
  about: [
    'For a stolen password: the entry none refuses the user whatever other entries allow, from the next recipient on. The other entries stay, and apply again after unblock. It blocks sending, not the login to the mailbox.',
    'Blocking a domain or * refuses only users without own entries.',
  ],
  positionals: { user: 'SASL user name, @example.com for a domain, or * for everybody' },
  options: {
    ...ENTRY_OPTIONS,
    force: { type: 'boolean', describe: 'accept * (everybody), and a user name that looks like a domain' },
  },
  examples: [
    ['allow-nets block carol@example.com --note "password stolen"', 'until allow-nets unblock'],
    ['allow-nets block carol@example.com --for 12h', 'for twelve hours'],
  ],
  run(args) {
    const now = Date.now();
    const user = parseSubjectArgument(args.text('user') ?? '');
    const force = args.flag('force');
    const expires = expiryOf(args.text('until'), args.text('for'), now);
    const [note, local] = [args.text('note'), args.flag('local')];
    requireForce(user, force, args.db);
    const { written, wider, hints } = withWriteTransaction(args.db, (connection) => {
      requireUserName(connection, user, force);
      const origin = { addedAt: formatInstant(now), addedBy: whoAmI(), local };
      // An expired block is still an entry of the user's own: without `inherit`, wider entries would not apply again.
      const wider = expires === null ? [] : inheritWider(connection, user, origin);
      const put = entryWriter(connection, 'access', now);
      const written = put(user, { kind: 'none' }, { note, expires, local, endless: true });
      const hints = [...nameHints(connection, user, args.db, 'block', []), ...notBlocked(connection, user)];
      return { written, wider, hints };
    });
    printLine(`${blockText(user, written === null)}${untilText(written?.expires ?? null)}`);
    if (wider.length > 0) printLine(`when the block has ended, ${wider.join(' or ')} decides for ${user} again`);
    for (const text of hints) hint(text);
    if (written !== null && !written.local) {
      hintAtSync(args.db, 'takes the block away again, unless its list has it too or it is added with --local');
    }
    return 0;
  },
};

export function blockText(user: string, already: boolean): string {
  return `${user} is ${already ? 'blocked already' : 'now blocked'}`;
}

/** Throws Trouble if everybody would be blocked. */
export function requireForce(user: string, force: boolean, db: string): void {
  if (user !== EVERYBODY || force) return;
  const problem = '* is everybody: all users without entries of their own would be refused';
  const hint = `to block them all the same: ${commandText('block', [EVERYBODY], db, ['--force'])}`;
  throw new Trouble({ kind: 'refused', problem, hint });
}

/** Hints at users whom a block of a domain or of everybody does not affect, because their own entries decide. */
function notBlocked(connection: Connection, user: string): string[] {
  if (user !== EVERYBODY && !user.startsWith('@')) return [];
  const inDomain = user === EVERYBODY ? '' : 'and substr(user, -length(@user)) = @user';
  const sql = `select count(distinct user) as count, min(user) as first from access where user <> @user ${inDomain}`;
  const { count, first } = connection.prepare(sql).get({ user }) as { count: number; first: string | null };
  if (count === 0) return [];
  const others = count === 1 ? first : `${count} others, such as ${first}`;
  return [`not blocked, because their own entries decide: ${others}`];
}
