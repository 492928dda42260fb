// A command line that yargs does not understand, in our words: what is wrong with it, and how it was likely meant.
import { Trouble } from '../failure';
import { shownLine } from './command';
import { nearest } from './input';
import { asTyped as withoutMarks } from './words';

/** Where on the command line yargs stopped. */
export interface Place {
  /** The command line after the program's name, as it was typed. */
  readonly words: readonly string[];
  /** The command that was given (`add <user> <network..>`), or null before there was one. */
  readonly line: string | null;
  /** The words that could stand there: commands, or options with their dashes. */
  readonly known: readonly string[];
  /** The first word of a command of two. */
  readonly group?: string;
}

/** `message`: yargs' complaint. */
export function wrongUsage(message: string, place: Place): Trouble {
  const { line, group, known } = place;
  const help = `allow-nets ${group === undefined ? '' : `${group} `}--help lists the commands`;
  const usage = line === null ? help : `allow-nets ${shownLine(line)}`;
  const [, valueless] = /^Not enough arguments following: (.+)$/.exec(message) ?? [];
  if (valueless !== undefined) return wrong(`--${valueless} requires a value`, usage);
  if (message === '') return wrong('a command is missing', help);
  if (message.startsWith('Not enough non-option arguments')) return wrong('arguments are missing', usage);
  const [, option, given, choices] = /Argument: ([^,]+), Given: (.+), Choices: (.+)/.exec(message) ?? [];
  if (choices !== undefined) {
    return wrong(`--${option} cannot be ${unquoted(given)}`, `it is one of ${unquoted(choices)}`);
  }
  const [, kind, unknown] = /^Unknown (command|argument)s?: (.+)$/.exec(message) ?? [];
  if (unknown === undefined) return wrong(sentence(message), usage);
  const all = unknown.split(', ').map((name) => asTyped(name, place.words));
  const [first = ''] = all;
  const meant = (line === null && group === undefined ? OTHER_WORDS[first] : undefined) ?? nearest(first, known);
  if (line !== null || first.startsWith('-')) {
    const hint = first.startsWith('-') && meant !== null ? `did you mean ${meant}` : usage;
    return wrong(`not understood: ${all.join(', ')}`, hint);
  }
  const name = kind === 'argument' ? 'command' : kind;
  const full = `${group === undefined ? '' : `${group} `}${meant}`;
  return wrong(`unknown ${name} ${first}`, meant === null ? help : `did you mean allow-nets ${full}`);
}

/** What other programs call our commands. */
const OTHER_WORDS: Readonly<Record<string, string>> = {
  del: 'remove',
  delete: 'remove',
  rm: 'remove',
  drop: 'remove',
  allow: 'add',
  permit: 'add',
  grant: 'add',
  new: 'add',
  ban: 'block',
  deny: 'block',
  disable: 'block',
  lock: 'block',
  unban: 'unblock',
  enable: 'unblock',
  unlock: 'unblock',
  ls: 'list',
  show: 'list',
  get: 'list',
  print: 'list',
  status: 'list --status',
  test: 'check',
  why: 'check',
  query: 'check',
  sets: 'set list',
  create: 'init',
  load: 'import',
  dump: 'export',
  save: 'export',
  setup: 'install',
  verify: 'doctor',
  diagnose: 'doctor',
  log: 'refused',
};

/** yargs names an option without its dashes. */
function asTyped(name: string, words: readonly string[]): string {
  const option = words.find((word) => /^--?./.test(word) && word.replace(/^--?/, '').split('=')[0] === name);
  return option?.split('=')[0] ?? name;
}

function unquoted(text: string | undefined): string {
  return (text ?? '').replaceAll('"', '');
}

function wrong(problem: string, hint: string): Trouble {
  return new Trouble({ kind: 'option', problem: withoutMarks(problem), hint });
}

function sentence(message: string): string {
  return `${message.charAt(0).toLowerCase()}${message.slice(1)}`.replace(/\.?\s*$/, '').replace(/\s*\n\s*/g, ' ');
}
