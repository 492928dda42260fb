// Loads better-sqlite3, and explains why it cannot be loaded.
//
// better-sqlite3 12 is compiled for one version of Node.js (NODE_MODULE_VERSION); 13 is prebuilt for Node-API 10. Some
// combinations of Node.js and better-sqlite3 crash the process instead of throwing, so the versions are compared first.
import { accessSync, constants } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type Database from 'better-sqlite3';
import { shellWord, Trouble } from '../failure';

/** Returns better-sqlite3's class. Its native addon is loaded when the first database is opened. Throws Trouble. */
export function loadDriver(): typeof Database {
  try {
    const { version } = require('better-sqlite3/package.json') as { version: string };
    const needed = neededMajor();
    if (needed === null || version.startsWith(`${needed}.`)) return require('better-sqlite3');
    throw trouble(
      `better-sqlite3 ${version} crashes Node.js v${process.versions.node}, so it was not loaded`,
      'run as the owner of the folder',
      installOf(needed),
    );
  } catch (error) {
    throw error instanceof Trouble ? error : loadTrouble(error);
  }
}

/**
 * The major version that this Node.js requires; null if both work. 13 crashes without Node-API 10. 12 aborts on Node.js
 * 24.19 and newer when a statement is garbage collected.
 */
function neededMajor(): 12 | 13 | null {
  if (Number(process.versions['napi']) < 10) return 12;
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  return major > 24 || (major === 24 && minor >= 19) ? 13 : null;
}

/** The start of the error of `bindings`, which better-sqlite3 12 uses to find its addon. */
const NO_ADDON = 'Could not locate the bindings file';

/** Whether `new Database` threw because its addon cannot be loaded. */
export function isLoadError(error: unknown): boolean {
  const { code = '', message = '' } = error as NodeJS.ErrnoException;
  return ['ERR_DLOPEN_FAILED', 'MODULE_NOT_FOUND', 'EACCES'].includes(code) || message.includes(NO_ADDON);
}

/** Explains why better-sqlite3 cannot be loaded, with the fix. */
export function loadTrouble(error: unknown): Trouble {
  const { code = '', message = '' } = error as NodeJS.ErrnoException;
  const folder = join(packageFolder(), 'node_modules/better-sqlite3');
  if (/EACCES|Permission denied/.test(message) || isForbidden(folder)) {
    const fix = `chmod -R a+rX ${shellWord(folder)}`;
    return trouble(`no permission to read ${folder}`, 'let everybody read it, as root', fix);
  }
  const rebuild = npm('rebuild better-sqlite3');
  if (message.includes('NODE_MODULE_VERSION')) {
    const problem = `better-sqlite3 was built for another Node.js than ${process.version}`;
    return trouble(problem, 'rebuild it as the owner of the folder', rebuild);
  }
  const missing = `better-sqlite3, or its native addon, is missing in ${dirname(folder)}`;
  // npm rebuild does nothing if the package itself is missing.
  if (message.startsWith("Cannot find module 'better-sqlite3")) {
    return trouble(missing, 'install it as the owner of the folder', installOf(neededMajor() ?? 13));
  }
  if (['ENOENT', 'ENOTDIR', 'MODULE_NOT_FOUND'].includes(code) || message.startsWith(NO_ADDON)) {
    return trouble(missing, 'build it as the owner of the folder', rebuild);
  }
  const problem = `better-sqlite3's native addon cannot be loaded (${message.split('\n', 1)[0]})`;
  return trouble(problem, 'rebuild it as the owner of the folder', rebuild);
}

/** Whether the addon is unreadable, which `bindings` reports as missing. */
function isForbidden(folder: string): boolean {
  try {
    accessSync(join(folder, 'build/Release/better_sqlite3.node'), constants.R_OK);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES';
  }
}

/** The folder whose node_modules contains better-sqlite3, or should. npm may have hoisted it to a parent folder. */
function packageFolder(): string {
  try {
    return resolve(require.resolve('better-sqlite3/package.json'), '../../..');
  } catch {
    return resolve(__filename, '../..');
  }
}

const installOf = (major: number) => npm(`install --omit=dev --no-save better-sqlite3@${major}`);

/** An npm command that uses the Node.js running this program, whatever the administrator's PATH is. */
function npm(words: string): string {
  return `cd ${shellWord(packageFolder())} && PATH=${shellWord(dirname(process.execPath))}:$PATH npm ${words}`;
}

function trouble(problem: string, hint: string, command: string): Trouble {
  return new Trouble({ kind: 'installation', problem, hint, command });
}
