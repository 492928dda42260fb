// A database, and a Dovecot that asks it as examples/dovecot says: IMAP, POP3, ManageSieve and LMTP on loopback.
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, type NetConnectOpts } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { userIds } from '../rig/accounts';
import { type Dovecot, isDovecot23, startDovecot } from '../rig/dovecot';
import { freePorts } from '../rig/ports';
import { mustRun } from '../rig/run';
import { makeFolder, removeFolder } from '../rig/scratch';

export interface Login {
  readonly user: string | Buffer;
  readonly password?: string;
  readonly from: string;
  readonly mechanism?: 'PLAIN' | 'CRAM-MD5' | 'XOAUTH2';
}

/** The folder of the examples for the installed Dovecot. */
export const examples = () => `examples/dovecot/${isDovecot23() ? '2.3' : '2.4'}`;

/** A passdb with one password for all names, which stands for the passdbs of an administrator. */
export const onePassword = () =>
  isDovecot23()
    ? 'passdb {\n  driver = static\n  args = password=secret\n}\n'
    : 'passdb static {\n  password = {PLAIN}secret\n}\n';

/** The settings of an example with this database. `exceptions`: with its second query. */
export function examplePassdb(folder: string, db: string, example: 'allow-nets' | 'accounts', exceptions = false) {
  const query = join(folder, 'sql.conf.ext');
  const read = (name: string) => {
    const text = readFileSync(join(examples(), name), 'utf8').replaceAll('/var/lib/allow-nets/access.db', db);
    if (!exceptions) return text;
    return text.replace(/(# Instead.*\n)((?: *#.*\n)+)/, (_, head, block) => head + block.replace(/^( *)#/gm, '$1'));
  };
  if (isDovecot23()) writeFileSync(query, read(`${example}-sql.conf.ext`));
  return isDovecot23() && example === 'accounts'
    ? `passdb {\n  driver = sql\n  args = ${query}\n}\n`
    : read(`auth-${example}.conf.ext`).replace('/etc/dovecot/allow-nets-sql.conf.ext', query);
}

export class MailStore {
  private constructor(
    readonly folder: string,
    readonly db: string,
    readonly dovecot: Dovecot,
    private readonly ports: Readonly<Record<'imap' | 'pop3' | 'sieve', number>>,
  ) {}

  /** @param settings what comes behind the passdb of the example */
  static async start(example: 'allow-nets' | 'accounts', settings: string, exceptions = false): Promise<MailStore> {
    const folder = makeFolder('dovecot');
    const db = join(folder, 'db', 'access.db');
    mustRun(['init', '--user', 'nobody'], { db });
    const server = join(folder, 'server');
    const mail = join(folder, 'mail');
    for (const made of [server, mail]) mkdirSync(made);
    const { uid, gid } = userIds('nobody');
    chownSync(mail, uid, gid);
    const [imap = 0, pop3 = 0, sieve = 0] = await freePorts(3);
    const passdb = examplePassdb(folder, db, example, exceptions);
    const conf = serverConf(mail, { imap, pop3, sieve }) + passdb + settings;
    const dovecot = await startDovecot(server, join(server, 'run/auth-test'), conf);
    return new MailStore(folder, db, dovecot, { imap, pop3, sieve });
  }

  allowNets(...words: string[]): string {
    return mustRun(words, { db: this.db });
  }

  remove(): void {
    removeFolder(this.folder);
  }

  /** The answer to an IMAP login: OK, NO [AUTHENTICATIONFAILED] and so on. */
  async login({ user, password = 'secret', from, mechanism = 'PLAIN' }: Login): Promise<string> {
    const where = { host: '127.0.0.1', port: this.ports.imap, localAddress: from };
    const answer = /^(?:a|\+) (.*)/;
    if (mechanism === 'CRAM-MD5') {
      return this.exchange(where, 'a AUTHENTICATE CRAM-MD5', answer, (challenge) => {
        const digest = createHmac('md5', password).update(Buffer.from(challenge, 'base64')).digest('hex');
        return Buffer.from(`${user} ${digest}`).toString('base64');
      });
    }
    const token = Buffer.from(`user=${user}\x01auth=Bearer ${password}\x01\x01`).toString('base64');
    const response = mechanism === 'PLAIN' ? plain(user, password) : token;
    const reply = await this.exchange(where, `a AUTHENTICATE ${mechanism} ${response}`, answer);
    // A token is refused with the reason in JSON.
    return reply.startsWith('eyJ') ? 'NO [AUTHENTICATIONFAILED]' : reply;
  }

  /** The first word of the answer to a login by POP3 or ManageSieve: `+OK`, `-ERR`, `OK` or `NO`. */
  loginBy(protocol: 'pop3' | 'sieve', { user, password = 'secret', from }: Login): Promise<string> {
    const where = { host: '127.0.0.1', port: this.ports[protocol], localAddress: from };
    return protocol === 'pop3'
      ? this.exchange(where, `AUTH PLAIN ${plain(user, password)}`, /^(\+OK(?= Logged)|-ERR)/)
      : this.exchange(where, `AUTHENTICATE "PLAIN" "${plain(user, password)}"`, /^(OK(?= "Logged)|NO)/);
  }

  /** Delivers a message by LMTP. @returns 250 2.0.0, or the code of what was refused */
  deliver(user: string): Promise<string> {
    const lines = ['LHLO client.test', 'MAIL FROM:<>', `RCPT TO:<${user}>`, 'DATA', 'Subject: test', '', 'test', '.'];
    return this.exchange({ path: join(this.folder, 'server/run/lmtp') }, lines.join('\r\n'), /^(250 2\.0\.0|[45]\d\d)/);
  }

  /** Which of many logins the authentication server takes, from any address. The addresses are not those of connections. */
  async authenticate(logins: readonly Login[]): Promise<boolean[]> {
    const socket = connect(join(this.folder, 'server/run/auth-test'));
    const results = new Map<number, boolean>();
    const lines = createInterface({ input: socket });
    lines.on('line', (line) => {
      const [word, id] = line.split('\t');
      if (word === 'OK' || word === 'FAIL') results.set(Number(id), word === 'OK' && !line.includes('\ttemp'));
      if (results.size === logins.length) lines.close();
    });
    socket.write(`VERSION\t1\t2\nCPID\t${process.pid}\n`);
    for (const [i, { user, password = 'secret', from }] of logins.entries()) {
      const given = `service=imap\tno-penalty\trip=${from}\tresp=${plain(user, password)}`;
      socket.write(`AUTH\t${i + 1}\tPLAIN\t${given}\n`);
    }
    await once(lines, 'close');
    socket.destroy();
    return logins.map((_, i) => results.get(i + 1) === true);
  }

  /** Sends lines and waits for one like `answer`. @param respond makes what is sent after a challenge @returns its first group */
  private async exchange(
    where: NetConnectOpts,
    text: string,
    answer: RegExp,
    respond?: (challenge: string) => string,
  ): Promise<string> {
    const socket = connect(where);
    socket.setTimeout(20_000, () => socket.destroy());
    socket.write(`${text}\r\n`);
    try {
      for await (const line of createInterface({ input: socket })) {
        const found = answer.exec(line)?.[1];
        if (found === undefined) continue;
        if (respond === undefined || !line.startsWith('+ ')) return found;
        socket.write(`${respond(found)}\r\n`);
      }
      throw new Error(`no line ${answer}:\n${this.dovecot.log()}`);
    } finally {
      socket.destroy();
    }
  }
}

/** The client's response of the mechanism PLAIN, in base64. */
function plain(user: string | Buffer, password: string): string {
  return Buffer.concat([Buffer.from('\0'), Buffer.from(user), Buffer.from(`\0${password}`)]).toString('base64');
}

function serverConf(mail: string, ports: Readonly<Record<string, number>>): string {
  const versioned = isDovecot23()
    ? `mail_location = maildir:~/Maildir
auth_username_format = %Lu
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=${mail}/%Mu
}`
    : `mail_driver = maildir
mail_path = ~/Maildir
userdb static {
  fields {
    uid = nobody
    gid = nogroup
    home = ${mail}/%{user | sha256 | hex}
  }
}`;
  const listeners = Object.entries({ imap: 'imaps', pop3: 'pop3s', sieve: null }).map(([name, tls]) => {
    const off = tls === null ? '' : `inet_listener ${tls} {\n    port = 0\n  }`;
    const service = name === 'sieve' ? 'managesieve-login' : `${name}-login`;
    return `service ${service} {\n  inet_listener ${name} {\n    port = ${ports[name]}\n  }\n  ${off}\n}\n`;
  });
  return `${versioned}
protocols = imap pop3 lmtp sieve
auth_verbose = yes
auth_mechanisms = plain login cram-md5
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
${listeners.join('')}`;
}
