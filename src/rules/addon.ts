// better-sqlite3 as it is installed beside the program, and what keeps it from being loaded.
//
// better-sqlite3 12 is compiled for one Node.js (NODE_MODULE_VERSION); 13 comes ready-made, for Node-API 10. Two pairs of Node.js and
// better-sqlite3 crash the process instead of throwing, so the versions are looked at before the addon is loaded.
import * as fs from 'node:fs';
import * as path from 'node:path';
import type Database from 'better-sqlite3';
import { type Failure, Trouble } from '../failure';

/** better-sqlite3's class. Its addon is loaded with the first database. Throws Trouble. */
export function loadDriver(): typeof Database {
  const folder = packageFolder(__filename);
  const failure = versionFailure(folder, process.versions as typeof process.versions & NodeVersions);
  if (failure !== null) throw new Trouble(failure);
  try {
    return require('better-sqlite3');
  } catch (error) {
    throw new Trouble(addonFailure(folder, error as NodeJS.ErrnoException, process.version));
  }
}

/** What `new Database` threw, when it was not SQLite but the loading of the addon; else null. */
export function loadFailure(error: NodeJS.ErrnoException): Failure | null {
  const codes = ['ERR_DLOPEN_FAILED', 'MODULE_NOT_FOUND', 'EACCES'];
  const isLoading = codes.includes(error.code ?? '') || error.message.includes(NO_ADDON);
  return isLoading ? addonFailure(packageFolder(__filename), error, process.version) : null;
}

/** How the package `bindings`, which better-sqlite3 12 uses, begins when it finds no addon. */
const NO_ADDON = 'Could not locate the bindings file';

/** The folder whose node_modules holds the better-sqlite3 of a program, or should hold it. Remedies are run there. */
export function packageFolder(program: string): string {
  const near = path.resolve(program, '../..');
  try {
    const manifest = require.resolve('better-sqlite3/package.json', { paths: [path.dirname(program)] });
    const folder = path.resolve(manifest, '../../..');
    // As the dependency of another package it can lie further up.
    return path.basename(path.resolve(manifest, '../..')) === 'node_modules' ? folder : near;
  } catch {
    return near;
  }
}

/** Of `process.versions`. */
type NodeVersions = Readonly<Record<'node' | 'napi', string>>;

/** Why the better-sqlite3 in `folder`/node_modules must not be loaded by this Node.js, or null. `versions`: of `process`. */
export function versionFailure(folder: string, versions: NodeVersions): Failure | null {
  const node = `v${versions.node}`;
  const file = path.join(folder, 'node_modules/better-sqlite3/package.json');
  try {
    const { version } = JSON.parse(fs.readFileSync(file, 'utf8')) as { version: string };
    const wanted = neededMajor(versions);
    const works = wanted === null || version.startsWith(`${wanted}.`);
    return works ? null : { kind: 'addon-crashes', folder, version, wanted, node };
  } catch (error) {
    return addonFailure(folder, error as NodeJS.ErrnoException, node);
  }
}

/** 13 needs Node-API 10 and crashes without; 12 aborts on Node.js 24.19 and newer when a statement is garbage collected. */
function neededMajor({ node, napi }: NodeVersions): 12 | 13 | null {
  if (Number(napi) < 10) return 12;
  const [major = 0, minor = 0] = node.split('.').map(Number);
  return major > 24 || (major === 24 && minor >= 19) ? 13 : null;
}

/** What kept the better-sqlite3 in `folder`/node_modules from being loaded by the Node.js of that version. */
export function addonFailure(folder: string, error: NodeJS.ErrnoException, node: string): Failure {
  const detail = error.message.split('\n', 1)[0] ?? '';
  const unreadable = firstUnreadable(path.join(folder, 'node_modules/better-sqlite3'));
  if (unreadable !== null) return { kind: 'addon-forbidden', file: unreadable };
  if (error.message.includes('NODE_MODULE_VERSION')) return { kind: 'addon-other-node', folder, node };
  const isMissing = ['ENOENT', 'ENOTDIR', 'MODULE_NOT_FOUND'].includes(error.code ?? '') || detail.includes(NO_ADDON);
  return isMissing ? { kind: 'addon-missing', folder } : { kind: 'addon-broken', folder, detail };
}

const ADDON_FILES = [
  '',
  'package.json',
  'lib',
  'lib/index.js',
  'build',
  'build/Release',
  'build/Release/better_sqlite3.node',
];

/** The first file or folder of the package that this user may not read, or null. */
function firstUnreadable(folder: string): string | null {
  const isForbidden = (file: string) => {
    try {
      fs.accessSync(file, fs.constants.R_OK);
      return false;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'EACCES';
    }
  };
  return ADDON_FILES.map((name) => path.join(folder, name)).find(isForbidden) ?? null;
}
