// Which Debian package holds each program that a test suite asks for with `needs(...)`, where such a program is, and how
// the missing ones are installed. Used by run.mjs before the tests and by requires.ts inside of them.
//
// In trouble: the output of apt-get goes to stderr and the program stays missing. Whether a suite is then left out or fails is
// decided by the callers. Nothing here prompts, and no service is started.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Program -> Debian package. A program that no selected suite names is never installed. */
export const packageOf = {
  postfix: 'postfix',
  postconf: 'postfix',
  postlog: 'postfix',
  dovecot: 'dovecot-core',
  'imap-login': 'dovecot-imapd',
  'pop3-login': 'dovecot-pop3d',
  'managesieve-login': 'dovecot-managesieved',
  lmtp: 'dovecot-lmtpd',
  'libdriver_sqlite.so': 'dovecot-sqlite',
  openssl: 'openssl',
  mariadbd: 'mariadb-server',
  postgres: 'postgresql',
  sqlite3: 'sqlite3',
  strace: 'strace',
  postfwd1: 'postfwd',
  python3: 'python3',
  man: 'man-db',
  xz: 'xz-utils',
  zstd: 'zstd',
  cc: 'gcc',
  bzip2: 'bzip2',
  script: 'bsdutils',
  rsync: 'rsync',
  setpriv: 'util-linux',
  unshare: 'util-linux',
  prlimit: 'util-linux',
  zsh: 'zsh',
  'fail2ban-regex': 'fail2ban',
};

/**
 * @param {string} program
 * @returns {string | undefined} its absolute path. Looks where Debian puts servers and their parts, too, which is not in every PATH.
 */
export function programPath(program) {
  const postgres = '/usr/lib/postgresql';
  const versions = existsSync(postgres) ? readdirSync(postgres) : [];
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter).filter((folder) => folder.startsWith('/')),
    ...['/usr/sbin', '/sbin', '/usr/bin', '/usr/lib/dovecot', '/usr/lib/dovecot/modules/auth'],
    ...versions.map((version) => join(postgres, version, 'bin')),
  ];
  return folders.map((folder) => join(folder, program)).find(isExecutable);
}

function isExecutable(path) {
  try {
    accessSync(path, path.endsWith('.so') ? constants.R_OK : constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * What keeps a suite from running.
 * @param {readonly string[]} needs programs of the table above, or `root`
 * @returns {string[]} what is missing, each with its remedy; empty when nothing is
 */
export function missing(needs) {
  return needs.flatMap((need) => {
    if (need === 'root') return process.getuid?.() === 0 ? [] : ['root (run the tests as root)'];
    if (!(need in packageOf)) throw new Error(`${need} is not in the table of test/packages.mjs`);
    return programPath(need) === undefined ? [`${need} (Debian package ${packageOf[need]})`] : [];
  });
}

/**
 * Installs the packages of those programs that are missing, when this is root on a machine with apt-get.
 * @param {readonly string[]} needs as for `missing`
 */
export function installMissing(needs) {
  const absent = needs.filter((need) => need in packageOf && programPath(need) === undefined);
  const packages = [...new Set(absent.map((need) => packageOf[need]))].sort();
  if (packages.length === 0 || process.getuid?.() !== 0 || programPath('apt-get') === undefined) return;
  console.error(`installing for the tests: ${packages.join(' ')}`);
  // Debian must not start the services of new packages: the machine must not begin to serve mail or databases.
  const policy = '/usr/sbin/policy-rc.d';
  const ours = !existsSync(policy);
  if (ours) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755, flag: 'wx' });
  try {
    // A failed update is no reason to stop: the lists that are there may do.
    aptGet('update');
    aptGet('install', '--yes', '--no-install-recommends', ...packages);
  } finally {
    if (ours) rmSync(policy, { force: true });
  }
}

function aptGet(...args) {
  // Keeping an existing configuration file and waiting for another apt are the two questions that apt would ask or fail on.
  const options = ['-q', '-o', 'Dpkg::Options::=--force-confold', '-o', 'DPkg::Lock::Timeout=300'];
  const { status, stdout, stderr, error } = spawnSync(programPath('apt-get') ?? '', [...options, ...args], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', NEEDRESTART_MODE: 'l' },
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status === 0) return;
  const output = `${stdout ?? ''}${stderr ?? ''}${error ?? ''}`.trimEnd().split('\n').slice(-15);
  console.error(`apt-get ${args.join(' ')} failed (status ${status}):\n${output.join('\n')}`);
}
