// Completion in bash and zsh. yargs completes commands, options and their choices; this file adds names from the
// database.
//
// DIAGNOSTICS: if the database cannot be read, no names are offered.
import * as path from 'node:path';
import type { FallbackCompletionFunction } from 'yargs';
import { DEFAULT_DATABASE } from '../rules/database';
import { eachRowOf, namesFrom } from '../rules/entries';
import { foldName } from '../rules/subject';
import { withReadTransaction } from './open';

/** The completion script runs `allow-nets` with this word first. */
export const COMPLETION_QUERY = '--get-yargs-completions';

/** Most names offered at once; nobody reads a longer list. */
const MOST = 200;

/** Offers database names where they can stand, else what yargs offers. */
export const completeNames: FallbackCompletionFunction = (current, argv, others, done) => {
  const words = (argv._ as unknown[]).map(String).filter((word) => word !== 'allow-nets');
  const line = words.slice(0, -1).join(' ');
  const [, command, owner] = /^((?:set )?[a-z]+)(?: (\S+))?/.exec(line) ?? [];
  const found = current.startsWith('-') ? null : namesAt(command ?? '', owner, current, argv['db']);
  if (found === null) return others();
  const names: string[] = [];
  for (const name of found) {
    // Names with shell metacharacters are left out, so that a completed name cannot run as a command.
    if (name.startsWith(current) && /^[\p{L}\p{N}_@+./][\p{L}\p{N}_@%+=,.:/-]*$/u.test(name)) names.push(name);
    if (names.length === MOST) break;
  }
  // zsh takes the text after a colon for a description.
  done(process.env['SHELL']?.includes('zsh') ? names.map((name) => name.replaceAll(':', '\\:')) : names);
};

/** The names that can follow `command` and `owner` (a user or set); null if yargs is to complete. */
function namesAt(command: string, owner: string | undefined, current: string, db: unknown): Iterable<string> | null {
  const isSet = /^set (add|remove|list|load)$/.test(command);
  if (!isSet && !/^(add|block|unblock|remove|list|check)$/.test(command)) return null;
  if (owner !== undefined && !/^(add|(set )?remove)$/.test(command)) return null;
  const table = isSet ? 'network_set' : 'access';
  try {
    return withReadTransaction(
      path.resolve(String(db ?? (process.env['ALLOW_NETS_DB'] || DEFAULT_DATABASE))),
      (connection) => {
        if (owner === undefined) return namesFrom(connection, table, foldName(current));
        if (command === 'add') return ['any', ...[...namesFrom(connection, 'network_set')].map((name) => `@${name}`)];
        const name = foldName(isSet ? owner.replace(/^@/, '') : owner);
        return [...eachRowOf(connection, table, name)].map(({ network }) => String(network));
      },
    );
  } catch {
    return [];
  }
}
