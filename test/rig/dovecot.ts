// Dovecot as the SASL server of a private Postfix: it checks passwords and nothing else, and touches nothing outside its folder.
// (Debian's Cyrus SASL reads /etc/postfix/sasl and /etc/sasldb2 whatever the config folder.)
//
// In trouble: when it does not open its socket in time, throws with what it logged.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { program } from '../requires';
import { waitFor } from './wait-for';

/** SASL user name -> password */
export type Users = Readonly<Record<string, string>>;

/**
 * Starts a Dovecot in `folder` (which must exist and be empty) that listens on `socket` for Postfix's smtpd. It is ended
 * like everything else that runs in the folder.
 */
export async function startDovecot(folder: string, socket: string, users: Users): Promise<void> {
  const log = join(folder, 'dovecot.log');
  mkdirSync(join(folder, 'run'));
  writeFileSync(log, '');
  writeFileSync(join(folder, 'users'), usersFile(users));
  writeFileSync(join(folder, 'dovecot.conf'), dovecotConf(folder, socket, log));
  const child = spawn(program('dovecot'), ['-F', '-c', join(folder, 'dovecot.conf')], {
    cwd: folder,
    stdio: 'ignore',
    detached: true, // an interrupt at the terminal must not end it before Postfix
  });
  child.unref();
  const readLog = () => readFileSync(log, 'utf8');
  await waitFor('the SASL socket of Dovecot', () => existsSync(socket) || child.exitCode !== null, readLog);
  if (child.exitCode !== null) throw new Error(`dovecot ended with status ${child.exitCode}:\n${readLog()}`);
}

/** The text of Dovecot's passwd-file, in which quotes and backslashes of a name are escaped. */
function usersFile(users: Users): string {
  const lines = Object.entries(users).map(
    ([user, password]) => `${user.replace(/["'\\]/g, '\\$&')}:{PLAIN}${password}\n`,
  );
  return lines.join('');
}

/** The settings whose spelling changed with Dovecot 2.4. */
function versionedConf(folder: string): string {
  const version = execFileSync(program('dovecot'), ['--version'], { encoding: 'utf8' });
  if (/^2\.[0-3]\./.test(version)) {
    return `
disable_plaintext_auth = no
auth_username_format = %u
passdb {
  driver = passwd-file
  args = username_format=%u ${folder}/users
}`;
  }
  return `
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
auth_allow_cleartext = yes
auth_allow_weak_schemes = yes
auth_username_format = %{user}
passdb passwd-file {
  passwd_file_path = ${folder}/users
}`;
}

function dovecotConf(folder: string, socket: string, log: string): string {
  // The version must come first. User names are taken as they are given: whatever a client can send must reach the policy.
  return `${versionedConf(folder).trim()}
base_dir = ${folder}/run
state_dir = ${folder}/run
log_path = ${log}
protocols =
ssl = no
auth_mechanisms = plain login
auth_username_chars =
auth_failure_delay = 0
service auth {
  unix_listener ${socket} {
    mode = 0600
    user = postfix
    group = postfix
  }
}
`;
}
