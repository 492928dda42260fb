// Sets who may read the database: root, and the group of the account that runs the program. Anybody else could see who
// may send from where, and block changes with a lock.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { refusal, shellLine } from '../failure';
import type { Account } from './account';

const FOLDER_MODE = 0o750;
const FILE_MODE = 0o640;

/** The database or its directory, with a wrong owner, group or mode. */
export interface LooseFile {
  readonly path: string;
  /** The right mode. */
  readonly mode: number;
  readonly found: fs.Stats;
}

/** What is to be changed of an existing database, its folder first; of a folder in which other files lie nothing. */
export function looseAccess(db: string, { uid, gid }: Account): LooseFile[] {
  const folder = path.dirname(db);
  const name = path.basename(db);
  if (!fs.existsSync(db)) return [];
  const others = fs
    .readdirSync(folder)
    .some((one) => one !== name && !one.startsWith(`${name}-`) && !one.startsWith(`${name}.`));
  const wanted = [...(others ? [] : [{ path: folder, mode: FOLDER_MODE }]), { path: db, mode: FILE_MODE }];
  return wanted
    .map((one) => ({ ...one, found: fs.statSync(one.path) }))
    .filter(({ mode, found }) => found.gid !== gid || (found.mode & 0o777) !== mode || found.uid === uid);
}

/**
 * The files of looseAccess that `restrictAccess` may change. If the folder does not belong to root, its owner manages
 * the database, and we change nothing.
 */
export function restrictableAccess(db: string, account: Account): LooseFile[] {
  const isRoots = (file: string) => {
    const { uid, ...stat } = fs.lstatSync(file);
    return uid === 0 && (stat.mode & fs.constants.S_IFMT) !== fs.constants.S_IFLNK;
  };
  return looseAccess(db, account).filter(({ path: file }) => isRoots(path.dirname(db)) && isRoots(file));
}

/**
 * Gives the files to root and the group; throws Trouble if one cannot be given, and then none is. Requires root. Call
 * this before SQLite opens the database: closing any other descriptor of it drops SQLite's locks.
 */
export function restrictAccess(loose: readonly LooseFile[], { gid }: Account): void {
  loose.forEach(({ path: file, mode }, i) => {
    try {
      setAccess(fs.openSync(file, READ), mode, gid);
    } catch (error) {
      restoreAccess(loose.slice(0, i));
      const problem = `group and mode of ${file} cannot be changed (${(error as Error).message})`;
      const command = `${shellLine(['lsattr', '-d', file])}; ${shellLine(['findmnt', '-T', file])}`;
      throw refusal(problem, 'see whether it is immutable, or its file system read-only', command);
    }
  });
}

/** Undoes `restrictAccess`, since the running service may use another account. */
export function restoreAccess(loose: readonly LooseFile[]): void {
  for (const { path: file, found } of loose) setAccess(fs.openSync(file, READ), found.mode & 0o7777, found.gid);
}

/**
 * The shell command that gives the account what it needs, and nobody else anything; undefined where owner, group and
 * mode are right.
 */
export function restrictCommand(db: string, account: Account): string | undefined {
  const commands = looseAccess(db, account).flatMap(({ path: file, mode, found }) => [
    shellLine(found.uid === account.uid ? ['chown', `root:${account.group}`, file] : ['chgrp', account.group, file]),
    shellLine(['chmod', mode.toString(8), file]),
  ]);
  return commands.length === 0 ? undefined : commands.join(' && ');
}

/** Creates a directory for a database. `gid`: null if we are not root and cannot change the group. */
export function makeDatabaseFolder(folder: string, gid: number | null): void {
  fs.mkdirSync(folder, 0o700);
  setAccess(fs.openSync(folder, READ), FOLDER_MODE, gid);
}

/** Creates an empty file; SQLite gives its journals the same owner and mode. An existing file stays. */
export function makeDatabaseFile(db: string, gid: number | null): void {
  try {
    setAccess(fs.openSync(db, 'wx', 0o600), FILE_MODE, gid);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

const READ = fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW;

/** Sets mode and group, and closes the descriptor. */
function setAccess(descriptor: number, mode: number, gid: number | null): void {
  try {
    if (gid !== null) fs.fchownSync(descriptor, 0, gid);
    fs.fchmodSync(descriptor, mode);
  } finally {
    fs.closeSync(descriptor);
  }
}
