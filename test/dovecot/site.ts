// A database, and a Dovecot that asks it as examples/dovecot says.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mustRun } from '../rig/run';
import { makeFolder, removeFolder } from '../rig/scratch';
import { examples, ImapServer, isOld } from './imap-server';

export interface Site {
  readonly server: ImapServer;
  readonly db: string;
  allowNets(...args: string[]): string;
  remove(): void;
}

/** A database, and a Dovecot with the example of that name ahead of `settings`. */
export async function startSite(
  example: 'allow-nets' | 'accounts',
  settings: string,
  exceptions = false,
): Promise<Site> {
  const folder = makeFolder('dovecot');
  const db = join(folder, 'db', 'access.db');
  const allowNets = (...args: string[]) => mustRun([...args, '--db', db]);
  allowNets('init', '--user', 'nobody');
  const dovecot = join(folder, 'dovecot');
  mkdirSync(dovecot);
  const query = join(folder, 'sql.conf.ext');
  const read = (name: string) => {
    const text = readFileSync(join(examples(), name), 'utf8').replaceAll('/var/lib/allow-nets/access.db', db);
    const alternative = /(# Instead.*\n)((?: *#.*\n)+)/;
    assert.match(text, example === 'accounts' || name.startsWith('auth-') === isOld() ? /./ : alternative);
    return exceptions ? text.replace(alternative, (_, head, block) => head + block.replace(/^( *)#/gm, '$1')) : text;
  };
  let passdb = `passdb {\n  driver = sql\n  args = ${query}\n}\n`;
  if (!isOld() || example === 'allow-nets') {
    passdb = read(`auth-${example}.conf.ext`).replace('/etc/dovecot/allow-nets-sql.conf.ext', query);
  }
  if (isOld()) writeFileSync(query, read(`${example}-sql.conf.ext`));
  const server = await ImapServer.start(dovecot, passdb + settings);
  return { server, db, allowNets, remove: () => removeFolder(folder) };
}
