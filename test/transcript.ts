// Terminal sessions as tests: a file of "$ command" lines, each with what it prints, is run and compared.
//
// The commands run under bash in a scratch folder, with allow-nets on the PATH and ALLOW_NETS_DB there. Standard output and standard error come in
// the order in which they were written; a line "[exit N]" stands for an exit status that is not 0. Moments are all
// made the same, or no session could be repeated.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { makeFolder } from './rig/scratch';

/** The tests run where package.json is. */
export const ROOT = path.resolve('.');
export const PROGRAM = path.join(ROOT, 'bin/allow-nets.js');
const DATABASE = '/var/lib/allow-nets/access.db';

/** What a session that is not for the scratch folder alone finds there. */
export interface Surroundings {
  /** What runs as `allow-nets` and as `node`. */
  readonly program?: { readonly node: string; readonly script: string };
  readonly env?: Readonly<Record<string, string>>;
  /** Paths as the session names them, and what stands for them. */
  readonly places?: Readonly<Record<string, string>>;
}

/** The session as it runs now, in the form of the file. */
export function replay(session: string, surroundings: Surroundings = {}): string {
  const folder = makeFolder('session');
  const { program = { node: process.execPath, script: PROGRAM } } = surroundings;
  const db = surroundings.places?.[DATABASE] ?? path.join(folder, 'access.db');
  const places = Object.entries({ ...surroundings.places, [DATABASE]: db });
  const real = (text: string) => places.reduce((now, [name, place]) => now.replaceAll(name, place), text);
  const named = (text: string) => places.reduce((now, [name, place]) => now.replaceAll(place, name), text);
  fs.mkdirSync(path.join(folder, 'bin'));
  fs.symlinkSync(program.script, path.join(folder, 'bin/allow-nets'));
  fs.cpSync(path.join(ROOT, 'examples'), path.join(folder, 'examples'), { recursive: true });
  const env = {
    PATH: `${path.join(folder, 'bin')}:${path.dirname(program.node)}:${process.env['PATH']}`,
    ALLOW_NETS_DB: db,
    SUDO_USER: 'postmaster',
    TZ: 'UTC',
    LANG: 'C.UTF-8',
    ...surroundings.env,
  };
  return blocks(session)
    .map(({ comment, command }) => {
      if (command === null) return comment;
      const run = spawnSync('bash', ['-c', real(command)], {
        cwd: folder,
        env,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const status = run.status === 0 ? '' : `[exit ${run.status}]\n`;
      const output = named(`${run.stdout}${run.stderr}`);
      return `${comment}$ ${command.replaceAll('\n', '\n> ')}\n${output}${status}`;
    })
    .join('');
}

/** A comment is a line that starts with "# " and stands before a command. */
function blocks(session: string): { comment: string; command: string | null }[] {
  const found: { comment: string; command: string | null }[] = [];
  let comment = '';
  let command: string | null = null;
  let before = '';
  for (const line of session.split('\n')) {
    if (line.startsWith('$ ')) {
      if (command !== null) found.push({ comment, command });
      if (command !== null) comment = '';
      command = line.slice(2);
    } else if (line.startsWith('> ') && command !== null) command += `\n${line.slice(2)}`;
    else if (line.startsWith('# ')) {
      if (command !== null) found.push({ comment, command });
      comment = command === null ? `${comment}${line}\n` : `${before === '' ? '\n' : ''}${line}\n`;
      command = null;
    }
    before = line;
  }
  if (command !== null) found.push({ comment, command });
  return found;
}

/** The same moment for every moment. */
export function withoutMoments(text: string): string {
  return text
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, '2026-11-24T03:12:00Z')
    .replace(/\(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d local time\)/g, '(2026-11-24 03:12:00 local time)');
}
