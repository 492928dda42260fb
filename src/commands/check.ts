// allow-nets check: says whether a user would be allowed, and why. It decides by the policy program's own function.

import { type Command, flag, value } from '../cli/command';
import { remedyFor } from '../cli/command-text';
import { withReadTransaction } from '../cli/open';
import { hint, printLine } from '../cli/output';
import { momentOf } from '../cli/time';
import { reasons } from '../entries/reasons';
import { decide } from '../policy/decide';
import { rulesOf } from '../rules/lookup';

export const check: Command = {
  line: 'check <user> <address>',
  summary: 'say whether a user would be allowed, and why',
  about: ['Exit status 0 when the user is allowed from there, 1 when refused.'],
  positionals: { user: 'SASL user name', address: 'client address' },
  options: { at: value('at that time instead of now'), json: flag('as a JSON object') },
  examples: [
    ['allow-nets check alice@example.com 192.0.2.7', 'is this allowed now'],
    ['allow-nets check bob 192.0.2.7 --at 2026-12-25', 'and on that day'],
  ],
  run(args) {
    const user = args.text('user') ?? '';
    const address = args.text('address') ?? '';
    const at = args.text('at');
    const now = at === null ? Date.now() : momentOf(at, '--at', true);
    return withReadTransaction(args.db, (connection) => {
      const verdict = decide({ user, address }, rulesOf(connection), now);
      const because = reasons(connection, verdict, user, address, now);
      const allowed = verdict.kind !== 'refused';
      if (args.flag('json')) {
        const { subject = null, entry = null } = verdict.kind === 'no-user' ? {} : verdict;
        const decision = allowed ? 'allow' : 'reject';
        const { network = null, set = null } = entry ?? {};
        printLine(JSON.stringify({ user, address, decision, subject, network, set, reason: because.join('; ') }));
        return allowed ? 0 : 1;
      }
      printLine(allowed ? 'allowed' : 'refused', allowed ? 'green' : 'red');
      for (const line of because) printLine(`  ${line}`);
      if (verdict.kind !== 'refused') return 0;
      const command = at === null ? remedyFor(verdict, user, address, args.db) : null;
      if (command !== null) hint(`to ${verdict.why === 'blocked' ? 'unblock' : 'allow it'}: ${command}`);
      return 1;
    });
  },
};
