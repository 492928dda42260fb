// A Dovecot of a test's own, which touches nothing outside its folder: the SASL server of a private Postfix (Debian's Cyrus SASL reads
// /etc/postfix/sasl and /etc/sasldb2 whatever the config folder), or a server of IMAP and others. It is ended like everything that runs
// in its folder.
//
// In trouble: when it does not open its socket in time, throws with what it logged.
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { program } from '../requires';
import { type Outcome, run } from './run';
import { waitFor } from './wait-for';

export interface Dovecot {
  log(): string;
  doveadm(...words: string[]): Outcome;
}

/** Whether the installed version has the configuration of before 2.4. */
export const isDovecot23 = () =>
  /^2\.[0-3]\./.test(execFileSync(program('dovecot'), ['--version'], { encoding: 'utf8' }));

/**
 * Any name can be a user's, passwords may be sent in the clear, and nobody waits after a refusal.
 * @param folder exists and is empty
 * @param socket one that `settings` makes it listen on: it is there when the server is up
 * @param settings passdbs, services and what else goes into dovecot.conf
 */
export async function startDovecot(folder: string, socket: string, settings: string): Promise<Dovecot> {
  const conf = join(folder, 'dovecot.conf');
  const logFile = join(folder, 'dovecot.log');
  // The version must come first.
  const versioned = isDovecot23()
    ? 'disable_plaintext_auth = no'
    : `dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
auth_allow_cleartext = yes
auth_allow_weak_schemes = yes`;
  const common = `${versioned}
base_dir = ${folder}/run
state_dir = ${folder}/run
log_path = ${logFile}
ssl = no
auth_username_chars =
auth_failure_delay = 0
`;
  writeFileSync(conf, `${common}${settings}`);
  mkdirSync(join(folder, 'run'));
  const output = openSync(logFile, 'a');
  const child = spawn(program('dovecot'), ['-F', '-c', conf], {
    cwd: folder,
    stdio: ['ignore', output, output],
    detached: true, // an interrupt at the terminal must not end it before Postfix
  });
  closeSync(output);
  child.unref();
  const log = () => readFileSync(logFile, 'utf8');
  await waitFor('Dovecot', () => existsSync(socket) || child.exitCode !== null, log);
  if (child.exitCode !== null) throw new Error(`dovecot ended with status ${child.exitCode}:\n${log()}`);
  return { log, doveadm: (...words) => run(words, { command: [program('doveadm'), '-c', conf] }) };
}

/** SASL user name -> password */
export type Users = Readonly<Record<string, string>>;

/**
 * A Dovecot that checks passwords for Postfix and does nothing else. User names are taken as they are given: whatever a client can send
 * must reach the policy.
 * @param passdbs settings that come before the passdb of these users
 */
export function startSaslServer(folder: string, socket: string, users: Users, passdbs = ''): Promise<Dovecot> {
  const escaped = (user: string) => user.replace(/["'\\]/g, '\\$&');
  const lines = Object.entries(users).map(([user, password]) => `${escaped(user)}:{PLAIN}${password}\n`);
  const file = join(folder, 'users');
  writeFileSync(file, lines.join(''));
  const passwords = isDovecot23()
    ? `auth_username_format = %u
passdb {
  driver = passwd-file
  args = username_format=%u ${file}
}`
    : `auth_username_format = %{user}
passdb passwd-file {
  passwd_file_path = ${file}
}`;
  const settings = `protocols =
auth_mechanisms = plain login
service auth {
  unix_listener ${socket} {
    mode = 0600
    user = postfix
    group = postfix
  }
}
${passdbs}
${passwords}
`;
  return startDovecot(folder, socket, settings);
}
