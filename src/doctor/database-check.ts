// The database file: whether the service user can read it, and nobody else read or write it.
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Account } from '../postfix/account';
import { closedTo } from '../postfix/account';
import { shellLine } from '../postfix/run';
import { databaseFailure, versionFailure } from '../rules/database-failure';
import { SCHEMA_VERSION } from '../rules/schema';
import { type Finding, fail, fixOf, ok, warn } from './finding';
import type { InstalledService } from './installed-service';

export function* databaseFindings({ db, runner, postfix }: InstalledService): Iterable<Finding> {
  const file = fs.statSync(db, { throwIfNoEntry: false });
  if (file === undefined) {
    yield fail('database', `there is no database ${db}: all mail of users is put off`, missingFix(db));
    return;
  }
  if (!file.isFile()) {
    yield fail('database', `${db} is not a regular file`, COPY);
    return;
  }
  const step = runner === null ? null : closedTo(runner, db, postfix);
  if (step === null || runner === null) yield headerFinding(db);
  else
    yield fail('database', `${runner.name} cannot read ${db}${step === db ? '' : ` because of ${step}`}`, {
      command: openCommand(db, runner, step),
    });
}

const COPY = { advice: 'put a good copy in its place; mail waits until then' };

function missingFix(db: string) {
  const init = shellLine(['allow-nets', 'init', '--db', db]);
  return { advice: `${COPY.advice}. Only for a new installation, since it refuses every user: ${init}` };
}

/** From the header (SQLite file format 1.3), so that it is known even where the addon does not load. */
function headerFinding(db: string): Finding {
  const header = Buffer.alloc(100);
  let descriptor: number;
  try {
    descriptor = fs.openSync(db, 'r');
  } catch {
    return warn('database', `no permission to read ${db}`, { command: 'sudo allow-nets doctor' });
  }
  try {
    fs.readSync(descriptor, header, 0, 100, 0);
  } finally {
    fs.closeSync(descriptor);
  }
  if (header.toString('latin1', 0, 15) !== 'SQLite format 3') {
    return fail('database', `${db} is not an SQLite file`, COPY);
  }
  const version = header.readUInt32BE(60);
  if (version === 0) return fail('database', `${db} is not a database of allow-nets`, COPY);
  if (version !== SCHEMA_VERSION) {
    const failure = versionFailure(db, version);
    return fail('database', failure.problem, fixOf(failure));
  }
  if (header[18] === 2 || header[19] === 2) {
    const { problem } = databaseFailure('database-wal', db);
    return fail('database', problem, { command: shellLine(['allow-nets', 'tidy', '--db', db]) });
  }
  return ok('database', `${db}, schema version ${version}, rollback journal`);
}

/** Folder 750, file 640, the service account's group: whoever can read the file can lock it, and hold up a revocation. */
export function* permissionFindings({ db, account }: InstalledService): Iterable<Finding> {
  const check = 'permissions';
  if (!fs.existsSync(db)) return;
  for (const file of [db, ...foldersOf(db)]) {
    const { mode, uid, gid } = fs.statSync(file);
    const isSticky = (mode & 0o1000) !== 0 && file !== db;
    if ((mode & 0o002) !== 0 && !isSticky) {
      const command = shellLine(['chmod', 'o-w', file]);
      yield fail(check, `everybody may write ${file}, and so let anybody send`, { command });
      return;
    }
    const isOwn = account !== null && (uid === account.uid || (gid === account.gid && (mode & 0o020) !== 0));
    if (isOwn) {
      const message = `${account.name}, who runs the program, may write ${file}; it needs no write permission`;
      const command = `${shellLine(['chown', 'root', file])} && ${shellLine(['chmod', 'g-w', file])}`;
      yield warn(check, message, { command });
      return;
    }
  }
  if (account === null) return;
  const readable = readers(db, account);
  if (readable === null) yield ok(check, `only its owner and the group ${account.group} may read ${db}`);
  else
    yield warn(check, `${readable}: whoever can read it can lock it, and hold up a change`, {
      command: narrowCommand(db, account),
    });
}

/** Who may read besides its owner and the account's group, or null. */
function readers(db: string, account: Account): string | null {
  const named = [db, ...(isOwnFolder(db) ? [path.dirname(db)] : [])];
  for (const file of named) {
    const { mode, gid } = fs.statSync(file);
    if ((mode & 0o007) !== 0) return `everybody may read ${file}`;
    if ((mode & 0o070) !== 0 && gid !== account.gid) return `another group than ${account.group} may read ${file}`;
  }
  return null;
}

/** Whether the folder is there for the database alone: of another one the permissions are not ours. */
function isOwnFolder(db: string): boolean {
  const name = path.basename(db);
  return fs.readdirSync(path.dirname(db)).every((other) => other.startsWith(name));
}

function narrowCommand(db: string, { group }: Account): string {
  const folder = path.dirname(db);
  if (!isOwnFolder(db)) return `${shellLine(['chgrp', group, db])} && ${shellLine(['chmod', '640', db])}`;
  return [
    shellLine(['chgrp', group, folder, db]),
    shellLine(['chmod', '750', folder]),
    shellLine(['chmod', '640', db]),
  ].join(' && ');
}

/** What lets the account read the database, and nobody else who could not. */
function openCommand(db: string, account: Account, step: string): string {
  return step === db || step === path.dirname(db) ? narrowCommand(db, account) : shellLine(['chmod', 'a+x', step]);
}

function foldersOf(file: string): string[] {
  const folder = path.dirname(file);
  return folder === file ? [] : [folder, ...foldersOf(folder)];
}
