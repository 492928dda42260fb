// The shipped program as master.cf's `argv=` names it, at a place where the service user can run it.
//
// spawn(8) runs it as `nobody`, who may not be able to enter the checkout (below /root, for example) or to run this Node. What
// he cannot use is copied to a folder that he can. In trouble: when he still cannot, throws with what the program said.
import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { userIds } from './accounts';

export interface ServiceProgram {
  /** Absolute path of Node. */
  node: string;
  /** Absolute path of allow-nets.js. */
  script: string;
}

/**
 * @param folder one that the user can read; copies go into it
 * @param db an empty database that he can read, for the trial
 * @param user the service user
 */
export function serviceProgram(folder: string, db: string, user = 'nobody'): ServiceProgram {
  const shipped = shippedScript();
  let program = { node: realpathSync(process.execPath), script: shipped };
  let refusal = whyNot(program, db, user);
  if (refusal === null) return program;
  program = copyOf(program, join(folder, 'program'));
  refusal = whyNot(program, db, user);
  if (refusal === null) return program;
  throw new Error(`${user} cannot run the copy of ${shipped} either: ${refusal}`);
}

/** @throws when it has not been built */
export function shippedScript(): string {
  const script = resolve('bin/allow-nets.js');
  if (!existsSync(script)) throw new Error(`${script} is not there: npm run build makes it`);
  return script;
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

function copyOf({ node, script }: ServiceProgram, folder: string): ServiceProgram {
  const root = resolve(script, '../..');
  const addon = 'node_modules/better-sqlite3';
  const copied = [
    'bin/allow-nets.js',
    `${addon}/package.json`,
    `${addon}/lib`,
    // Of better-sqlite3 12, and of 13.
    `${addon}/build/Release/better_sqlite3.node`,
    `${addon}/prebuilds`,
  ];
  for (const name of [...copied, 'package.json'].filter((one) => existsSync(join(root, one)))) {
    cpSync(realpathSync(join(root, name)), join(folder, name), { recursive: true });
  }
  copyFileSync(node, join(folder, 'node'));
  return { node: join(folder, 'node'), script: join(folder, 'bin/allow-nets.js') };
}
