// A server of its own for a test of `sync`: a folder with a database, a mail log, the shipped program, and answers as Postfix would get them.
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readState } from '../../src/sync/state';
import { query, writeDatabase } from '../rig/database';
import { makePlace, PolicyProgram } from '../rig/policy-program';
import { type Outcome, type Running, run, start } from '../rig/run';
import { waitFor } from '../rig/wait-for';

export interface Site {
  readonly folder: string;
  readonly db: string;
  readonly env: NodeJS.ProcessEnv;
  /** Runs a command of the program in the folder. */
  run(...words: string[]): Outcome;
  /** Starts one that goes on. */
  start(...words: string[]): Running;
  /** The first word of what a policy program that goes on says: dunno or reject. */
  answer(user: string, address: string): Promise<string>;
  /** `user network` of all entries, in order; a local mark, a note and an expiry follow where there are any. */
  entries(): string[];
  /** What went wrong in the last run of sync, null when it went well. */
  error(): string | null;
  /** Writes a file in the folder. @returns its path */
  file(name: string, text: string): string;
  /** Bytes of a file in the folder, 0 when it is not there. */
  sizeOf(name: string): number;
  /** The lines of the mail log, each with its priority, the times in them replaced: took=0.1s by took=T. */
  log(): string[];
}

const ENTRIES = `select concat_ws(' ', user, network, iif(local, 'local', null), note, expires)
  from access order by user, network`;

export function makeSite(): Site {
  const place = makePlace({});
  const folder = join(place.folder, 'site');
  mkdirSync(folder);
  const db = join(folder, 'access.db');
  writeDatabase(db, []);
  const surroundings = { cwd: folder, env: place.env };
  let program: Promise<PolicyProgram> | null = null;
  return {
    folder,
    db,
    env: place.env,
    run: (...words) => run(['--db', db, ...words], surroundings),
    start: (...words) => start(['--db', db, ...words], surroundings),
    async answer(user, address) {
      program ??= PolicyProgram.start(['--persistent', '--log', 'none', '--db', db]);
      return (await program).unref().verdict(user, address);
    },
    entries: () => query(db, ENTRIES) as string[],
    error() {
      const state = readState(db);
      return state === null ? 'never synced' : state.last_error;
    },
    file(name, text) {
      const path = join(folder, name);
      writeFileSync(path, text);
      return path;
    },
    sizeOf: (name) => statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0,
    log: () =>
      place.log().map((text) => text.replace(/took=[\d.]+s/, 'took=T').replace(/again after \d+ s /, 'again after T ')),
  };
}

/** Waits until the site answers so. */
export async function waitForAnswer(site: Site, user: string, address: string, answer: string): Promise<void> {
  const isSo = async () => (await site.answer(user, address)) === answer;
  await waitFor(`${answer} for ${user} at ${address}`, isSo, () => `${site.error()}`, 60_000);
}

type Question = readonly [user: string, address: string, answers: readonly string[]];

/**
 * Asks a policy program of the site one question after the other while its list is changed.
 * @returns ends it, and gives the number of questions and each answer that its question does not name
 */
export function askWithoutPause(site: Site, question: (number: number) => Question) {
  const wrong: string[] = [];
  let asked = 0;
  let isOver = false;
  const flow = (async () => {
    const program = (await PolicyProgram.start(['--db', site.db, '--persistent', '--log', 'none'])).unref();
    for (; !isOver; asked++) {
      const [user, address, answers] = question(asked);
      const verdict = await program.verdict(user, address);
      if (!answers.includes(verdict)) wrong.push(`${user} at ${address}: ${verdict}`);
      // Other programs of this test want their turn.
      await new Promise(setImmediate);
    }
  })();
  return async () => {
    isOver = true;
    await flow;
    return { asked, wrong };
  };
}
