// The account that runs the policy program: who that is, and running something as spawn(8) would.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { findProgram, type Ran, refused, run } from './run';

export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  /** The name of the group. */
  readonly group: string;
}

/** `user`: NAME or NAME:GROUP, as in master.cf. Throws Trouble for one that spawn(8) would refuse. */
export function accountOf(user: string, mailOwner: string): Account {
  const [name = '', given] = user.split(':');
  const uid = idOf('-u', name);
  const group = given ?? idOf('-gn', name) ?? '';
  const gid = given === undefined ? idOf('-g', name) : groupNumber(given);
  if (uid === null) throw refused(`there is no user ${name}`, `useradd --system --no-create-home ${name}`);
  if (gid === null) throw refused(`there is no group ${group}`);
  if (Number(uid) === 0 || Number(gid) === 0 || name === mailOwner) {
    throw refused(`Postfix runs no service as ${user}`, 'take nobody, or an account made for this');
  }
  return { name, uid: Number(uid), gid: Number(gid), group };
}

function idOf(option: '-u' | '-g' | '-gn', name: string): string | null {
  if (name === '' || name.startsWith('-')) return null;
  const ran = run(findProgram('id') ?? 'id', [option, name]);
  return ran.status === 0 ? ran.stdout.trim() : null;
}

function groupNumber(name: string): string | null {
  const getent = findProgram('getent');
  const listed = getent === null ? fs.readFileSync('/etc/group', 'utf8') : run(getent, ['group', name]).stdout;
  const line = listed.split('\n').find((one) => one.startsWith(`${name}:`));
  return line?.split(':')[2] ?? null;
}

const TIME_LIMIT = 20_000;

/** setsid(2). spawnSync takes it as spawn does, though its type does not name it. */
const OWN_SESSION: object = { detached: true };

/**
 * Runs a program as the account, in the surroundings that spawn(8) gives: cut-down environment, queue directory, no further groups. It has a session
 * of its own, without a terminal: another process of the account could take the program over, and with it root's terminal. Needs root, unless it is one's own
 * account.
 */
export function runAs(
  account: Account,
  words: readonly string[],
  surroundings: { queueDir: string; configDir: string; input?: string },
): Ran {
  const [program = '', ...rest] = words;
  closeInherited();
  const folder = fs.mkdtempSync(path.join(tmpdir(), 'allow-nets-'));
  // A file, because the program writes nothing to standard error while that is a socket, as a pipe of Node's is.
  const said = fs.openSync(path.join(folder, 'stderr'), 'w+', 0o600);
  try {
    const ran = spawnSync(program, rest, {
      ...(process.getuid?.() === account.uid ? {} : { uid: account.uid, gid: account.gid }),
      cwd: surroundings.queueDir,
      env: { PATH: '/usr/bin:/bin', LANG: 'C', MAIL_CONFIG: surroundings.configDir },
      input: surroundings.input ?? '',
      stdio: ['pipe', 'pipe', said],
      encoding: 'utf8',
      timeout: TIME_LIMIT,
      killSignal: 'SIGKILL',
      ...OWN_SESSION,
    });
    const stderr = fs.readFileSync(path.join(folder, 'stderr'), 'utf8');
    return {
      status: ran.status,
      stdout: ran.stdout ?? '',
      stderr: ran.error ? String(ran.error) : stderr,
    };
  } finally {
    fs.closeSync(said);
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

const CLOSE_ON_EXEC = 0o2000000;

/** Closes what root's shell has left open for its children (Linux); libuv keeps only the lowest of them from ours. */
function closeInherited(): void {
  if (!fs.existsSync('/proc/self/fdinfo')) return;
  for (const name of fs.readdirSync('/proc/self/fdinfo')) {
    if (Number(name) <= 2) continue;
    try {
      const flags = /^flags:\s*(\d+)/m.exec(fs.readFileSync(`/proc/self/fdinfo/${name}`, 'utf8'))?.[1] ?? '';
      if ((Number.parseInt(flags, 8) & CLOSE_ON_EXEC) === 0) fs.closeSync(Number(name));
    } catch {
      // The descriptor of the listing itself is closed by now.
    }
  }
}

/** Enters each folder and opens the file, and prints what it cannot; by doing it, because modes say nothing about ACLs and security modules. */
const WALK =
  'for step; do if [ -d "$step" ]; then cd "$step"; else true <"$step"; fi 2>/dev/null || { printf %s "$step"; exit 1; }; done';

/**
 * The first folder on the way to a file that the account cannot enter, or the file that it cannot read; null when it can, or when that cannot be
 * tried because only root can run something as somebody else.
 */
export function closedTo(
  account: Account,
  file: string,
  surroundings: { queueDir: string; configDir: string },
): string | null {
  if (![0, account.uid].includes(process.getuid?.() ?? -1)) return null;
  const given = path.resolve(file);
  const steps = new Set([...stepsTo(given).slice(0, -1), ...stepsTo(realPath(given)), given]);
  const ran = runAs(account, ['/bin/sh', '-c', WALK, 'sh', ...steps], { ...surroundings, queueDir: '/' });
  return ran.status === 0 ? null : ran.stdout || given;
}

function stepsTo(file: string): string[] {
  const above = path.dirname(file);
  return above === file ? [file] : [...stepsTo(above), file];
}

function realPath(file: string): string {
  try {
    return fs.realpathSync(file);
  } catch {
    return file;
  }
}
