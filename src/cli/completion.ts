// Completion in bash and zsh by yargs: its script, and what that script asks at each key press, with the names in the database.
//
// DIAGNOSTICS: a database that cannot be read has no names to complete.
import * as path from 'node:path';
import type { Argv, FallbackCompletionFunction } from 'yargs';
import { type Connection, DEFAULT_DATABASE } from '../rules/database';
import { eachRowOf, namesFrom } from '../rules/entries';
import type { Table } from '../rules/schema';
import { foldName } from '../rules/subject';
import { reading } from './open';

/** The first word of what the script asks. */
export const COMPLETION_QUERY = '--get-yargs-completions';

const USER_VERBS = ['add', 'block', 'unblock', 'remove', 'list', 'check'];
const SET_VERBS = ['add', 'remove', 'list', 'load'];

/** More are of no use to a person. */
const MOST = 200;

export function addCompletion(parser: Argv): Argv {
  // The command that prints the script is one of ours: no word of a command line is yargs' name for it.
  return parser.completion('\0completion', false, complete);
}

/** The names that can stand at the cursor, or what yargs knows itself: commands, options and their choices. */
const complete: FallbackCompletionFunction = (current, argv, others, done) => {
  const words = (argv._ as unknown[]).map(String).filter((word) => word !== 'allow-nets');
  const db = String(argv['db'] ?? (process.env['ALLOW_NETS_DB'] || DEFAULT_DATABASE));
  const found = current.startsWith('-') ? null : namesAt(words.slice(0, -1), current, path.resolve(db));
  if (found === null) others();
  // In zsh a colon begins a description.
  else done(isZsh() ? found.map((name) => name.replaceAll(':', '\\:')) : found);
};

const isZsh = () => process.env['SHELL']?.includes('zsh') === true;

/** The names that begin with `current`, after the words of a command line; null where the database has none to offer. */
function namesAt([command = '', ...words]: readonly string[], current: string, db: string): string[] | null {
  const isSet = command === 'set';
  const verb = isSet ? words.shift() : command;
  const table = isSet ? 'network_set' : 'access';
  if (verb === undefined || !(isSet ? SET_VERBS : USER_VERBS).includes(verb)) return null;
  const [owner] = words;
  try {
    return reading(db, (connection) => {
      if (owner === undefined) return first(namesFrom(connection, table, foldName(current)));
      if (verb === 'add' && !isSet) return setsToAdd(connection, current);
      if (verb !== 'remove') return null;
      const name = foldName(isSet ? owner.replace(/^@/, '') : owner);
      return first(networksOf(connection, table, name, current));
    });
  } catch {
    return [];
  }
}

function* networksOf(connection: Connection, table: Table, name: string, start: string): Iterable<string> {
  for (const { network } of eachRowOf(connection, table, name)) {
    if (typeof network === 'string' && network.startsWith(start)) yield network;
  }
}

function setsToAdd(connection: Connection, current: string): string[] {
  const sets = first(namesFrom(connection, 'network_set', foldName(current.replace(/^@/, ''))));
  return [...sets.map((name) => `@${name}`), 'any'].filter((name) => name.startsWith(current));
}

/** A name that a shell takes for more than text is left out: what is completed must not become a command. */
function first(names: Iterable<string>): string[] {
  const found: string[] = [];
  for (const name of names) {
    if (/^[\p{L}\p{N}_@+./][\p{L}\p{N}_@%+=,.:/-]*$/u.test(name)) found.push(name);
    if (found.length === MOST) break;
  }
  return found;
}

/**
 * yargs' script, made to ask for the names as its own shell needs them, whatever $SHELL is. bash splits words at `@`, `:` and `=` unless it is
 * told not to, as npm's completion does.
 */
export function completionScript(script: string): string {
  const shell = script.startsWith('#compdef') ? 'zsh' : 'bash';
  const asked = script.replace(`allow-nets ${COMPLETION_QUERY}`, `SHELL=${shell} $&`);
  return shell === 'zsh' ? asked : `COMP_WORDBREAKS=\${COMP_WORDBREAKS//[@:=]/}\n${asked}`;
}
