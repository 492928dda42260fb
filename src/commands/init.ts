// allow-nets init: creates an empty database that the policy program can read.

import * as fs from 'node:fs';
import * as path from 'node:path';
import { type Command, value } from '../cli/command';
import { openForWriting } from '../cli/open';
import { printLine } from '../cli/output';
import { asOwner } from '../cli/owner';
import { DOVECOT_VIEW } from '../dovecot/view';
import { refusal, shellWord } from '../failure';
import { accountOf } from '../postfix/account';
import { makeDatabaseFile, makeDatabaseFolder, restrictAccess, restrictableAccess } from '../postfix/database-access';
import { installedUser } from '../postfix/installed-user';
import { openUnchecked, withDatabaseErrors } from '../rules/database';
import { SCHEMA } from '../rules/schema';

export const init: Command = {
  line: 'init',
  summary: 'create an empty database',
  about: [
    'Creates the folder and the file if they are missing. They belong to root, and the group of the account that runs the policy program may read them (folder 750, file 640). An existing database keeps its entries, and gets this group and mode if the account is known: from --user, or from the installed service.',
  ],
  options: {
    user: value('account, or ACCOUNT:GROUP, that runs the policy program (that of the service, else nobody)'),
  },
  examples: [['allow-nets init', 'create /var/lib/allow-nets/access.db']],
  run(args) {
    const { db } = args;
    const isRoot = process.getuid?.() === 0;
    const user = isRoot ? args.text('user') || installedUser(db) || null : null;
    const account = isRoot ? accountOf(user ?? 'nobody', '') : null;
    printLine(createDatabase(db, account?.gid ?? null) ? `made ${db}` : `${db} already exists`);
    if (account === null || user === null) return 0;
    const loose = restrictableAccess(db, account);
    restrictAccess(loose, account);
    for (const { path: file, mode } of loose)
      printLine(`${file} now has mode ${mode.toString(8)} and the group of ${user}`);
    return 0;
  },
};

/**
 * Creates the database unless it exists; returns whether it did. `gid`: the group of the account that reads it, used if
 * root runs this.
 */
export function createDatabase(file: string, gid: number | null): boolean {
  // Only root may give a file to any group.
  const make = () => create(file, process.geteuid?.() === 0 ? gid : null);
  return asOwner(file, () => withDatabaseErrors(file, make));
}

function create(file: string, gid: number | null): boolean {
  makeFolder(path.dirname(file), gid);
  if (fs.existsSync(file) && fs.statSync(file).size > 0) {
    const existing = openForWriting(file);
    // A database of an older version lacks the view.
    existing.exec(DOVECOT_VIEW);
    existing.close();
    return false;
  }
  makeDatabaseFile(file, gid);
  const connection = openUnchecked(file, {});
  const writeSchema = connection.transaction(() => {
    const tables = connection.prepare('select count(*) from sqlite_schema').pluck().get() as number;
    if (tables > 0)
      throw refusal(`${file} is being made by another program`, 'wait for it, and see', 'allow-nets list');
    connection.exec(SCHEMA + DOVECOT_VIEW);
  });
  try {
    connection.pragma('journal_mode = delete');
    writeSchema.immediate();
  } finally {
    connection.close();
  }
  return true;
}

/** Creates the folder of the database and its parents. Everybody can enter the parents, whatever the umask is. */
function makeFolder(folder: string, gid: number | null, isLast = true): void {
  if (fs.existsSync(folder)) return;
  // mkdirSync with `recursive` loops forever below a folder that refuses new ones (/proc).
  makeFolder(path.dirname(folder), gid, false);
  try {
    if (isLast) makeDatabaseFolder(folder, gid);
    else {
      fs.mkdirSync(folder);
      fs.chmodSync(folder, 0o755);
    }
  } catch (error) {
    const problem = `the folder ${folder} cannot be made (${(error as Error).message})`;
    const where = shellWord(path.dirname(folder));
    const isDenied = (error as NodeJS.ErrnoException).code === 'EACCES';
    throw isDenied
      ? refusal(problem, 'run the command as root, or choose another place with --db FILE')
      : refusal(problem, 'find out why', `ls -ld ${where}; findmnt -T ${where}`);
  }
}
