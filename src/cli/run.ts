// The administrator's commands: command line to command, command to exit status.
//
// A mistake on the command line is answered with a sentence and a hint (status 2), anything else that goes wrong with what to do (status 1),
// a bug with its stack (status 70).
import * as path from 'node:path';
import yargs, { type Argv } from 'yargs';
import { asErrorLines, commandStatus, failureOf } from '../failure';
import { DEFAULT_DATABASE } from '../rules/database';
import type { Arguments, Command } from './command';
import { addCompletion } from './completion';
import { flush, print, printError } from './output';
import { DB_OPTION, POLICY_ABOUT, POLICY_OPTIONS, POLICY_USAGE } from './policy-usage';
import { asTyped, firstWords, wordsForYargs } from './words';
import { type Place, wrongUsage } from './wrong-usage';

declare const __VERSION__: string;

/** Runs the command and sets the exit status. `words`: the command line after the program's name. */
export async function runCommandLine(words: readonly string[], commands: readonly Command[]): Promise<void> {
  let status = 0;
  try {
    const chosen = await commandOf(wordsForYargs(words, commands), commands);
    if (chosen !== null) status = await chosen.command.run(chosen.given);
    flush();
  } catch (error) {
    const failure = failureOf(error);
    printError(asErrorLines(failure));
    status = commandStatus(failure);
  }
  process.exitCode = status;
}

/** Leaves yargs with the command that it has found: when a handler returns, it renders the help text, which takes longer than the command. */
class Chosen extends Error {
  constructor(
    readonly command: Command,
    readonly given: Arguments,
  ) {
    super(command.line);
  }
}

/** The command that the words ask for, or null when --help, --version or a completion was all. Throws Trouble. */
async function commandOf(words: readonly string[], commands: readonly Command[]): Promise<Chosen | null> {
  try {
    let output = '';
    await parserFor(words, commands).parseAsync(words, {}, (_error, _values, text) => {
      output = text;
    });
    if (output !== '') print(`${output}\n`);
    return null;
  } catch (error) {
    if (error instanceof Chosen) return error;
    throw error;
  }
}

const WIDTH = 100;

/** `words`: the command line, for complaints about it. */
function parserFor(words: readonly string[], commands: readonly Command[]): Argv {
  const parser = base(yargs([]))
    .fail(complain({ words, line: null, known: [...firstWords(commands), ...optionsOf(POLICY_OPTIONS)] }))
    .usage(`${POLICY_USAGE}\n\n${POLICY_ABOUT}`)
    .options({ ...POLICY_OPTIONS })
    .example('allow-nets add alice@example.com 192.0.2.0/24', 'let alice send mail from there')
    .example('allow-nets check alice@example.com 192.0.2.7', 'would alice be allowed, and why')
    .demandCommand(1, '');
  return addCompletion(addCommands(parser, commands, words));
}

function base(parser: Argv): Argv {
  return parser
    .scriptName('allow-nets')
    .locale('en')
    .wrap(WIDTH)
    .version(__VERSION__)
    .help('help')
    .option('db', DB_OPTION)
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
}

/** yargs reports what is wrong in a command line as a message, or as an error of its own. */
function complain(place: Place) {
  return (message: string, error?: Error): never => {
    throw error === undefined || error === null || error.name === 'YError' ? wrongUsage(message, place) : error;
  };
}

function optionsOf(options: Readonly<Record<string, unknown>> = {}): string[] {
  return [...Object.keys(options), 'db', 'help', 'version'].map((name) => `--${name}`);
}

/** What the commands of two words are for, by the first. */
const GROUPS: Readonly<Record<string, string>> = { set: 'manage named sets of networks' };

/** A command of two words (`set add`) is a command of the first one. */
function addCommands(parser: Argv, commands: readonly Command[], words: readonly string[]): Argv {
  const groups = new Set<string>();
  for (const command of commands) {
    const [first = '', second = ''] = command.line.split(' ');
    if (!/^[a-z]/.test(second)) addCommand(parser, command.line, command, words);
    else if (!groups.has(first)) {
      groups.add(first);
      const members = commands.filter(({ line }) => line.startsWith(`${first} `));
      parser.command(first, GROUPS[first] ?? '', (group) => {
        for (const member of members) {
          addCommand(group, member.line.slice(first.length + 1), member, words);
        }
        const known = members.map(({ line }) => line.split(' ')[1] ?? '');
        return group
          .demandCommand(1, `${first} requires a command`)
          .fail(complain({ words, line: null, known, group: first }));
      });
    }
  }
  return parser;
}

function addCommand(parser: Argv, line: string, command: Command, words: readonly string[]): void {
  const full = [command.line, command.tail ?? ''].join(' ').trimEnd();
  parser.command(
    line,
    command.summary,
    (own) => {
      for (const [name, describe] of Object.entries(command.positionals ?? {})) {
        // Without a default of our own, --help would tell that of several words: [].
        own.positional(name, { type: 'string', describe, default: undefined });
      }
      for (const [text, about] of command.examples) own.example(text, about);
      if (command.tail) own.usage(`$0 ${line} ${command.tail}\n\n${command.summary}`);
      if (command.about) own.epilogue(command.about.join('\n\n'));
      return own
        .options({ ...command.options })
        .fail(complain({ words, line: full, known: optionsOf(command.options) }));
    },
    (values) => {
      throw new Chosen(command, argumentsOf(values));
    },
  );
}

function argumentsOf(values: Record<string, unknown>): Arguments {
  const texts = (name: string): string[] => {
    const given = [values[name]].flat().filter((value) => value !== undefined);
    return given.map((value) => asTyped(String(value)));
  };
  const db = texts('db').at(-1) || process.env['ALLOW_NETS_DB'] || DEFAULT_DATABASE;
  return {
    text: (name) => texts(name).at(-1) ?? null,
    texts,
    flag: (name) => values[name] === true,
    rest: texts('--'),
    db: path.resolve(db),
  };
}
