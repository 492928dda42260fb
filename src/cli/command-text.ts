// Writes the commands that hints print, ready to be pasted into a POSIX shell of this host.
import * as path from 'node:path';
import { printable, shellWord } from '../failure';
import { parseAddress } from '../rules/address';
import { DEFAULT_DATABASE } from '../rules/database';
import { formatNetwork, truncate } from '../rules/network';
import { foldName } from '../rules/subject';
import { refuseSubject } from './input';

/** Long enough for a journey. */
const HOW_LONG = '3d';
/** A device changes its IPv6 address within this prefix. */
const V6_SITE = 64;

/**
 * `allow-nets COMMAND WORDS OPTIONS`, quoted. `words`: positionals, which may begin with a dash. `db`: an absolute
 * path; --db is left out where a command finds that database without it. Null when a word holds a character that a
 * terminal does not show: it could not be pasted.
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

/**
 * The command that lets the user send mail from the address (IPv6: from its /64) for some days, or null when there is
 * none.
 */
export function allowCommand(user: string, address: string, db: string): string | null {
  const client = parseAddress(address);
  const name = foldName(user);
  if (client === null || !isOneUser(name)) return null;
  const network = formatNetwork(truncate(client, client.family === 4 ? 32 : V6_SITE));
  const shown = client.family === 4 ? network.replace(/\/32$/, '') : network;
  return commandText('add', [name, shown], db, ['--for', HOW_LONG]);
}

/**
 * Whether an entry of that name is about that user alone: `*` and `@example.com` are login names that somebody may have
 * chosen.
 */
export function isOneUser(name: string): boolean {
  return name !== '*' && !name.startsWith('@') && refuseSubject(name) === null;
}
