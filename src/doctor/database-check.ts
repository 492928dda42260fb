// Checks that the account that runs the program can read the database, and nobody else. Whoever can read the file can
// lock it and so block changes; whoever can write it can let anybody send.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { shellLine } from '../failure';
import { type Account, stepsTo, type Unreadable, unreadable } from '../postfix/account';
import { type LooseFile, looseAccess, restrictCommand } from '../postfix/database-access';
import { databaseFailure } from '../rules/database-failure';
import { type Finding, fail, ok, warn } from './finding';
import { databaseKind, type InstalledService, sudoFix } from './installed-service';

const CHECK = 'database';

export function* databaseFindings(service: InstalledService): Iterable<Finding> {
  const { db, account, runner, postfix } = service;
  const kind = databaseKind(service);
  if (kind === 'missing') {
    yield fail(CHECK, `there is no database ${db}: all mail of users waits`, databaseFailure('database-missing', db));
  } else if (kind === 'other') {
    yield fail(CHECK, `${db} is not a regular file`, databaseFailure('database-foreign', db));
  } else if (kind === 'closed') yield warn(CHECK, `only root can look at ${db}`, sudoFix(postfix));
  else {
    const closed = runner === null ? null : unreadable(runner, [db], postfix);
    if (runner !== null && closed !== null) yield closedFinding(db, runner, closed);
    else {
      yield ok(CHECK, runner === null ? db : `the account ${runner.name} can read ${db}`);
      if ('uid' in account) yield permissionFinding(db, account);
    }
  }
}

function closedFinding(db: string, runner: Account, { at, problem, hint, command }: Unreadable): Finding {
  const isOurs = at === db || at === path.dirname(db);
  const narrow = isOurs ? restrictCommand(db, runner) : command;
  if (narrow !== undefined || hint !== undefined) return fail(CHECK, problem, { hint, command: narrow });
  const look = shellLine(['ls', '-ldZ', at]);
  return fail(CHECK, problem, { hint: 'find out whether an ACL, SELinux or AppArmor forbids it', command: look });
}

function permissionFinding(db: string, account: Account): Finding {
  const check = 'permissions';
  const isOpen = (file: string) => {
    const { mode } = fs.statSync(file);
    const isSticky = (mode & 0o1000) !== 0 && file !== db;
    return (mode & 0o002) !== 0 && !isSticky;
  };
  const open = stepsTo(db).findLast(isOpen);
  if (open !== undefined) {
    const command = shellLine(['chmod', 'o-w', open]);
    return fail(check, `everybody may write ${open}, and so let anybody send`, { command });
  }
  const loose = looseAccess(db, account);
  if (loose.length === 0) return ok(check, `only its owner and the group ${account.group} may read ${db}`);
  const message = `${loose.map((one) => faultOf(one, account)).join('; ')}: whoever can read it can hold up a change`;
  return warn(check, message, { command: restrictCommand(db, account) });
}

function faultOf({ path: file, mode, found }: LooseFile, { name, uid, gid, group }: Account): string {
  if (found.uid === uid) return `${file} belongs to ${name}, who runs the program and needs no write permission`;
  const now = `mode ${(found.mode & 0o777).toString(8)} and group ${found.gid}`;
  return `${file} has ${now}, and should have ${mode.toString(8)} and ${gid} (${group})`;
}
