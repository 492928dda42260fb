// Looks up the account that runs the policy program, and runs programs as that account in the way of spawn(8).
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { type Message, refusal, shellLine } from '../failure';
import type { Postfix } from './postfix';
import { findProgram, type RunResult, run, withTemporaryFolder } from './run';

export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  /** The name of the group. */
  readonly group: string;
}

/** `user`: NAME or NAME:GROUP, as in master.cf. Throws Trouble for an account that spawn(8) would refuse. */
export function accountOf(user: string, mailOwner: string): Account {
  const [name = '', givenGroup] = user.split(':');
  const other = [{ hint: 'or name another one with --user' }];
  const output = /^[^-]/.test(name) ? lookUp('id', name) : '';
  // The POSIX output of id(1): `uid=65534(nobody) gid=65534(nogroup) ...`.
  const [, uid, ownGid, ownGroup = ''] = /^uid=(\d+)\S* gid=(\d+)\((.*?)\)/.exec(output) ?? [];
  if (uid === undefined) {
    const command = shellLine(['useradd', '--system', '--no-create-home', name]);
    throw refusal(`there is no user ${name}`, 'make it', command, other);
  }
  const group = givenGroup ?? ownGroup;
  const gid = givenGroup === undefined ? ownGid : lookUp('getent', 'group', group).split(':')[2];
  if (gid === undefined) {
    throw refusal(`there is no group ${group}`, 'make it', shellLine(['groupadd', '--system', group]), other);
  }
  if (Number(uid) === 0 || Number(gid) === 0 || name === mailOwner) {
    throw refusal(`Postfix runs no service as ${user}`, 'take nobody, or an account made for this, with --user');
  }
  return { name, uid: Number(uid), gid: Number(gid), group };
}

const lookUp = (program: string, ...words: string[]): string => run(findProgram(program) ?? program, words).stdout;

/** A program run by Postfix works in the queue directory, and gets the configuration directory in $MAIL_CONFIG. */
export type PostfixFolders = Pick<Postfix, 'queueDir' | 'configDir'>;

const TIME_LIMIT = 20_000;

/** Calls setsid(2). spawnSync supports this as spawn does, but its type lacks it. */
const OWN_SESSION: object = { detached: true };

/**
 * Runs a program as the account, as spawn(8) does: minimal environment, queue directory, no supplementary groups. The
 * program gets its own session without a terminal: another process of the account could take it over, and must not get
 * root's terminal. Requires root, unless it is our own account.
 */
export function runAs(
  account: Account,
  words: readonly string[],
  { queueDir, configDir }: PostfixFolders,
  input = '',
): RunResult {
  const [program = '', ...rest] = words;
  closeInherited();
  return withTemporaryFolder((folder) => {
    // stderr goes to a file: Node.js's pipes are sockets, and the policy program does not write to a stderr that is one.
    const errors = fs.openSync(path.join(folder, 'stderr'), 'w+', 0o600);
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
    fs.closeSync(errors);
    const stderr = ran.error ? String(ran.error) : fs.readFileSync(path.join(folder, 'stderr'), 'utf8');
    return { status: ran.status, stdout: ran.stdout ?? '', stderr };
  });
}

const CLOSE_ON_EXEC = 0o2000000;

/** Closes inherited descriptors, so that the account does not get root's (Linux). Those of Node.js close on exec. */
function closeInherited(): void {
  if (!fs.existsSync('/proc/self/fdinfo')) return;
  for (const name of fs.readdirSync('/proc/self/fdinfo').filter((one) => Number(one) > 2)) {
    try {
      const [, flags = ''] = /^flags:\s*(\d+)/m.exec(fs.readFileSync(`/proc/self/fdinfo/${name}`, 'utf8')) ?? [];
      if ((Number.parseInt(flags, 8) & CLOSE_ON_EXEC) === 0) fs.closeSync(Number(name));
    } catch {
      // readdirSync's own descriptor is listed but closed by now.
    }
  }
}

/**
 * Enters each directory, opens the file, and prints the first that fails. Modes do not show ACLs and security modules.
 */
const WALK =
  'for step; do if [ -d "$step" ]; then cd "$step"; else true <"$step"; fi 2>/dev/null || { printf %s "$step"; exit 1; }; done';

/** Why an account cannot read a file, with the fix. `at`: the file, or the first directory that cannot be entered. */
export interface Unreadable extends Message {
  readonly at: string;
}

/** The first file that the account cannot read; null if it can read all, or if we are not root and cannot try. */
export function unreadable(
  account: Account,
  files: readonly string[],
  { configDir }: PostfixFolders,
): Unreadable | null {
  if (![0, account.uid].includes(process.getuid?.() ?? -1)) return null;
  for (const file of files) {
    const steps = [...new Set([...stepsTo(path.dirname(file)), ...stepsTo(realPath(file)), file])];
    const ran = runAs(account, ['/bin/sh', '-c', WALK, 'sh', ...steps], { configDir, queueDir: '/' });
    if (ran.status === 0) continue;
    // Another process of the account may have printed it: a command for root must not name any other file.
    const at = steps.find((step) => step === ran.stdout) ?? file;
    const found = fs.statSync(at, { throwIfNoEntry: false });
    if (found === undefined) return { at, problem: `there is no ${file} any more` };
    const problem = `the account ${account.name} cannot read ${file}${at === file ? '' : ` because of ${at}`}`;
    if (at === '/root') return { at, problem, hint: 'keep it outside of /root, which other users must not enter' };
    return { at, problem, command: shellLine(['chmod', found.isDirectory() ? 'a+x' : 'a+rX', at]) };
  }
  return null;
}

const realPath = (file: string): string => (fs.existsSync(file) ? fs.realpathSync(file) : file);

/** The file and all directories above it, the root first. */
export function stepsTo(file: string): string[] {
  const folder = path.dirname(file);
  return folder === file ? [file] : [...stepsTo(folder), file];
}
