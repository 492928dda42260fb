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
}

/** `user`: NAME or NAME:GROUP, as in master.cf. Throws Trouble for one that spawn(8) would refuse. */
export function accountOf(user: string, mailOwner: string): Account {
  const [name = '', group] = user.split(':');
  const uid = numberOf('-u', name);
  const gid = group === undefined ? numberOf('-g', name) : groupNumber(group);
  if (uid === null) throw refused(`there is no user ${name}`, `useradd --system --no-create-home ${name}`);
  if (gid === null) throw refused(`there is no group ${group}`);
  if (uid === 0 || gid === 0 || name === mailOwner) {
    throw refused(`Postfix runs no service as ${user}`, 'take nobody, or an account made for this');
  }
  return { name, uid, gid };
}

function numberOf(option: '-u' | '-g', name: string): number | null {
  if (name === '' || name.startsWith('-')) return null;
  const ran = run(findProgram('id') ?? 'id', [option, name]);
  return ran.status === 0 ? Number(ran.stdout) : null;
}

function groupNumber(name: string): number | null {
  const getent = findProgram('getent');
  const listed =
    getent === null ? fs.readFileSync('/etc/group', 'utf8') : run(getent, ['group', name]).stdout;
  const line = listed.split('\n').find((one) => one.startsWith(`${name}:`));
  return line === undefined ? null : Number(line.split(':')[2]);
}

const TIME_LIMIT = 20_000;

/**
 * Runs a program as the account, in the surroundings that spawn(8) gives: cut-down environment, queue directory, no further groups.
 * Needs root, unless it is one's own account.
 */
export function runAs(
  account: Account,
  words: readonly string[],
  surroundings: { queueDir: string; configDir: string; input?: string },
): Ran {
  const [program = '', ...rest] = words;
  const folder = fs.mkdtempSync(path.join(tmpdir(), 'allow-nets-'));
  // A file, because the program says nothing on a socket, which a pipe of Node's is.
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
    });
    const stderr = fs.readFileSync(path.join(folder, 'stderr'), 'utf8');
    return { status: ran.status, stdout: ran.stdout ?? '', stderr: ran.error ? String(ran.error) : stderr };
  } finally {
    fs.closeSync(said);
    fs.rmSync(folder, { recursive: true, force: true });
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
