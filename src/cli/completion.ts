// Completion in bash and zsh. yargs completes commands, options and their choices; this file adds names from the
// database.
//
// DIAGNOSTICS: if the database cannot be read, no names are offered.

import * as path from 'node:path';
import type { FallbackCompletionFunction } from 'yargs';
import { DEFAULT_DATABASE } from '../rules/database';
import { namesFrom } from '../rules/entries';
import { foldName } from '../rules/meaning';
import { withReadTransaction } from './open';

/** The completion script runs `allow-nets` with this word first. */
export const COMPLETION_QUERY = '--get-yargs-completions';

/** Most names offered at once; nobody reads a longer list. */
const MOST = 200;

/** Where a name can stand: the words before it, the table with the names, and what is written before a name. */
const PLACES = [
  [/^set (add|remove|list|load)$/, 'network_set', ''],
  [/^(add|block|unblock|remove|list|check)$/, 'access', ''],
  [/^add \S+/, 'network_set', '@'],
] as const;

/** Offers database names where they can stand, else what yargs offers. */
export const completeNames: FallbackCompletionFunction = (current, argv, others, done) => {
  const words = (argv._ as unknown[]).map(String).filter((word) => word !== 'allow-nets');
  const line = words.slice(0, -1).join(' ');
  const [, table, mark = ''] = PLACES.find(([before]) => before.test(line)) ?? [];
  if (table === undefined || current.startsWith('-')) return others();
  const names: string[] = [];
  try {
    const db = path.resolve(String(argv['db'] ?? (process.env['ALLOW_NETS_DB'] || DEFAULT_DATABASE)));
    const start = foldName(current.slice(mark.length));
    for (const name of withReadTransaction(db, (connection) => namesFrom(connection, table, start))) {
      const word = `${mark}${name}`;
      // Names with shell metacharacters are left out, so that a completed name cannot run as a command.
      if (word.startsWith(current) && /^[\p{L}\p{N}_@+./][\p{L}\p{N}_@%+=,.:/-]*$/u.test(word)) names.push(word);
      if (names.length === MOST) break;
    }
  } catch {}
  // zsh takes the text after a colon for a description.
  done(process.env['SHELL']?.includes('zsh') ? names.map((name) => name.replaceAll(':', '\\:')) : names);
};
