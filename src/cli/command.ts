// The description of a command, from which its parsing, --help, completion and manual section are made.
import type { Options } from 'yargs';
import { DEFAULT_DATABASE } from '../rules/database';

/** The parsed command line. Options are named as on the command line, without the dashes. */
export interface Arguments {
  text(name: string): string | null;
  texts(name: string): string[];
  flag(name: string): boolean;
  /** The words after `--`. */
  readonly rest: string[];
  /** The database file, as an absolute path. */
  readonly db: string;
}

export interface Command {
  /** In the syntax of yargs: `add <user> <network..>`. */
  readonly line: string;
  /** The part after the options, for --help: `-- <command> [arg..]`. */
  readonly tail?: string;
  readonly summary: string;
  /** Paragraphs for the manual and --help. */
  readonly about?: readonly string[];
  readonly positionals?: Readonly<Record<string, string>>;
  readonly options?: Readonly<Record<string, Options>>;
  /** A command line and what it does. */
  readonly examples: readonly (readonly [string, string])[];
  /** Returns the exit status; throws Trouble. */
  run(args: Arguments): number | Promise<number>;
}

/** The first word of a command's line. */
export const firstWord = ({ line }: Command) => line.replace(/ .*/, '');

/** `add USER NETWORK...`: how the manual and hints write the line of a command. */
export function usageOf({ line, tail }: Command): string {
  const text = [line, tail ?? []].flat().join(' ').replaceAll('..', '...');
  return text.replace(/<(.+?)>|\[.+?\]/g, (all, required?: string) => (required ?? all).toUpperCase());
}

/** An option that is given or not. */
export const flag = (describe: string) => ({ type: 'boolean', describe }) as const;
/** An option with a value. */
export const value = (describe: string) => ({ type: 'string', requiresArg: true, describe }) as const;

export const NOTE = value('why, for later readers');
export const LOCAL = flag('only on this server: sync leaves it alone');
export const DRY_RUN = flag('print what would change, and change nothing');

/** The options of a command that writes an entry. */
export const ENTRY_OPTIONS: Readonly<Record<string, Options>> = {
  note: NOTE,
  until: value('until that time; a date means the end of that day'),
  for: value('for that long: 7d, 12h, 30m'),
  local: LOCAL,
};

/** The policy program's command line, for --help and the manual. policy/options.ts parses it. */
export const POLICY_USAGE = `allow-nets [--db FILE] [--persistent] [--reject-text TEXT] [--log none|reject|all]
       allow-nets COMMAND ...`;

export const POLICY_ABOUT = `Without a command: the policy program that Postfix runs. It reads a policy request on
standard input and answers on standard output.`;

export const DB_OPTION = value(`the database ($ALLOW_NETS_DB, else ${DEFAULT_DATABASE})`);

export const POLICY_OPTIONS = {
  persistent: { type: 'boolean', global: false, describe: 'answer any number of requests on one connection' },
  'reject-text': {
    type: 'string',
    global: false,
    describe: 'the text of a refusal; {user} and {address} are filled in',
  },
  log: { global: false, choices: ['none', 'reject', 'all'], describe: 'which requests are logged (default reject)' },
} as const;
