// The shipped program as master.cf's `argv=` names it, at a place where the service user can run it.
//
// spawn(8) runs it as `nobody`, who may not be able to enter the checkout (below /root, for example) or to run this Node. Then
// both are copied to a folder that the user can read. In trouble: when the copy does not run either, throws with its output.
import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { userIds } from './accounts';
import { PROGRAM } from './run';

export interface ServiceProgram {
  /** Absolute path of Node. */
  node: string;
  /** Absolute path of allow-nets.js. */
  script: string;
}

/**
 * @param folder one that the user can read; copies go into it
 * @param db an empty database that the user can read, for the trial
 * @param user the service user
 */
export function serviceProgram(folder: string, db: string, user = 'nobody'): ServiceProgram {
  let program = { node: realpathSync(process.execPath), script: PROGRAM };
  let refusal = whyNot(program, db, user);
  if (refusal === null) return program;
  const copy = join(folder, 'program');
  program = { node: join(copy, 'node'), script: copyProgram(copy) };
  copyFileSync(process.execPath, program.node);
  refusal = whyNot(program, db, user);
  if (refusal === null) return program;
  throw new Error(`${user} cannot run the copy of ${PROGRAM} either: ${refusal}`);
}

/** @returns null when the user gets an answer from it, which needs the addon too; otherwise what happened instead */
function whyNot({ node, script }: ServiceProgram, db: string, user: string): string | null {
  const input = 'sasl_username=nobody-in-it\nclient_address=192.0.2.1\n\n';
  const answer = spawnSync(node, [script, '--db', db, '--log', 'none'], {
    ...userIds(user),
    cwd: '/',
    env: {},
    encoding: 'utf8',
    input,
  });
  if (answer.stdout?.startsWith('action=reject ')) return null;
  return `${answer.error ?? `status ${answer.status}: ${answer.stderr}`}`;
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
