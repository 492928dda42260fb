// Writes the commands that hints print, ready to be pasted into a POSIX shell on this host.

import * as path from 'node:path';
import { printable, shellWord } from '../failure';
import type { Refusal } from '../policy/decide';
import { DEFAULT_DATABASE } from '../rules/database';
import { foldName } from '../rules/meaning';
import { formatNetwork, parseAddress, truncate } from '../rules/network';
import { isSubject } from './input';

/** The suggested duration of access: long enough for a journey. */
const JOURNEY = '3d';
/** A device changes its IPv6 address within this prefix. */
const V6_SITE = 64;

/**
 * `allow-nets COMMAND WORDS OPTIONS`, quoted. `words`: positionals, which may begin with a dash. `db`: an absolute
 * path; --db is omitted for the default database. Null if a word contains a non-printable character, since it could not
 * be pasted.
 */
export function commandText(
  command: string,
  words: readonly string[],
  db: string,
  options: readonly string[] = [],
): string | null {
  const usual = path.resolve(process.env['ALLOW_NETS_DB'] || DEFAULT_DATABASE);
  const all = db === usual ? options : [...options, '--db', db];
  const hasDash = words.some((word) => word.startsWith('-'));
  const rest = hasDash ? [...all, '--', ...words] : [...words, ...all];
  const text = ['allow-nets', command, ...rest.map(shellWord)].join(' ');
  return printable(text) === text ? text : null;
}

/** A hint with the command that does it; without one that cannot be pasted. */
export function withCommand(text: string, command: string | null): string {
  return command === null ? text : `${text}: ${command}`;
}

/**
 * The command that ends a refusal: it unblocks, or lets the user send mail from the address (IPv6: from its /64) for
 * some days. Null if the user or the address cannot stand in an entry.
 */
export function remedyFor({ why, subject }: Refusal, user: string, address: string, db: string): string | null {
  if (why === 'blocked' && subject !== null) return commandText('unblock', [subject], db);
  const client = parseAddress(address);
  const name = foldName(user);
  if (client === null || !isOneUser(name)) return null;
  const network = formatNetwork(truncate(client, client.family === 4 ? 32 : V6_SITE));
  const cidr = client.family === 4 ? network.replace(/\/32$/, '') : network;
  return commandText('add', [name, cidr], db, ['--for', JOURNEY]);
}

/**
 * Whether an entry with this name applies to one user only. A client can log in as `*` or `@example.com`, which as
 * entries stand for many users.
 */
export function isOneUser(name: string): boolean {
  return name !== '*' && !name.startsWith('@') && isSubject(name);
}
