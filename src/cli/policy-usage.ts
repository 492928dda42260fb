// Describes the policy program's command line for --help and the manual. policy/options.ts parses it.
import { DEFAULT_DATABASE } from '../rules/database';

export const POLICY_USAGE = `allow-nets [--db FILE] [--persistent] [--reject-text TEXT] [--log none|reject|all]
       allow-nets COMMAND ...`;

export const POLICY_ABOUT = `Without a command: the policy program that Postfix runs. It reads a policy request on
standard input and answers on standard output.`;

export const DB_OPTION = {
  type: 'string',
  requiresArg: true,
  describe: `the database ($ALLOW_NETS_DB, else ${DEFAULT_DATABASE})`,
} as const;

export const POLICY_OPTIONS = {
  persistent: {
    type: 'boolean',
    global: false,
    describe: 'answer any number of requests on one connection',
  },
  'reject-text': {
    type: 'string',
    global: false,
    describe: 'the text of a refusal; {user} and {address} are filled in',
  },
  log: {
    global: false,
    choices: ['none', 'reject', 'all'],
    describe: 'which requests are logged (default reject)',
  },
} as const;
