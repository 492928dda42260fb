// Parses the command line of the administrator's commands with yargs, runs the command, and sets the exit status.
//
// DIAGNOSTICS: every failure prints an error and a hint; the status is 2 for wrong usage, 70 for a bug, else 1.
import * as path from 'node:path';
import yargs, { type Argv } from 'yargs';
import { asErrorLines, commandStatus, failureOf, wrongUsage } from '../failure';
import { DEFAULT_DATABASE } from '../rules/database';
import {
  type Arguments,
  type Command,
  DB_OPTION,
  firstWord,
  POLICY_ABOUT,
  POLICY_OPTIONS,
  POLICY_USAGE,
  usageOf,
} from './command';
import { COMPLETION_QUERY, completeNames } from './completion';
import { flush, isTerminal, print, printError } from './output';

declare const __VERSION__: string;

/** Put before a word that yargs would misread. No word of a command line can contain a NUL. */
const MARK = '\0';

/** The width of --help, unless the terminal is narrower. */
const WIDEST = 100;

/** The summaries of groups of commands, by their first word. */
const GROUPS: Readonly<Record<string, string>> = { set: 'manage named sets of networks' };

const UNKNOWN = 'unknown command or argument: %s';
const MISSING = 'arguments are missing: got %s, need at least %s';

/** What yargs is to say instead of its own messages. */
const MESSAGES = {
  'Not enough non-option arguments: got %s, need at least %s': { one: MISSING, other: MISSING },
  'Not enough arguments following: %s': '--%s requires a value',
  'Invalid values:': 'wrong value:',
  'Argument: %s, Given: %s, Choices: %s': '--%s %s is not one of %s',
  'Unknown argument: %s': { one: 'unknown option --%s', other: 'unknown options: %s' },
  'Unknown command: %s': { one: UNKNOWN, other: UNKNOWN },
};

/**
 * Thrown by the handlers so that the command runs outside yargs. A handler that returns makes yargs render the help,
 * which takes long.
 */
class ParsedCommand extends Error {
  constructor(readonly run: () => number | Promise<number>) {
    super();
  }
}

/** Runs the command and sets the exit status. `words`: the command line after the program's name. */
export async function runCommandLine(words: readonly string[], commands: readonly Command[]): Promise<void> {
  try {
    process.exitCode = await statusOf(words, commands);
    flush();
  } catch (error) {
    const failure = failureOf(error);
    printError(asErrorLines(failure));
    process.exitCode = commandStatus(failure);
  }
}

async function statusOf(words: readonly string[], commands: readonly Command[]): Promise<number> {
  try {
    // Without a callback yargs prints with console.log, which ignores a full disk.
    await parserFor(commands).parseAsync(wordsForYargs(words, commands), {}, (_error, _values, output) => {
      if (output !== '') print(`${output}\n`);
    });
    return 0;
  } catch (error) {
    if (error instanceof ParsedCommand) return error.run();
    throw error;
  }
}

/**
 * Turns `help COMMAND` and `set help` into `COMMAND --help` and `set --help`. Marks the positionals that yargs would
 * take for something else: `-`, a user named help, and all after `--`, unless the command has a tail.
 */
function wordsForYargs(words: readonly string[], commands: readonly Command[]): string[] {
  if (words[0] === COMPLETION_QUERY) return [...words];
  const help = words.indexOf('help');
  if (help === 0 || (help === 1 && Object.hasOwn(GROUPS, words[0] ?? ''))) {
    return [...words.filter((_, i) => i !== help), '--help'];
  }
  const end = words.includes('--') ? words.indexOf('--') : words.length;
  const own = words.slice(0, end).map((word) => (word === '-' || word === 'help' ? MARK + word : word));
  const hasTail = commands.some((command) => command.tail !== undefined && own.includes(firstWord(command)));
  return [...own, ...(hasTail ? words.slice(end) : words.slice(end + 1).map((word) => MARK + word))];
}

function parserFor(commands: readonly Command[]): Argv {
  // What yargs rejects is about the innermost command that it has recognized.
  let hint = 'allow-nets --help lists the commands';
  const parser = yargs([])
    .scriptName('allow-nets')
    .locale('en')
    .updateStrings(MESSAGES as never)
    .wrap(isTerminal(1) ? Math.min(WIDEST, process.stdout.columns || WIDEST) : WIDEST)
    .usage(`${POLICY_USAGE}\n\n${POLICY_ABOUT}`)
    .version(__VERSION__)
    .alias('version', ['V', 'v'])
    .help('help')
    .alias('help', ['h', '?'])
    .options({ db: DB_OPTION, ...POLICY_OPTIONS })
    .example('allow-nets add alice@example.com 192.0.2.0/24', 'let alice send mail from there')
    .example('allow-nets check alice@example.com 192.0.2.7', 'would alice be allowed, and why')
    .demandCommand(1, 'a command is missing')
    // Our own command prints the script, so yargs' one gets a name that nobody can type.
    .completion(`${MARK}completion`, false, completeNames)
    .strictCommands()
    .strictOptions()
    .exitProcess(false)
    .showHelpOnFail(false)
    .fail((message: string, error?: Error): never => {
      if (error && error.name !== 'YError') throw error;
      throw wrongUsage(message.replaceAll(MARK, '').replace(/\s*\n\s*/g, ' '), hint);
    })
    .parserConfiguration({
      'boolean-negation': false,
      'camel-case-expansion': false,
      'dot-notation': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'populate--': true,
    });
  const add = (to: Argv, line: string, command: Command) =>
    to.command(
      line,
      command.summary,
      (own) => {
        const words = command.line.replace(/ [<[].*/, '');
        hint = `allow-nets ${usageOf(command)}; allow-nets ${words} --help explains it`;
        describe(own, line, command);
      },
      (values) => {
        throw new ParsedCommand(() => command.run(argumentsOf(values)));
      },
    );
  for (const first of new Set(commands.map(firstWord))) {
    const members = commands.filter((command) => firstWord(command) === first);
    const summary = GROUPS[first];
    if (summary === undefined) for (const command of members) add(parser, command.line, command);
    else {
      parser.command(first, summary, (group) => {
        hint = `allow-nets ${first} --help lists the commands`;
        for (const command of members) add(group, command.line.slice(first.length + 1), command);
        return group.demandCommand(1, `${first} requires a command`);
      });
    }
  }
  return parser;
}

function describe(parser: Argv, line: string, command: Command): void {
  const { summary, tail, about = [], positionals = {}, options = {}, examples } = command;
  for (const [name, description] of Object.entries(positionals)) {
    // Without `default: undefined`, --help would show [] as the default of a variadic positional.
    parser.positional(name, { type: 'string', describe: description, default: undefined });
  }
  for (const [text, what] of examples) parser.example(text, what);
  if (tail !== undefined) parser.usage(`$0 ${line} ${tail}\n\n${summary}`);
  parser.options({ ...options }).epilogue(about.join('\n\n'));
}

function argumentsOf(values: Record<string, unknown>): Arguments {
  const texts = (name: string): string[] => {
    const present = [values[name]].flat().filter((value) => value !== undefined);
    return present.map((value) => String(value).replaceAll(MARK, ''));
  };
  return {
    text: (name) => texts(name).at(-1) ?? null,
    texts,
    flag: (name) => values[name] === true,
    rest: texts('--'),
    db: path.resolve(texts('db').at(-1) || process.env['ALLOW_NETS_DB'] || DEFAULT_DATABASE),
  };
}
