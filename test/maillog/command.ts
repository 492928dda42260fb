// The shipped program with a scratch folder and database of its own, for one test file.
import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { program } from '../requires';

export const PROGRAM = path.resolve('bin/allow-nets.js');
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'allow-nets-learn-'));
process.once('exit', () => fs.rmSync(folder, { recursive: true, force: true }));

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

let count = 0;

/** The path of a new file with this content. */
export function file(content: string | Buffer, name = 'mail.log'): string {
  const own = path.join(folder, String(count++));
  fs.mkdirSync(own);
  const written = path.join(own, name);
  fs.writeFileSync(written, content);
  return written;
}

/** The path of a new empty database. */
export function database(): string {
  const db = path.join(folder, `${count++}.db`);
  const { status, stderr } = run(['init', '--db', db]);
  if (status !== 0) throw new Error(stderr);
  return db;
}

/** The path of a database that is not there. */
export function noDatabase(): string {
  return path.join(folder, `${count++}.db`);
}

export function run(
  words: readonly string[],
  { input = '', zone = 'UTC', env = {} }: { input?: string | Buffer; zone?: string; env?: NodeJS.ProcessEnv } = {},
): Ran {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...words], {
    input,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], TZ: zone, SUDO_USER: 'postmaster', LANG: 'C.UTF-8', ...env },
    maxBuffer: 1 << 28,
  });
  return { status, stdout, stderr };
}

/** The entries of a database: `user network`, in order. */
export function entries(db: string): string[] {
  const { stdout } = run(['list', '--json', '--db', db]);
  const rows = JSON.parse(stdout) as { user: string; network: string }[];
  return rows.map(({ user, network }) => `${user} ${network}`).sort();
}

/** For `sh -c`: this program on this database. */
export function commandLine(db: string): string {
  return `ALLOW_NETS_DB='${db}' TZ=UTC '${process.execPath}' '${PROGRAM}'`;
}

/** What a shell's command line writes to a terminal, both outputs together. The suite says `needs('script')`. */
export function onTerminal(line: string, env: NodeJS.ProcessEnv = {}): string {
  const output = execFileSync(program('script'), ['-qec', line, '/dev/null'], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], TERM: 'xterm', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 1 << 28,
  });
  return output.replaceAll('\r\n', '\n');
}
