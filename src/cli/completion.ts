// Completion in bash and zsh: yargs knows commands, options and their choices, and this file the names in the database.
//
// DIAGNOSTICS: a database that cannot be read has no names to complete.
import * as path from 'node:path';
import type { FallbackCompletionFunction } from 'yargs';
import { DEFAULT_DATABASE } from '../rules/database';
import { eachRowOf, namesFrom } from '../rules/entries';
import { foldName } from '../rules/subject';
import { reading } from './open';

/** The first word of what the script asks at each key press. */
export const COMPLETION_QUERY = '--get-yargs-completions';

/** A longer list helps nobody. */
const MOST = 200;

/** The names that can stand at the cursor, or what yargs itself finds. */
export const completeNames: FallbackCompletionFunction = (current, argv, others, done) => {
  const words = (argv._ as unknown[]).map(String).filter((word) => word !== 'allow-nets');
  const line = words.slice(0, -1).join(' ');
  const [, command, owner] = /^((?:set )?[a-z]+)(?: (\S+))?/.exec(line) ?? [];
  const found = current.startsWith('-') ? null : namesAt(command ?? '', owner, current, argv['db']);
  if (found === null) return others();
  const names: string[] = [];
  for (const name of found) {
    // A name with characters that a shell interprets is left out: a completed name must not become a command.
    if (name.startsWith(current) && /^[\p{L}\p{N}_@+./][\p{L}\p{N}_@%+=,.:/-]*$/u.test(name)) names.push(name);
    if (names.length === MOST) break;
  }
  // In zsh a colon begins a description.
  done(process.env['SHELL']?.includes('zsh') ? names.map((name) => name.replaceAll(':', '\\:')) : names);
};

/** The names for the place after `command` and, if given, `owner` (a user or set); null for what yargs completes. */
function namesAt(command: string, owner: string | undefined, current: string, db: unknown): Iterable<string> | null {
  const isSet = /^set (add|remove|list|load)$/.test(command);
  if (!isSet && !/^(add|block|unblock|remove|list|check)$/.test(command)) return null;
  if (owner !== undefined && !/^(add|(set )?remove)$/.test(command)) return null;
  const table = isSet ? 'network_set' : 'access';
  try {
    return reading(path.resolve(String(db ?? (process.env['ALLOW_NETS_DB'] || DEFAULT_DATABASE))), (connection) => {
      if (owner === undefined) return namesFrom(connection, table, foldName(current));
      if (command === 'add') return ['any', ...[...namesFrom(connection, 'network_set')].map((name) => `@${name}`)];
      const name = foldName(isSet ? owner.replace(/^@/, '') : owner);
      return [...eachRowOf(connection, table, name)].map(({ network }) => String(network));
    });
  } catch {
    return [];
  }
}
