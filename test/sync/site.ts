// A server of its own for a test of `sync`: a folder with a database, a mail log, the shipped program, and answers as Postfix would get them.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { readState } from '../../src/sync/state';
import { writeDatabase } from '../policy/database';
import { makePlace, PROGRAM } from '../policy/program';
import { Answering, Running } from './running';

export interface Output {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Site {
  readonly folder: string;
  readonly db: string;
  readonly env: NodeJS.ProcessEnv;
  /** Runs a command of the program in the folder. */
  run(...words: string[]): Output;
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
  const line = (words: string[]) => [PROGRAM, '--db', db, ...words];
  let answering: Answering | null = null;
  return {
    folder,
    db,
    env: place.env,
    run(...words) {
      const options = { ...surroundings, encoding: 'utf8', input: '' } as const;
      const { status, stdout, stderr } = spawnSync(process.execPath, line(words), options);
      return { status, stdout, stderr };
    },
    start: (...words) => new Running(process.execPath, line(words), surroundings),
    answer(user, address) {
      answering ??= new Answering(process.execPath, line(['--persistent', '--log', 'none']), surroundings);
      return answering.ask(user, address);
    },
    entries() {
      const connection = new Database(db, { readonly: true });
      const rows = connection.prepare(ENTRIES).pluck().all() as string[];
      connection.close();
      return rows;
    },
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
  const end = Date.now() + 60_000;
  while ((await site.answer(user, address)) !== answer) {
    if (Date.now() > end) assert.fail(`waited for ${user} at ${address} to get ${answer}; ${site.error()}`);
    await sleep(20);
  }
}
