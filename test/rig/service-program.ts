// The shipped program as master.cf's `argv=` names it, at a place where the service user can run it.
//
// spawn(8) runs it as `nobody`, who may not be able to enter the checkout (below /root, for example) or to run this Node. Then
// both are copied to a folder that everybody can read.
import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { userIds } from './accounts';
import { PROGRAM } from './run';
import { makeFolder } from './scratch';

export interface ServiceProgram {
  /** Absolute path of Node. */
  node: string;
  /** Absolute path of allow-nets.js. */
  script: string;
}

/** @returns the checkout's program, or a copy where `nobody` cannot run that */
export function serviceProgram(): ServiceProgram {
  const node = realpathSync(process.execPath);
  // A request without a user needs no database.
  const trial = spawnSync(node, [PROGRAM], { ...userIds('nobody'), cwd: '/', env: {}, input: '\n' });
  if (trial.status === 0) return { node, script: PROGRAM };
  const folder = makeFolder('program');
  const script = copyProgram(folder);
  copyFileSync(node, join(folder, 'node'));
  return { node: join(folder, 'node'), script };
}

/** A copy of the program and of what it loads, in this folder. @returns the path of its allow-nets.js */
export function copyProgram(folder: string): string {
  // better-sqlite3 12 needs the last two. Its sources are large.
  const modules = ['better-sqlite3', 'bindings', 'file-uri-to-path'].map((name) => `node_modules/${name}`);
  const filter = (file: string) => !/better-sqlite3\/(deps|src|build\/Release\/obj)/.test(file);
  for (const name of ['bin', 'package.json', ...modules].filter((one) => existsSync(one))) {
    cpSync(realpathSync(name), join(folder, name), { recursive: true, filter });
  }
  return join(folder, 'bin/allow-nets.js');
}
