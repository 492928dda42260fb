// The SQLite file: opening it, and what SQLite's errors mean. The only importer of better-sqlite3.
//
// Every error of SQLite, of the native addon and of the file system on the way comes out as Trouble with the remedy; what is not known
// here is passed on as it is, a bug.
import * as fs from 'node:fs';
import * as path from 'node:path';
import Database from 'better-sqlite3';
import { type Failure, Trouble } from '../failure';
import { checkInterrupted } from './interrupted';
import { SCHEMA_VERSION } from './schema';

export type Connection = Database.Database;
export type Statement = Database.Statement<unknown[], unknown>;

export const DEFAULT_DATABASE = '/var/lib/allow-nets/access.db';

/** How long (ms) a program waits for another one's lock: in Postfix a client is waiting too. */
const BUSY_TIMEOUT = 2000;

/** How many changed pages wait in memory for the commit at the most: 120 MB. */
const UNWRITTEN_PAGES = 30_000;

/** Opens an existing database without any right to change it: all that the policy program may do. */
export function openForReading(file: string): Connection {
  return open(file, { readonly: true, fileMustExist: true });
}

/** Opens an existing database for commands that change it. SQLite finishes or takes back an interrupted change on the way. */
export function openForWriting(file: string): Connection {
  return translating(file, () => {
    checkInterrupted(file);
    const connection = open(file, { fileMustExist: true });
    checkSchema(connection, file);
    connection.pragma('journal_mode = delete');
    // A long change stays in memory until it is done: spilled pages would lock out the policy program all the while.
    connection.pragma(`main.cache_spill = ${UNWRITTEN_PAGES}`);
    return connection;
  });
}

/** Opens a database that may not exist yet, without a look at what it holds. */
export function openForCreating(file: string): Connection {
  return open(file, {});
}

function open(file: string, options: Database.Options): Connection {
  return translating(file, () => {
    const nativeBinding = loadAddon() as unknown as string;
    return new Database(path.isAbsolute(file) ? file : path.resolve(file), {
      timeout: BUSY_TIMEOUT,
      ...options,
      nativeBinding,
    });
  });
}

/** Throws Trouble unless the database has the schema version that this program knows. */
export function checkSchema(connection: Connection, file: string): void {
  const found = connection.prepare('pragma user_version').pluck().get() as number;
  if (found !== SCHEMA_VERSION) {
    throw new Trouble({ kind: 'database-version', file, found, known: SCHEMA_VERSION });
  }
}

/** Does `work` and turns what SQLite or the file system throws into Trouble about `file`. */
export function translating<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const failure = failureOf(file, error);
    throw failure === null ? error : new Trouble(failure);
  }
}

function failureOf(file: string, error: unknown): Failure | null {
  const { code = '', message = '', syscall } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'database-missing', file };
  if (code === 'EACCES' || code === 'EPERM') return { kind: 'database-forbidden', file, write: false };
  if (syscall !== undefined) return { kind: 'database-broken', file, detail: message };
  if (/^SQLITE_(BUSY|LOCKED|PROTOCOL)/.test(code)) return { kind: 'database-busy', file };
  if (/^SQLITE_READONLY_(ROLLBACK|RECOVERY|CANTINIT|CANTLOCK)/.test(code))
    return { kind: 'database-interrupted', file };
  if (/^SQLITE_(READONLY|PERM)/.test(code)) return { kind: 'database-forbidden', file, write: true };
  if (/^SQLITE_(CANTOPEN|AUTH)/.test(code) || message.includes('directory does not exist'))
    return unopened(file, message);
  if (code === 'SQLITE_FULL') return { kind: 'database-full', file };
  if (/^SQLITE_(CORRUPT|NOTADB|FORMAT|IOERR|NOMEM|TOOBIG|NOLFS|SCHEMA)/.test(code)) {
    return { kind: 'database-broken', file, detail: message };
  }
  if (code === 'SQLITE_ERROR' && /no such (table|column)|unsupported file format/.test(message)) {
    return { kind: 'database-broken', file, detail: message };
  }
  return null;
}

function unopened(file: string, detail: string): Failure {
  try {
    fs.closeSync(fs.openSync(file, 'r'));
    if (fs.statSync(file).isDirectory()) return { kind: 'database-broken', file, detail: 'it is a folder' };
    return { kind: 'database-broken', file, detail };
  } catch (error) {
    return failureOf(file, error) ?? { kind: 'database-broken', file, detail };
  }
}

let loadedAddon: unknown;

function loadAddon(): unknown {
  // A second loading would make all its classes a second time, and none is ever given back.
  loadedAddon ??= loadAddonNear();
  return loadedAddon;
}

/**
 * better-sqlite3 looks for its addon in a dozen places; this knows the one place. process.dlopen instead of require: no look at the
 * folders above it.
 */
function loadAddonNear(): unknown {
  const addon = addonNear(__filename);
  try {
    return dlopen(addon);
  } catch (error) {
    if (fs.existsSync(addon)) throw new Trouble(addonFailure(addon, error));
    return loadAddonElsewhere();
  }
}

/** As a dependency of another package, better-sqlite3 may lie in a node_modules further up. */
function loadAddonElsewhere(): unknown {
  const addon = addonOf(__filename);
  try {
    return dlopen(addon);
  } catch (error) {
    throw new Trouble(addonFailure(addon, error));
  }
}

const ADDON = 'build/Release/better_sqlite3.node';

function addonNear(program: string): string {
  return path.resolve(program, '../../node_modules/better-sqlite3', ADDON);
}

/** Where the program in a file has its addon, or where it should be. */
export function addonOf(program: string): string {
  const near = addonNear(program);
  if (fs.existsSync(near)) return near;
  try {
    const main = require.resolve('better-sqlite3/package.json', { paths: [path.dirname(program)] });
    return path.join(path.dirname(main), ADDON);
  } catch {
    return near;
  }
}

function dlopen(addon: string): unknown {
  const loaded: { exports: unknown } = { exports: {} };
  process.dlopen(loaded, addon);
  return loaded.exports;
}

/** What `process.dlopen` threw, under the Node.js of the given version. */
export function addonFailure(addon: string, error: unknown, node = process.version): Failure {
  const folder = path.resolve(addon, '../../../../..');
  const detail = (error as Error).message;
  if (!fs.existsSync(addon)) return { kind: 'addon-missing', addon, folder };
  if (detail.includes('NODE_MODULE_VERSION')) return { kind: 'addon-other-node', addon, folder, node };
  return { kind: 'addon-broken', addon, folder, detail };
}
