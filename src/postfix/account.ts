// The account that runs the policy program: who that is, and running something as spawn(8) would.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { Trouble } from '../failure';
import { findProgram, type Ran, refused, run, shellLine } from './run';

export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  /** The name of the group. */
  readonly group: string;
}

/** `user`: NAME or NAME:GROUP, as in master.cf. Throws Trouble for one that spawn(8) would refuse. */
export function accountOf(user: string, mailOwner: string): Account {
  const [name = '', givenGroup] = user.split(':');
  const [uid, ownGid, ownGroup] = idsOf(name);
  const group = givenGroup ?? ownGroup ?? '';
  const gid = givenGroup === undefined ? ownGid : lookUp('getent', 'group', givenGroup).split(':')[2];
  if (uid === undefined) throw missing('user', name, ['useradd', '--system', '--no-create-home', name]);
  if (gid === undefined) throw missing('group', group, ['groupadd', '--system', group]);
  if (Number(uid) === 0 || Number(gid) === 0 || name === mailOwner) {
    throw refused(`Postfix runs no service as ${user}`, 'take nobody, or an account made for this');
  }
  return { name, uid: Number(uid), gid: Number(gid), group };
}

function missing(what: 'user' | 'group', name: string, command: readonly string[]): Trouble {
  const problem = `there is no ${what} ${name}`;
  return new Trouble({ kind: 'refused', problem, hint: 'make it, or choose another one', command: shellLine(command) });
}

/**
 * Uid, gid and the name of the group, from the output that POSIX specifies for id(1): `uid=65534(nobody)
 * gid=65534(nogroup) ...`.
 */
function idsOf(name: string): string[] {
  const isName = name !== '' && !name.startsWith('-');
  const [, ...ids] = (isName && /^uid=(\d+)\S* gid=(\d+)\((.*?)\)/.exec(lookUp('id', name))) || [];
  return ids;
}

const lookUp = (program: string, ...words: string[]): string => run(findProgram(program) ?? program, words).stdout;

/** What a program finds where Postfix runs it. */
export interface Surroundings {
  readonly queueDir: string;
  readonly configDir: string;
}

const TIME_LIMIT = 20_000;

/** setsid(2). spawnSync takes it as spawn does, though its type does not name it. */
const OWN_SESSION: object = { detached: true };

/**
 * Runs a program as the account, as spawn(8) does: cut-down environment, queue directory, no further groups. It gets a
 * session of its own, without a terminal, because another process of the account could take the program over, and with
 * it root's terminal. Needs root, unless it is one's own account.
 */
export function runAs(
  account: Account,
  words: readonly string[],
  { queueDir, configDir }: Surroundings,
  input = '',
): Ran {
  const [program = '', ...rest] = words;
  closeInherited();
  const folder = fs.mkdtempSync(path.join(tmpdir(), 'allow-nets-'));
  // A file, because Node.js makes pipes from sockets, and the policy program writes nothing to standard error while
  // that is a socket.
  const errors = fs.openSync(path.join(folder, 'stderr'), 'w+', 0o600);
  try {
    const ran = spawnSync(program, rest, {
      ...(process.getuid?.() === account.uid ? {} : { uid: account.uid, gid: account.gid }),
      cwd: queueDir,
      env: { PATH: '/usr/bin:/bin', LANG: 'C', MAIL_CONFIG: configDir },
      input,
      stdio: ['pipe', 'pipe', errors],
      encoding: 'utf8',
      timeout: TIME_LIMIT,
      killSignal: 'SIGKILL',
      ...OWN_SESSION,
    });
    const stderr = ran.error ? String(ran.error) : fs.readFileSync(path.join(folder, 'stderr'), 'utf8');
    return { status: ran.status, stdout: ran.stdout ?? '', stderr };
  } finally {
    fs.closeSync(errors);
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

const CLOSE_ON_EXEC = 0o2000000;

/**
 * Closes the descriptors that root's shell left open for its children (Linux). Those of Node.js itself are closed on
 * exec.
 */
function closeInherited(): void {
  if (!fs.existsSync('/proc/self/fdinfo')) return;
  for (const name of fs.readdirSync('/proc/self/fdinfo').filter((one) => Number(one) > 2)) {
    try {
      const [, flags = ''] = /^flags:\s*(\d+)/m.exec(fs.readFileSync(`/proc/self/fdinfo/${name}`, 'utf8')) ?? [];
      if ((Number.parseInt(flags, 8) & CLOSE_ON_EXEC) === 0) fs.closeSync(Number(name));
    } catch {
      // The descriptor of the listing itself is closed by now.
    }
  }
}

/**
 * Enters each folder, opens the file, and prints what it cannot; it tries, because modes do not show ACLs and security
 * modules.
 */
const WALK =
  'for step; do if [ -d "$step" ]; then cd "$step"; else true <"$step"; fi 2>/dev/null || { printf %s "$step"; exit 1; }; done';

/**
 * The first folder on the way to a file that the account cannot enter, or the file when the account cannot read it;
 * null when it can, or when that cannot be tried: only root can run something as another account.
 */
export function closedTo(account: Account, file: string, { configDir }: Surroundings): string | null {
  if (![0, account.uid].includes(process.getuid?.() ?? -1)) return null;
  const given = path.resolve(file);
  const real = fs.existsSync(given) ? fs.realpathSync(given) : given;
  const steps = new Set([...stepsTo(path.dirname(given)), ...stepsTo(real), given]);
  const ran = runAs(account, ['/bin/sh', '-c', WALK, 'sh', ...steps], { configDir, queueDir: '/' });
  return ran.status === 0 ? null : ran.stdout || given;
}

function stepsTo(file: string): string[] {
  const folder = path.dirname(file);
  return folder === file ? [file] : [...stepsTo(folder), file];
}
