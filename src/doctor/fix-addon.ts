// Building better-sqlite3's addon anew for the Node.js that runs the program: what the remedy says, done.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { findProgram, refused, shellLine } from '../postfix/run';
import { addonOf } from '../rules/database';

/**
 * Runs `npm rebuild better-sqlite3` in the package's folder, with the Node.js of `interpreter` first in PATH; its output goes to standard error. As root in somebody
 * else's folder npm itself becomes the folder's owner for what it runs. Throws Trouble when it fails.
 */
export function fixAddon(script: string, interpreter: readonly string[]): void {
  const node =
    interpreter.find((word) => /node[^/]*$/.test(word) && word.startsWith('/')) ??
    findProgram('node') ??
    process.execPath;
  const folder = path.resolve(addonOf(fs.realpathSync(script)), '../../../../..');
  const bin = path.dirname(fs.realpathSync(node));
  const npm = [path.join(path.dirname(node), 'npm'), path.join(bin, 'npm')].find((file) =>
    fs.existsSync(file),
  );
  const command = [npm ?? findProgram('npm') ?? 'npm', 'rebuild', 'better-sqlite3'];
  const PATH = `${path.dirname(node)}:${bin}:${process.env['PATH'] ?? '/usr/bin:/bin'}`;
  fs.writeSync(2, `cd ${folder} && ${shellLine(command)}\n`);
  const { status, error } = spawnSync(command[0] ?? 'npm', command.slice(1), {
    cwd: folder,
    env: { ...process.env, PATH },
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0)
    throw refused(`npm rebuild failed (${error?.message ?? `status ${status}`})`, `in ${folder}`);
}
