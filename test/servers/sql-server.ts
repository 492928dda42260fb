// A MariaDB or PostgreSQL of a test's own (Debian's packages): private data folder and socket, no port, run as the service user where
// this is root. The administrator needs no password.
//
// In trouble: a start that fails throws with the output of the server. The processes and the folder go with the test.
import { chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { program } from '../requires';
import { userIds } from '../rig/accounts';
import { mustRun, type Running, start } from '../rig/run';
import { makeFolder, removeFolder } from '../rig/scratch';
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
  const { user, install, serve, client, options } = recipe(data, folder);
  // Both servers refuse to run as root.
  const isRoot = process.getuid?.() === 0;
  const place = isRoot ? { cwd: folder, as: user } : { cwd: folder };
  let server: Running;

  async function sql(statements: string): Promise<string> {
    const { status, stdout, stderr } = await start([...options, statements], { command: client, cwd: folder }).ended;
    if (status !== 0) throw new Error(`${name}: status ${status}\n${stderr}`);
    return stdout;
  }

  async function serverStart(): Promise<void> {
    server = start([], { command: serve, ...place });
    const answers = async () => {
      if (server.child.exitCode !== null) throw new Error(`${name} ended:\n${server.stderr}`);
      return (await sql('select 1').catch(() => null)) !== null;
    };
    // On a slow machine, and with the recovery after a crash.
    await waitFor(`${name} to answer`, answers, () => server.stderr, 90_000);
  }

  mkdirSync(data, { mode: 0o700 });
  if (isRoot) {
    const { uid, gid } = userIds(user);
    for (const path of [folder, data]) chownSync(path, uid, gid);
  }
  mustRun([], { command: install, ...place });
  await serverStart();
  return {
    folder,
    client,
    sql,
    async crash() {
      server.child.kill('SIGKILL');
      await server.ended;
    },
    start: serverStart,
    stop: () => removeFolder(folder),
  };
}
