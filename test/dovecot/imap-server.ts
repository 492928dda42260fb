// A Dovecot of its own that serves IMAP on a loopback port, with the passdbs of examples/dovecot. It is ended like everything else that
// runs in its folder.
//
// In trouble: when it does not listen in time, throws with what it logged.
import { execFileSync, spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { chownSync, closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { program } from '../requires';
import { userIds } from '../rig/accounts';
import { freePorts } from '../rig/ports';
import { waitFor } from '../rig/wait-for';

/** The folder of the examples for the installed Dovecot. */
export const examples = () => `examples/dovecot/${isOld() ? '2.3' : '2.4'}`;

export const isOld = () => /^2\.[0-3]\./.test(execFileSync(program('dovecot'), ['--version'], { encoding: 'utf8' }));

/** A passdb with one password for all names, which stands for the passdbs of an administrator. */
export const onePassword = (password: string) =>
  isOld()
    ? `passdb {\n  driver = static\n  args = password=${password}\n}\n`
    : `passdb static {\n  password = {PLAIN}${password}\n}\n`;

export interface Login {
  readonly user: string | Buffer;
  readonly password?: string;
  readonly from: string;
  readonly method?: 'PLAIN' | 'CRAM-MD5' | undefined;
}

export class ImapServer {
  private constructor(
    private readonly folder: string,
    private readonly port: number,
  ) {}

  /** `folder`: exists and is empty. `settings`: passdbs, and what else goes into dovecot.conf. */
  static async start(folder: string, settings: string): Promise<ImapServer> {
    const [port] = (await freePorts(1)) as [number];
    for (const name of ['run', 'mail']) mkdirSync(join(folder, name));
    const { uid, gid } = userIds('nobody');
    chownSync(join(folder, 'mail'), uid, gid);
    const log = openSync(join(folder, 'dovecot.log'), 'a');
    const conf = join(folder, 'dovecot.conf');
    writeFileSync(conf, dovecotConf(folder, port, settings));
    const child = spawn(program('dovecot'), ['-F', '-c', conf], {
      cwd: folder,
      stdio: ['ignore', log, log],
      detached: true,
    });
    closeSync(log);
    child.unref();
    const server = new ImapServer(folder, port);
    const isUp = () => existsSync(server.authSocket()) || child.exitCode !== null;
    await waitFor('Dovecot', isUp, () => server.log());
    if (child.exitCode !== null) throw new Error(`dovecot ended with status ${child.exitCode}:\n${server.log()}`);
    return server;
  }

  /** The answer to a login: OK, NO [AUTHENTICATIONFAILED] and so on. */
  async login({ user, password = 'secret', from, method = 'PLAIN' }: Login): Promise<string> {
    const socket = connect({ host: '127.0.0.1', port: this.port, localAddress: from });
    try {
      const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
      await lines.next();
      socket.write(`a AUTHENTICATE ${method}\r\n`);
      const challenge = Buffer.from(`${(await lines.next()).value}`.slice(2), 'base64');
      const digest = createHmac('md5', password).update(challenge).digest('hex');
      const response =
        method === 'PLAIN'
          ? Buffer.concat([Buffer.from('\0'), Buffer.from(user), Buffer.from(`\0${password}`)])
          : Buffer.from(`${user} ${digest}`);
      socket.write(`${response.toString('base64')}\r\n`);
      for (;;) {
        const { value, done } = await lines.next();
        if (done) throw new Error(`no answer to ${user}:\n${this.log()}`);
        if (`${value}`.startsWith('a ')) return `${value}`.slice(2);
      }
    } finally {
      socket.destroy();
    }
  }

  /** Which of many logins the authentication server takes, from any address. The addresses are not those of connections. */
  async authenticate(logins: readonly Login[]): Promise<boolean[]> {
    const socket = connect(this.authSocket());
    const results = new Map<number, boolean>();
    const lines = createInterface({ input: socket });
    lines.on('line', (line) => {
      const [word, id] = line.split('\t');
      if (word === 'OK' || word === 'FAIL') results.set(Number(id), word === 'OK' && !line.includes('\ttemp'));
      if (results.size === logins.length) lines.close();
    });
    socket.write(`VERSION\t1\t2\nCPID\t${process.pid}\n`);
    for (const [i, { user, password = 'secret', from }] of logins.entries()) {
      const response = Buffer.concat([Buffer.from('\0'), Buffer.from(user), Buffer.from(`\0${password}`)]);
      socket.write(
        `AUTH\t${i + 1}\tPLAIN\tservice=imap\tno-penalty\trip=${from}\tresp=${response.toString('base64')}\n`,
      );
    }
    await once(lines, 'close');
    socket.destroy();
    return logins.map((_, i) => results.get(i + 1) === true);
  }

  doveadm(...args: string[]): { status: number; stdout: string } {
    try {
      const conf = join(this.folder, 'dovecot.conf');
      return { status: 0, stdout: execFileSync(program('doveadm'), ['-c', conf, ...args], { encoding: 'utf8' }) };
    } catch (error) {
      const { status, stdout } = error as { status: number; stdout: string };
      return { status, stdout };
    }
  }

  log(): string {
    return readFileSync(join(this.folder, 'dovecot.log'), 'utf8');
  }

  private authSocket(): string {
    return join(this.folder, 'run', 'auth-test');
  }
}

function dovecotConf(folder: string, port: number, settings: string): string {
  const mail = join(folder, 'mail');
  const versioned = isOld()
    ? `
disable_plaintext_auth = no
mail_location = maildir:~/Maildir
auth_username_format = %Lu
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=${mail}/%Mu
}`
    : `
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
auth_allow_cleartext = yes
auth_allow_weak_schemes = yes
mail_driver = maildir
mail_path = ~/Maildir
userdb static {
  fields {
    uid = nobody
    gid = nogroup
    home = ${mail}/%{user | sha256 | hex}
  }
}`;
  // The version must come first. Any name may log in, and nobody waits after a refusal.
  return `${versioned.trim()}
base_dir = ${folder}/run
state_dir = ${folder}/run
log_path = ${folder}/dovecot.log
auth_verbose = yes
protocols = imap
ssl = no
auth_mechanisms = plain login cram-md5
auth_username_chars =
auth_failure_delay = 0
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service auth {
  unix_listener auth-test {
    mode = 0600
  }
}
service imap-login {
  inet_listener imap {
    port = ${port}
  }
  inet_listener imaps {
    port = 0
  }
}
${settings}`;
}
