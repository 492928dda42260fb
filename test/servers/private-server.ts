// A database server of a test's own: private data folder and socket, no port, run as the service user where this is root.
//
// In trouble: a start that fails throws with what the server said. The processes and the folder go with the test.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { userIds } from '../rig/accounts';
import { kill, makeFolder, removeFolder } from '../rig/scratch';
import { waitFor } from '../rig/wait-for';

export interface SqlServer {
  /** The folder of the socket; its name is the server's own usual one. */
  folder: string;
  /** A client's argv up to the database it talks to: what follows are its output options and the statement. */
  client: readonly string[];
  /** Runs statements as the administrator. @returns the client's stdout */
  sql(statements: string): Promise<string>;
  /** What the server has logged. */
  log(): string;
  /** SIGKILL, as when the machine fails. */
  crash(): Promise<void>;
  /** Again on the same data, after `crash`. */
  start(): Promise<void>;
  /** Ends it at once and removes its folder. */
  stop(): void;
}

/** How one kind of server is made, run and asked. Commands are argv, absolute paths first. */
export interface Recipe {
  name: string;
  /** The account that Debian's package made for it. */
  user: string;
  install(data: string): string[];
  serve(data: string, folder: string): string[];
  client(folder: string): string[];
  /** Argv after `client` for statements. */
  statements(sql: string): string[];
}

/** How long (ms) a server may take to answer on a slow machine, the recovery after a crash included. */
const STARTING = 90_000;

const run = promisify(execFile);

export async function startSqlServer(recipe: Recipe): Promise<SqlServer> {
  const folder = makeFolder(recipe.name);
  const data = join(folder, 'data');
  const logFile = join(folder, 'server.log');
  const log = () => readFileSync(logFile, 'utf8');
  // Both servers refuse to run as root.
  const account = process.getuid?.() === 0 ? userIds(recipe.user) : {};
  const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, ...account };
  const client = recipe.client(folder);
  let server: ChildProcess | null = null;

  async function sql(statements: string): Promise<string> {
    const [command = '', ...args] = [...client, ...recipe.statements(statements)];
    const { stdout } = await run(command, args, { cwd: folder, encoding: 'utf8', maxBuffer: 1 << 28 });
    return stdout;
  }

  async function start(): Promise<void> {
    const [command = '', ...args] = recipe.serve(data, folder);
    const shell = `exec "$@" >> '${logFile}' 2>&1`;
    const started = spawn('/bin/sh', ['-c', shell, 'sh', command, ...args], {
      ...account,
      cwd: folder,
      stdio: 'ignore',
    });
    server = started;
    const end = Date.now() + STARTING;
    while (!(await answers())) {
      if (started.exitCode !== null || Date.now() > end) throw new Error(`${recipe.name} did not start:\n${log()}`);
      await sleep(50);
    }
  }

  function answers(): Promise<boolean> {
    return sql('select 1').then(
      () => true,
      () => false,
    );
  }

  async function crash(): Promise<void> {
    if (server?.pid === undefined) return;
    const ended = server;
    kill(server.pid, 'SIGKILL');
    await waitFor(`${recipe.name} to end`, () => ended.signalCode !== null || ended.exitCode !== null);
  }

  try {
    writeFileSync(logFile, '');
    for (const path of [folder, logFile]) chownSync(path, owner.uid, owner.gid);
    mkdirSync(data, { mode: 0o700 });
    chownSync(data, owner.uid, owner.gid);
    const [command = '', ...args] = recipe.install(data);
    await run(command, args, { ...account, cwd: folder });
    await start();
  } catch (error) {
    removeFolder(folder);
    throw error;
  }
  return { folder, client, sql, log, crash, start, stop: () => removeFolder(folder) };
}
