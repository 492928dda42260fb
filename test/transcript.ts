// Terminal sessions as tests: a file of "$ command" lines, each with what it prints, is run and compared.
//
// The commands run under bash in a scratch folder, with allow-nets on the PATH and ALLOW_NETS_DB there. Standard output and
// standard error come as on a terminal; a line "[exit N]" stands for an exit status that is not 0. Moments are moved to a fixed day, or no session could be repeated.
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { PROGRAM, run } from './rig/run';
import { makeFolder } from './rig/scratch';

/** The tests run where package.json is. */
export const ROOT = resolve('.');
const DATABASE = '/var/lib/allow-nets/access.db';

/** What a session that is not for the scratch folder alone finds there. */
export interface Surroundings {
  /** What runs as `allow-nets` and as `node`. */
  readonly program?: { readonly node: string; readonly script: string };
  readonly env?: Readonly<Record<string, string>>;
  /** Paths as the session names them, and what stands for them. */
  readonly places?: Readonly<Record<string, string>>;
}

/** The session as it runs now, in the form of the file. Lines "# ..." before a command are comments. */
export function replay(session: string, surroundings: Surroundings = {}): string {
  const folder = makeFolder('session');
  const { program = { node: process.execPath, script: PROGRAM } } = surroundings;
  const db = surroundings.places?.[DATABASE] ?? join(folder, 'access.db');
  const places = Object.entries({ ...surroundings.places, [DATABASE]: db });
  const real = (text: string) => places.reduce((now, [name, place]) => now.replaceAll(name, place), text);
  const named = (text: string) => places.reduce((now, [name, place]) => now.replaceAll(place, name), text);
  mkdirSync(join(folder, 'bin'));
  symlinkSync(program.script, join(folder, 'bin/allow-nets'));
  cpSync('examples', join(folder, 'examples'), { recursive: true });
  const PATH = `${join(folder, 'bin')}:${dirname(program.node)}:${process.env['PATH']}`;
  // A command, and below it what it printed: up to the next command or comment.
  return session.replace(/^\$ (.*)\n(?:(?!\$ |# ).*\n)*/gm, (_, typed: string) => {
    const command = ['bash', '-c', `exec 2>&1; ${real(typed)}`];
    const { status, stdout } = run([], { command, db, cwd: folder, env: { PATH, ...surroundings.env } });
    return `$ ${typed}\n${named(stdout)}${status === 0 ? '' : `[exit ${status}]\n`}`;
  });
}

/** Compares a text with a file; with UPDATE=1 the file is written anew. */
export function compareWithFile(file: string, text: string): void {
  if (process.env['UPDATE']) writeFileSync(file, text);
  assert.equal(text, readFileSync(file, 'utf8'));
}

/** When every session takes place. */
const SESSION = Date.parse('2026-11-24T03:12:00Z');
const DAY = 86_400_000;

/** Moves every moment by the same time, to whole days before or after the session's moment. */
export function withoutMoments(text: string): string {
  return text.replace(/(\d{4}-\d\d-\d\d)([T ])(\d\d:\d\d:\d\d)(Z| local time)/g, (_, date, between, time, end) => {
    const moment = Date.parse(`${date}T${time}${end === 'Z' ? end : ''}`);
    const days = Math.round((moment - Date.now()) / DAY);
    return new Date(SESSION + days * DAY).toISOString().slice(0, 19).replace('T', between) + end;
  });
}
