// A MariaDB or PostgreSQL of a test's own (Debian's packages): private data folder and socket, no port, run as the service user where
// this is root. The administrator needs no password.
//
// In trouble: a start that fails throws with the output of the server. The processes and the folder go with the test.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chownSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { program } from '../requires';
import { userIds } from '../rig/accounts';
import { kill, makeFolder, removeFolder } from '../rig/scratch';
import { waitFor } from '../rig/wait-for';

export interface SqlServer {
  /** The folder of the socket: mariadb.sock, or PostgreSQL's usual name. */
  folder: string;
  /** A client's argv up to the database it talks to: what follows are its output options and the statement. */
  client: readonly string[];
  /** Runs statements as the administrator. @returns the client's stdout */
  sql(statements: string): Promise<string>;
  /** SIGKILL, as when the machine fails. */
  crash(): Promise<void>;
  /** Again on the same data, after `crash`. */
  start(): Promise<void>;
  /** Ends it at once and removes its folder. */
  stop(): void;
}

/** How one kind of server is made, run and asked. Commands are argv, absolute paths first. */
interface Recipe {
  /** The account that Debian's package made for it. */
  user: string;
  install: string[];
  serve: string[];
  client: string[];
  /** What comes after `client`, before statements. */
  options: string[];
}

/** The suite says `needs('mariadbd')`. Starts in about 6 s. */
export function startMariaDb(): Promise<SqlServer> {
  return startSqlServer('mariadb', (data, folder) => {
    const own = [`--datadir=${data}`, '--innodb-log-file-size=8M', '--innodb-buffer-pool-size=16M'];
    const socket = `--socket=${join(folder, 'mariadb.sock')}`;
    const install = ['--auth-root-authentication-method=normal', '--skip-test-db'];
    const serve = [`--pid-file=${join(folder, 'mariadb.pid')}`, '--skip-networking', '--character-set-server=utf8mb4'];
    return {
      user: 'mysql',
      install: [program('mariadb-install-db'), '--no-defaults', ...install, ...own],
      serve: [program('mariadbd'), '--no-defaults', socket, ...serve, ...own],
      client: [program('mariadb'), '--no-defaults', '--default-character-set=utf8mb4', socket, '--user=root'],
      options: ['--batch', '-e'],
    };
  });
}

/** The suite says `needs('postgres')`. Starts in about 3 s. */
export function startPostgreSql(): Promise<SqlServer> {
  return startSqlServer('postgresql', (data, folder) => {
    const settings = ['listen_addresses=', 'fsync=off', `unix_socket_directories=${folder}`];
    const install = ['--auth=trust', '--username=postgres', '--encoding=UTF8', '--locale=C', '--no-sync'];
    return {
      user: 'postgres',
      install: [program('initdb'), `--pgdata=${data}`, ...install],
      serve: [program('postgres'), '-D', data, ...settings.flatMap((setting) => ['-c', setting])],
      client: [program('psql'), '-X', '-q', `--host=${folder}`, '--username=postgres'],
      options: ['--csv', '--set=ON_ERROR_STOP=1', '-c'],
    };
  });
}

async function startSqlServer(name: string, recipe: (data: string, folder: string) => Recipe): Promise<SqlServer> {
  const folder = makeFolder(name);
  const data = join(folder, 'data');
  const logFile = join(folder, 'server.log');
  const { user, install, serve, client, options } = recipe(data, folder);
  // Both servers refuse to run as root.
  const account = process.getuid?.() === 0 ? userIds(user) : null;
  let server: ChildProcess | null = null;

  async function run([command = '', ...args]: readonly string[], as = {}): Promise<string> {
    const spawned = { ...as, cwd: folder, encoding: 'utf8', maxBuffer: 1 << 28 } as const;
    return (await promisify(execFile)(command, args, spawned)).stdout;
  }

  const sql = (statements: string) => run([...client, ...options, statements]);

  async function start(): Promise<void> {
    const shell = `exec "$@" >> '${logFile}' 2>&1`;
    const started = spawn('/bin/sh', ['-c', shell, 'sh', ...serve], { ...account, cwd: folder, stdio: 'ignore' });
    server = started;
    const log = () => readFileSync(logFile, 'utf8');
    const answers = async () => {
      if (started.exitCode !== null) throw new Error(`${name} ended with status ${started.exitCode}:\n${log()}`);
      return (await sql('select 1').catch(() => null)) !== null;
    };
    // On a slow machine, and with the recovery after a crash.
    await waitFor(`${name} to answer`, answers, log, 90_000);
  }

  async function crash(): Promise<void> {
    const ended = server;
    if (ended?.pid === undefined) return;
    kill(ended.pid, 'SIGKILL');
    await waitFor(`${name} to end`, () => ended.signalCode !== null || ended.exitCode !== null);
  }

  try {
    mkdirSync(data, { mode: 0o700 });
    if (account) for (const path of [folder, data]) chownSync(path, account.uid, account.gid);
    await run(install, account ?? {});
    await start();
  } catch (error) {
    removeFolder(folder);
    throw error;
  }
  return { folder, client, sql, crash, start, stop: () => removeFolder(folder) };
}
