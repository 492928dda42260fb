// Parses the command line of the administrator's commands with yargs, runs the command, and sets the exit status.
//
// DIAGNOSTICS: every failure prints an error and a hint; the status is 2 for wrong usage, 70 for a bug, else 1.
import * as path from 'node:path';
import yargs, { type Argv } from 'yargs';
import { asErrorLines, commandStatus, failureOf } from '../failure';
import { DEFAULT_DATABASE } from '../rules/database';
import { type Arguments, type Command, firstWord } from './command';
import { COMPLETION_QUERY, completeNames } from './completion';
import { flush, print, printError } from './output';
import { DB_OPTION, POLICY_ABOUT, POLICY_OPTIONS, POLICY_USAGE } from './policy-usage';
import { MARK, wrongUsage } from './wrong-usage';

declare const __VERSION__: string;

/**
 * Thrown by the handlers so that the command runs outside yargs. A handler that returns makes yargs render the help,
 * which takes long.
 */
class ParsedCommand extends Error {
  constructor(
    readonly command: Command,
    readonly args: Arguments,
  ) {
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
  const parser = parserFor(commands).fail((message: string, error?: Error): never => {
    throw error && error.name !== 'YError' ? error : wrongUsage(message, words, commands);
  });
  try {
    // Without a callback yargs prints with console.log, which ignores a full disk.
    await parser.parseAsync(wordsForYargs(words, commands), {}, (_error, _values, output) => {
      if (output !== '') print(`${output}\n`);
    });
    return 0;
  } catch (error) {
    if (error instanceof ParsedCommand) return error.command.run(error.args);
    throw error;
  }
}

/**
 * Turns `help COMMAND` and `set help` into `COMMAND --help` and `set --help`. Marks the positionals that yargs would
 * take for something else: `-`, a user named help, and all after `--`, unless the command has a tail.
 */
function wordsForYargs(words: readonly string[], commands: readonly Command[]): string[] {
  const [first, second] = words;
  if (first === COMPLETION_QUERY) return [...words];
  if (first === 'help') {
    const isHelp = second === undefined || commands.some((command) => firstWord(command) === second);
    return isHelp ? [...words.slice(1), '--help'] : words.slice(1);
  }
  if (second === 'help' && Object.hasOwn(GROUPS, first ?? '')) return [first ?? '', ...words.slice(2), '--help'];
  const end = words.includes('--') ? words.indexOf('--') : words.length;
  const own = words.slice(0, end);
  const marked = own.map((word, i) => (word === '-' || (word === 'help' && i > 0) ? `${MARK}${word}` : word));
  const hasTail = commands.some((command) => command.tail !== undefined && own.includes(firstWord(command)));
  return [...marked, ...(hasTail ? words.slice(end) : words.slice(end + 1).map((word) => `${MARK}${word}`))];
}

function parserFor(commands: readonly Command[]): Argv {
  const parser = yargs([])
    .scriptName('allow-nets')
    .locale('en')
    .wrap(100)
    .usage(`${POLICY_USAGE}\n\n${POLICY_ABOUT}`)
    .version(__VERSION__)
    .alias('version', ['V', 'v'])
    .help('help')
    .alias('help', ['h', '?'])
    .options({ db: DB_OPTION, ...POLICY_OPTIONS })
    .example('allow-nets add alice@example.com 192.0.2.0/24', 'let alice send mail from there')
    .example('allow-nets check alice@example.com 192.0.2.7', 'would alice be allowed, and why')
    .demandCommand(1, '')
    // Our own command prints the script, so yargs' one gets a name that nobody can type.
    .completion(`${MARK}completion`, false, completeNames)
    .strict()
    .exitProcess(false)
    .showHelpOnFail(false)
    .parserConfiguration({
      'boolean-negation': false,
      'camel-case-expansion': false,
      'dot-notation': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'populate--': true,
    });
  const groups = new Set<string>();
  for (const command of commands) {
    const first = firstWord(command);
    const summary = GROUPS[first];
    if (summary === undefined) addCommand(parser, command.line, command);
    else if (!groups.has(first)) {
      groups.add(first);
      parser.command(first, summary, (group) => {
        for (const member of commands) {
          if (firstWord(member) === first) addCommand(group, member.line.slice(first.length + 1), member);
        }
        return group.demandCommand(1, `${first} requires a command`);
      });
    }
  }
  return parser;
}

/** The summaries of groups of commands, by their first word. */
const GROUPS: Readonly<Record<string, string>> = { set: 'manage named sets of networks' };

function addCommand(parser: Argv, line: string, command: Command): void {
  const { summary, tail, about = [], positionals = {}, options = {}, examples } = command;
  parser.command(
    line,
    summary,
    (own) => {
      for (const [name, describe] of Object.entries(positionals)) {
        // Without `default: undefined`, --help would show [] as the default of a variadic positional.
        own.positional(name, { type: 'string', describe, default: undefined });
      }
      for (const [text, what] of examples) own.example(text, what);
      if (tail !== undefined) own.usage(`$0 ${line} ${tail}\n\n${summary}`);
      return own.options({ ...options }).epilogue(about.join('\n\n'));
    },
    (values) => {
      throw new ParsedCommand(command, argumentsOf(values));
    },
  );
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
