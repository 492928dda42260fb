// Who may read the database: root, and the group of the account that runs the program. Anybody else could read who may send from where, and hold up
// a change with a lock.
import * as fs from 'node:fs';
import * as path from 'node:path';

const FOLDER_MODE = 0o750;
const FILE_MODE = 0o640;

/** A folder or file that has another group or more rights than it should. */
export interface Loose {
  readonly path: string;
  readonly mode: number;
}

/**
 * What is to be changed of an existing database, its folder first. Of a folder in which other files lie nothing, and nothing at all where the folder is not
 * root's: it is managed by that account.
 */
export function looseAccess(db: string, gid: number): Loose[] {
  const folder = path.dirname(db);
  const name = path.basename(db);
  if (!fs.existsSync(db) || fs.lstatSync(folder).uid !== 0) return [];
  const others = fs.readdirSync(folder).some((one) => one !== name && !/^[-.]/.test(one.slice(name.length)));
  const isOwn = !others && fs.lstatSync(folder).isDirectory();
  const wanted = [...(isOwn ? [{ path: folder, mode: FOLDER_MODE }] : []), { path: db, mode: FILE_MODE }];
  return wanted.filter((one) => {
    const stat = fs.lstatSync(one.path);
    return stat.uid === 0 && !stat.isSymbolicLink() && (stat.gid !== gid || (stat.mode & 0o777) !== one.mode);
  });
}

/** Gives them to root and the group. As root, before SQLite has the file open: closing a descriptor of it drops SQLite's locks. */
export function restrictAccess(loose: readonly Loose[], gid: number): void {
  for (const { path: file, mode } of loose) {
    const descriptor = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
    try {
      setAccess(descriptor, mode, gid);
    } finally {
      fs.closeSync(descriptor);
    }
  }
}

/** Makes a folder for a database. `gid`: null for who is not root and cannot give it away. */
export function makeDatabaseFolder(folder: string, gid: number | null): void {
  fs.mkdirSync(folder, 0o700);
  const descriptor = fs.openSync(folder, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
  try {
    setAccess(descriptor, FOLDER_MODE, gid);
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Makes an empty file for SQLite, which gives its journals the same owner and mode. One that is there stays. */
export function makeDatabaseFile(db: string, gid: number | null): void {
  let descriptor: number;
  try {
    descriptor = fs.openSync(db, 'wx', 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return;
    throw error;
  }
  try {
    setAccess(descriptor, FILE_MODE, gid);
  } finally {
    fs.closeSync(descriptor);
  }
}

function setAccess(descriptor: number, mode: number, gid: number | null): void {
  if (gid !== null) fs.fchownSync(descriptor, 0, gid);
  fs.fchmodSync(descriptor, mode);
}
