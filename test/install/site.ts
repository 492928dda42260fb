// A private Postfix as install finds it, the commands run on it, and mail as the proof of what they did.
//
// alice may send from 127.0.0.7. 127.0.0.9 is outside, although it is in mynetworks like everything on loopback.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { newDatabase } from '../rig/database';
import { type PrivatePostfix, startPrivatePostfix } from '../rig/postfix';
import type { PrivatePostfixOptions } from '../rig/postfix-files';
import { type Outcome, run } from '../rig/run';
import { makeFolder, removeFolder } from '../rig/scratch';
import { type ServiceProgram, serviceProgram } from '../rig/service-program';
import { type Reply, SmtpClient, type Start } from '../rig/smtp-client';

export const INSIDE = '127.0.0.7';
export const OUTSIDE = '127.0.0.9';

const users = { alice: 'secret' };

export class Site<Name extends string> {
  private constructor(
    readonly folder: string,
    readonly program: ServiceProgram,
    readonly postfix: PrivatePostfix<Name>,
    private readonly starts: Readonly<Record<Name, Start>>,
  ) {}

  /** `starts`: the services that mail is sent through. `installed`: the program to install, else the one that was built. */
  static async open<Name extends string>(
    starts: Readonly<Record<Name, Start>>,
    options: PrivatePostfixOptions<Name>,
    installed: ServiceProgram | null = null,
  ): Promise<Site<Name>> {
    const folder = makeFolder('install');
    try {
      const program = installed ?? serviceProgram(folder, newDatabase());
      const postfix = await startPrivatePostfix({ users, ...options });
      return new Site(folder, program, postfix, starts);
    } catch (error) {
      removeFolder(folder);
      throw error;
    }
  }

  close(): void {
    this.postfix.stop();
    removeFolder(this.folder);
  }

  get db(): string {
    return join(this.folder, 'db', 'access.db');
  }

  /** Runs an allow-nets command on this site's database. */
  run(words: readonly string[], environment: NodeJS.ProcessEnv = {}): Outcome {
    const command = [this.program.node, this.program.script];
    return run(words, { command, db: this.db, env: { ...process.env, NO_COLOR: '1', ...environment } });
  }

  /** install, uninstall or doctor on this site's Postfix. */
  onPostfix(command: string, ...words: readonly string[]): Outcome {
    return this.run([command, '-c', this.postfix.configDir, ...words]);
  }

  read(name: string): string {
    return readFileSync(join(this.postfix.configDir, name), 'latin1');
  }

  /** Both files, and what Postfix reads in them. */
  async configuration() {
    return {
      main: this.read('main.cf'),
      master: this.read('master.cf'),
      // postconf of Postfix 3.10 leaves out config_directory when main.cf has just been written.
      parameters: (await this.postfix.command('postconf', '-n')).replace(/^config_directory = .*\n/m, ''),
      services: await this.postfix.command('postconf', '-M'),
    };
  }

  copies(): string[] {
    return readdirSync(this.postfix.configDir).filter((name) => name.includes('.allow-nets-'));
  }

  /** alice's session up to and with a whole message, when the recipient is accepted. */
  async send(name: Name, from: string, recipients = 1): Promise<Reply> {
    const where = { port: this.postfix.ports[name], localAddress: from, start: this.starts[name] };
    const client = await SmtpClient.logIn({ ...where, user: 'alice' });
    try {
      let last = await client.rcpt('someone@example.net');
      for (let i = 1; i < recipients; i++) last = await client.rcpt(`someone${i}@example.net`);
      return last.code === 250 && recipients === 1 ? await client.data() : last;
    } finally {
      client.close();
    }
  }

  /** The replies of every service, `SERVICE FROM: CODE`. */
  async replies(): Promise<string[]> {
    const lines: string[] = [];
    for (const name of Object.keys(this.starts) as Name[]) {
      for (const [where, from] of [
        ['inside', INSIDE],
        ['outside', OUTSIDE],
      ] as const) {
        const { code, text } = await this.send(name, from);
        lines.push(`${name} ${where}: ${code}${code === 250 ? '' : ` ${text.replace(/.*: (?=alice)/, '')}`}`);
      }
    }
    return lines;
  }

  /** What `replies` gives when the policy is in force, and when nobody is asked. */
  expected(enforced: boolean): string[] {
    return Object.keys(this.starts).flatMap((name) => [
      `${name} inside: 250`,
      enforced ? `${name} outside: 554 alice may not send mail from ${OUTSIDE}` : `${name} outside: 250`,
    ]);
  }
}
