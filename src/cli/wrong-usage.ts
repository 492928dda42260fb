// Explains why yargs rejected a command line, and suggests what was likely meant.
import { Trouble } from '../failure';
import { type Command, firstWord, usageOf } from './command';
import { nearest } from './nearest';

/** Put before a positional that yargs would misread. No word of a command line can contain a NUL. */
export const MARK = '\0';

/** `complaint`: yargs' message, or null. `words`: the command line after the program's name. */
export function wrongUsage(complaint: string | null, words: readonly string[], commands: readonly Command[]): Trouble {
  const at = words.findIndex((word) => commands.map(firstWord).includes(word));
  const members = commands.filter((command) => firstWord(command) === words[at]);
  const command = members.find(({ line }) => !/^\S+ [a-z]/.test(line) || line.split(' ')[1] === words[at + 1]);
  const group = command === undefined && at >= 0 ? `${words[at]} ` : '';
  const help = `allow-nets ${group}--help lists the commands`;
  const usage =
    command === undefined ? help : `allow-nets ${usageOf(`${command.line} ${command.tail ?? ''}`).trimEnd()}`;
  const wrong = (problem: string, hint = usage) => new Trouble({ kind: 'option', problem, hint });

  const message = (complaint ?? '').replaceAll(MARK, '');
  const [, valueless] = /^Not enough arguments following: (.+)$/.exec(message) ?? [];
  if (valueless !== undefined) return wrong(`--${valueless} requires a value`);
  if (message === '') return wrong('a command is missing');
  if (message.startsWith('Not enough non-option arguments')) return wrong('arguments are missing');
  const [, option, value, choices] = /Argument: ([^,]+), Given: "(.*)", Choices: (.+)/.exec(message) ?? [];
  if (choices !== undefined)
    return wrong(`--${option} cannot be ${value}`, `it is one of ${choices.replaceAll('"', '')}`);
  const [, unknown] = /^Unknown (?:command|argument)s?: (.+)$/s.exec(message) ?? [];
  if (unknown === undefined) return wrong(message.replace(/^./, (first) => first.toLowerCase()));

  const name = unknown.split(', ')[0] ?? '';
  const typed = words
    .find((word) => /^--?[^-]/.test(word) && word.replace(/^--?|=.*/g, '') === name)
    ?.replace(/=.*/s, '');
  if (typed !== undefined) {
    const known = [...Object.keys(command?.options ?? {}), 'db', 'help', 'version'].map((option) => `--${option}`);
    const meant = nearest(typed, known);
    return wrong(`unknown option ${typed}`, meant === null ? usage : `did you mean ${meant}`);
  }
  if (command !== undefined) return wrong(`unexpected argument ${name}`);
  const known = commands.map(({ line }) => line.split(' ')[group === '' ? 0 : 1] ?? '');
  const meant = (group === '' && otherWord(name)) || nearest(name, known);
  return wrong(`unknown command ${name}`, meant === null ? help : `did you mean allow-nets ${group}${meant}`);
}

/** The names that other programs have for our commands. */
const OTHER_WORDS: Readonly<Record<string, string>> = {
  remove: 'del delete rm drop',
  add: 'allow permit grant new',
  block: 'ban deny disable lock',
  unblock: 'unban enable unlock',
  list: 'ls show get print',
  'list --status': 'status',
  check: 'test why query',
  'set list': 'sets',
  init: 'create',
  import: 'load',
  export: 'dump save',
  install: 'setup',
  doctor: 'verify diagnose',
  refused: 'log',
};

function otherWord(name: string): string | null {
  return Object.keys(OTHER_WORDS).find((command) => OTHER_WORDS[command]?.split(' ').includes(name)) ?? null;
}
