// What could stand where the cursor is: from the words of a command line, the commands, and the names in the database. Pure.
import type { Options } from 'yargs';
import type { Command } from '../command';
import { DB_OPTION, POLICY_OPTIONS } from '../policy-usage';

/** Names of a database, those that begin with `prefix`. */
export interface Names {
  users(prefix: string): Iterable<string>;
  sets(prefix: string): Iterable<string>;
  networksOf(user: string, prefix: string): Iterable<string>;
  networksOfSet(set: string, prefix: string): Iterable<string>;
}

/** Null: the shell knows better, a file or a command. */
export type Candidates = readonly string[] | null;

/** More are of no use to a person. */
const MOST = 200;

const GLOBAL: Readonly<Record<string, Options>> = {
  db: DB_OPTION,
  help: { type: 'boolean' },
  version: { type: 'boolean' },
};

/** Options and positionals by name, where more than one command has it. */
const FILES = ['file', 'db', 'config-dir'];
const USERS = ['user'];

/**
 * `words`: after the program's name; the last one is the one to complete, and may be empty. `namesOf`: of the database file given with --db,
 * or of the usual one for null.
 */
export function candidates(
  words: readonly string[],
  commands: readonly Command[],
  namesOf: (db: string | null) => Names,
): Candidates {
  const current = words.at(-1) ?? '';
  const line = read(words.slice(0, -1), commands);
  if (line.inTail) return null;
  const names = namesOf(line.db);
  if (line.waiting !== null) return valuesOf(line.waiting.name, line.waiting.option, current, names);
  const equals = current.indexOf('=');
  if (current.startsWith('--') && equals > 0) {
    const option = line.options[current.slice(2, equals)];
    if (option === undefined) return [];
    const found = valuesOf(current.slice(2, equals), option, current.slice(equals + 1), names);
    return found?.map((value) => `${current.slice(0, equals + 1)}${value}`) ?? null;
  }
  if (current.startsWith('-') && current !== '-') return optionsOf(line, current);
  if (line.command === null) return firstWords(line, commands, current);
  const positional = positionalAt(line.command, line.positionals.length);
  if (positional === null) return optionsOf(line, current);
  return positionalValues(line, positional, current, names);
}

interface Line {
  readonly command: Command | null;
  /** The first word of a command of two, when the second has not been given. */
  readonly group: string | null;
  readonly positionals: readonly string[];
  readonly options: Readonly<Record<string, Options>>;
  readonly used: ReadonlySet<string>;
  readonly db: string | null;
  /** An option that wants a value next. */
  readonly waiting: { readonly name: string; readonly option: Options } | null;
  /** After `--`. */
  readonly inTail: boolean;
}

function read(words: readonly string[], commands: readonly Command[]): Line {
  const plain: string[] = [];
  const used = new Set<string>();
  let db: string | null = null;
  let waiting: Line['waiting'] = null;
  for (const word of words) {
    const known = optionsFor(commandOf(plain, commands));
    if (waiting !== null) {
      if (waiting.name === 'db') db = word;
      waiting = null;
    } else if (word === '--') {
      return { ...shape(plain, commands), used, db, waiting, inTail: true };
    } else if (/^-./.test(word)) {
      const [, name = '', value] = /^--?([^=]+)(?:=(.*))?$/s.exec(word) ?? [];
      const [full, option] = named(name, known);
      used.add(full);
      if (full === 'db' && value !== undefined) db = value;
      if (option !== undefined && takesValue(option) && value === undefined) waiting = { name: full, option };
    } else plain.push(word);
  }
  return { ...shape(plain, commands), used, db, waiting, inTail: false };
}

function shape(plain: readonly string[], commands: readonly Command[]) {
  const command = commandOf(plain, commands);
  const group = command === null ? (plain[0] ?? null) : null;
  const positionals = command === null ? [] : plain.slice(wordsOf(command).length);
  return { command, group, positionals, options: optionsFor(command) };
}

/** The words of a command before its positionals: `set add`. */
function wordsOf({ line }: Command): string[] {
  return line.split(' ').filter((word) => /^[a-z]/.test(word));
}

function commandOf(plain: readonly string[], commands: readonly Command[]): Command | null {
  return commands.find((command) => wordsOf(command).every((word, i) => plain[i] === word)) ?? null;
}

function optionsFor(command: Command | null): Readonly<Record<string, Options>> {
  return { ...(command === null ? POLICY_OPTIONS : command.options), ...GLOBAL };
}

function named(name: string, options: Readonly<Record<string, Options>>): [string, Options | undefined] {
  const found = Object.entries(options).find(([full, { alias }]) => full === name || alias === name);
  return found ?? [name, undefined];
}

function takesValue(option: Options): boolean {
  return option.type !== 'boolean';
}

function firstWords({ group }: Line, commands: readonly Command[], prefix: string): string[] {
  const words = commands
    .map(wordsOf)
    .filter(([first]) => group === null || first === group)
    .map(([first, second]) => (group === null ? first : second));
  return starting([...new Set(words)], prefix);
}

function optionsOf({ options, used }: Line, prefix: string): string[] {
  const names = Object.keys(options).filter((name) => !used.has(name));
  return starting(
    names.map((name) => `--${name}`),
    prefix,
  );
}

/** The name of the positional at a place, or null when the command takes no more. */
function positionalAt({ line }: Command, place: number): string | null {
  const names = [...line.matchAll(/[<[]([^>.\]]+)(\.\.)?[>\]]/g)];
  const many = names.at(-1)?.[2] !== undefined;
  const at = place < names.length ? names[place] : many ? names.at(-1) : undefined;
  return at?.[1] ?? null;
}

function positionalValues(line: Line, name: string, prefix: string, names: Names): Candidates {
  const words = line.command === null ? [] : wordsOf(line.command);
  const [owner = ''] = line.positionals;
  const inSet = words[0] === 'set';
  const removing = words.at(-1) === 'remove';
  if (name === 'name' && inSet) {
    const at = prefix.startsWith('@') ? '@' : '';
    return starting(names.sets(prefix.slice(at.length)), '').map((set) => `${at}${set}`);
  }
  if (name !== 'network') return valuesOf(name, line.command?.options?.[name] ?? {}, prefix, names);
  const given = line.positionals.slice(1);
  const found = inSet
    ? removing
      ? names.networksOfSet(owner, prefix)
      : ['any']
    : removing
      ? names.networksOf(owner, prefix)
      : networksToAdd(prefix, names);
  return starting(found, prefix).filter((network) => !given.includes(network));
}

function* networksToAdd(prefix: string, names: Names): Iterable<string> {
  if (prefix === '' || prefix.startsWith('@')) {
    for (const set of names.sets(prefix.slice(1))) yield `@${set}`;
  }
  yield 'any';
}

function valuesOf(name: string, option: Options, prefix: string, names: Names): Candidates {
  if (option.choices) return starting(option.choices.map(String), prefix);
  if (FILES.includes(name)) return null;
  if (USERS.includes(name)) return starting(names.users(prefix), '');
  return name === 'shell' ? starting(['bash', 'zsh'], prefix) : [];
}

function starting(words: Iterable<string | undefined>, prefix: string): string[] {
  const found: string[] = [];
  for (const word of words) {
    if (word?.startsWith(prefix)) found.push(word);
    if (found.length === MOST) break;
  }
  return found;
}
