// The command that lets a user in who was refused: for `refused`, and for `check`.
import * as path from 'node:path';
import { shellLine } from '../postfix/run';
import { formatAddress, parseAddress } from '../rules/address';
import { DEFAULT_DATABASE } from '../rules/database';
import { formatNetwork, truncate } from '../rules/network';
import { foldName } from '../rules/subject';
import { refuseSubject } from './input';
import { visible } from './output';

/** Long enough for a journey: who comes again is added for good. */
const HOW_LONG = '3d';
/** A device with IPv6 changes its address within it. */
const V6_SITE = 64;

/**
 * The command line that lets the user send mail from the address for some days, to be pasted into a shell of this host; or null when none can.
 * `db`: an absolute path; it is named where it is not the one that a command without --db uses.
 */
export function letInCommand(user: string, address: string, db: string): string | null {
  const client = parseAddress(address);
  const name = foldName(user);
  // yargs takes a word that begins with a dash for an option.
  if (client === null || !isOneUser(name) || name.startsWith('-')) return null;
  const network = client.family === 4 ? formatAddress(client) : formatNetwork(truncate(client, V6_SITE));
  const usual = path.resolve(process.env['ALLOW_NETS_DB'] || DEFAULT_DATABASE);
  const words = ['allow-nets', 'add', name, network, '--for', HOW_LONG];
  const line = shellLine(db === usual ? words : [...words, '--db', db]);
  return visible(line) === line ? line : null;
}

/** Whether an entry of that name is about that user alone: `*` and `@example.com` are login names that somebody may have chosen. */
export function isOneUser(name: string): boolean {
  return name !== '*' && !name.startsWith('@') && refuseSubject(name) === null;
}
