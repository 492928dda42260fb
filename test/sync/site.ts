// A server of its own for a test of `sync`: a folder with a database, a mail log, the shipped program, and answers as Postfix would get them.
//
// In trouble: what still runs is ended, and the folder removed, at the latest when the test process ends.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { writeDatabase } from '../policy/database';
import { makePlace, PROGRAM } from '../policy/program';
import { waitFor } from '../wait-for';

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
  /** `user network` of all entries, in order; a local mark, a note and an expiry follow where there are any. */
  entries(): string[];
  /** The first word of what the policy program says: dunno or reject. */
  answer(user: string, address: string): string;
  /** Writes a file in the folder. @returns its path */
  file(name: string, text: string): string;
  /** The lines of the mail log, each with its priority, the times in them replaced: took=0.1s by took=T. */
  log(): string[];
}

export class Running {
  stdout = '';
  stderr = '';
  readonly ended: Promise<Output & { readonly signal: NodeJS.Signals | null }>;

  constructor(readonly child: ChildProcess) {
    child.stdout?.on('data', (bytes) => {
      this.stdout += bytes;
    });
    child.stderr?.on('data', (bytes) => {
      this.stderr += bytes;
    });
    this.ended = new Promise((done) =>
      child.once('close', (status, signal) =>
        done({ status, signal, stdout: this.stdout, stderr: this.stderr }),
      ),
    );
  }

  /** SIGTERM, and what came of it. */
  end(): typeof this.ended {
    this.child.kill('SIGTERM');
    return this.ended;
  }
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** @param env more for the environment, for example PGHOST */
export function makeSite(env: NodeJS.ProcessEnv = {}): Site {
  const place = makePlace({ env });
  const folder = join(place.folder, 'site');
  mkdirSync(folder);
  const db = join(folder, 'access.db');
  const options = { cwd: folder, env: place.env, encoding: 'utf8' } as const;
  const line = (words: string[]) => [PROGRAM, '--db', db, ...words];
  const run = (...words: string[]): Output => {
    const { status, stdout, stderr } = spawnSync(process.execPath, line(words), { ...options, input: '' });
    return { status, stdout, stderr };
  };
  writeDatabase(db, []);
  return {
    folder,
    db,
    env: place.env,
    run,
    start(...words) {
      const child = spawn(process.execPath, line(words), { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
      running.add(child);
      child.once('exit', () => running.delete(child));
      return new Running(child);
    },
    entries() {
      const connection = new Database(db, { readonly: true });
      const rows = connection
        .prepare(
          "select concat_ws(' ', user, network, iif(local, 'local', null), note, expires) from access order by user, network",
        )
        .pluck()
        .all() as string[];
      connection.close();
      return rows;
    },
    answer(user, address) {
      const input = `sasl_username=${user}\nclient_address=${address}\n\n`;
      const { stdout } = spawnSync(process.execPath, line(['--log', 'none']), { ...options, input });
      return /^action=(\w+)/.exec(stdout)?.[1] ?? `no answer: ${stdout}`;
    },
    file(name, text) {
      const path = join(folder, name);
      writeFileSync(path, text);
      return path;
    },
    log: () => place.log().map((text) => text.replace(/took=[\d.]+s/, 'took=T')),
  };
}

/** Waits until the site answers so. */
export function waitForAnswer(site: Site, user: string, address: string, answer: string): Promise<unknown> {
  return waitFor(
    `${user} at ${address} to get ${answer}`,
    () => site.answer(user, address) === answer,
    () => readFileSync(`${site.db}.sync.json`, 'utf8'),
  );
}
