// better-sqlite3 as it is installed beside the program, and what keeps it from being loaded.
//
// better-sqlite3 12 is compiled for one Node.js (NODE_MODULE_VERSION); 13 comes ready-made, for Node-API 10. Two pairs of Node.js and
// better-sqlite3 crash the process instead of throwing, so the versions are compared before the addon is loaded.
import * as fs from 'node:fs';
import * as path from 'node:path';
import type Database from 'better-sqlite3';
import { shellWord, Trouble } from '../failure';

/** better-sqlite3's class. Its addon is loaded with the first database. Throws Trouble. */
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

/** 13 needs Node-API 10 and crashes without; 12 aborts on Node.js 24.19 and newer when a statement is garbage collected. */
function neededMajor(): 12 | 13 | null {
  if (Number(process.versions['napi']) < 10) return 12;
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  return major > 24 || (major === 24 && minor >= 19) ? 13 : null;
}

/** How the package `bindings`, which better-sqlite3 12 uses, begins when it finds no addon. */
const NO_ADDON = 'Could not locate the bindings file';

/** Whether `new Database` threw because its addon cannot be loaded. */
export function isLoadError(error: unknown): boolean {
  const { code = '', message = '' } = error as NodeJS.ErrnoException;
  return ['ERR_DLOPEN_FAILED', 'MODULE_NOT_FOUND', 'EACCES'].includes(code) || message.includes(NO_ADDON);
}

/** What keeps better-sqlite3 from being loaded, with the remedy. */
export function loadTrouble(error: unknown): Trouble {
  const { code = '', message = '' } = error as NodeJS.ErrnoException;
  const folder = path.join(packageFolder(), 'node_modules/better-sqlite3');
  const rebuild = npm('rebuild better-sqlite3');
  if (/EACCES|Permission denied/.test(message) || isForbidden(folder)) {
    return trouble(
      `no permission to read ${folder}`,
      'let everybody read it, as root',
      `chmod -R a+rX ${shellWord(folder)}`,
    );
  }
  if (message.includes('NODE_MODULE_VERSION')) {
    return trouble(
      `better-sqlite3 was built for another Node.js than ${process.version}`,
      'rebuild it as the owner of the folder',
      rebuild,
    );
  }
  if (['ENOENT', 'ENOTDIR', 'MODULE_NOT_FOUND'].includes(code) || message.startsWith(NO_ADDON)) {
    // npm rebuild does nothing where the package itself is missing.
    const isGone = message.startsWith("Cannot find module 'better-sqlite3");
    return trouble(
      `better-sqlite3, or its native addon, is missing in ${path.dirname(folder)}`,
      `${isGone ? 'install' : 'build'} it as the owner of the folder`,
      isGone ? installOf(neededMajor() ?? 13) : rebuild,
    );
  }
  return trouble(
    `better-sqlite3's native addon cannot be loaded (${message.split('\n', 1)[0]})`,
    'rebuild it as the owner of the folder',
    rebuild,
  );
}

/** `bindings` reports an addon that it may not read as a missing one. */
function isForbidden(folder: string): boolean {
  try {
    fs.accessSync(path.join(folder, 'build/Release/better_sqlite3.node'), fs.constants.R_OK);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES';
  }
}

/** The folder whose node_modules holds better-sqlite3, or should hold it: as the dependency of another package it can lie further up. */
function packageFolder(): string {
  try {
    return path.resolve(require.resolve('better-sqlite3/package.json'), '../../..');
  } catch {
    return path.resolve(__filename, '../..');
  }
}

const installOf = (major: number) => npm(`install --omit=dev --no-save better-sqlite3@${major}`);

/** An npm command for the Node.js that runs this program, whichever comes first in the administrator's PATH. */
function npm(words: string): string {
  return `cd ${shellWord(packageFolder())} && PATH=${shellWord(path.dirname(process.execPath))}:$PATH npm ${words}`;
}

function trouble(problem: string, hint: string, command: string): Trouble {
  return new Trouble({ kind: 'installation', problem, hint, command });
}
