// A private Postfix as install finds it, the commands run on it, and mail as the proof of what they did.
//
// alice may send from 127.0.0.7. 127.0.0.9 is outside, although it is in mynetworks like everything on loopback.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { program } from '../requires';
import { type PolicySetUp, setUpPolicy } from '../rig/policy-set-up';
import { type PrivatePostfix, startPrivatePostfix } from '../rig/postfix';
import type { PrivatePostfixOptions } from '../rig/postfix-files';
import { type Outcome, run } from '../rig/run';
import { makeFolder } from '../rig/scratch';
import type { ServiceProgram } from '../rig/service-program';
import { type Start, sendMail } from '../rig/smtp-client';

export const INSIDE = '127.0.0.7';
export const OUTSIDE = '127.0.0.9';

interface SiteOptions<Name extends string> extends Omit<PrivatePostfixOptions<Name>, 'listeners'> {
  /** The services that have overrides, and those that no mail is sent through. */
  readonly listeners?: Readonly<Record<string, readonly string[]>>;
  /** The program to install, else the one that was built. */
  readonly installed?: ServiceProgram;
}

type Prepare<Name extends string> = (policy: PolicySetUp) => SiteOptions<Name>;

export class Site<Name extends string> {
  policy!: PolicySetUp;
  postfix!: PrivatePostfix<Name>;
  program!: ServiceProgram;
  /** What `configuration` gave at the start. */
  original!: Awaited<ReturnType<Site<Name>['configuration']>>;

  /** `starts`: the services that mail is sent through, and how a session with each begins. */
  constructor(private readonly starts: Readonly<Record<Name, Start>>) {}

  async open(prepare: Prepare<Name> = () => ({})): Promise<void> {
    this.policy = setUpPolicy('install');
    const { listeners, installed, ...options } = prepare(this.policy);
    this.program = installed ?? this.policy.program;
    this.policy.allowNets('add', 'alice', INSIDE);
    const plain = Object.fromEntries(Object.keys(this.starts).map((name) => [name, []]));
    const all = { ...plain, ...listeners } as Record<Name, readonly string[]>;
    this.postfix = await startPrivatePostfix({ users: { alice: 'secret' }, listeners: all, ...options });
    this.original = await this.configuration();
  }

  close(): void {
    this.postfix?.stop();
    this.policy?.remove();
  }

  get db(): string {
    return this.policy.db;
  }

  /** The path of main.cf or master.cf. */
  file(name: string): string {
    return join(this.postfix.configDir, name);
  }

  read(name: string): string {
    return readFileSync(this.file(name), 'latin1');
  }

  /** Runs an allow-nets command on this site's database. */
  run(words: readonly string[], env: NodeJS.ProcessEnv = {}): Outcome {
    return run(words, { command: [this.program.node, this.program.script], db: this.db, env });
  }

  /** install, uninstall or doctor on this site's Postfix. */
  onPostfix(command: string, ...words: readonly string[]): Outcome {
    return this.run([command, '-c', this.postfix.configDir, ...words]);
  }

  /** `install --yes` with a `postfix` that runs shell commands for some words: `{ reload: 'exit 3' }`. */
  installWith(stub: Readonly<Record<string, string>>, ...words: readonly string[]): Outcome {
    const cases = Object.entries(stub).map(([word, commands]) => `${word}) ${commands};;`);
    const dispatch = `for word; do case $word in ${cases.join(' ')} esac; done`;
    const PATH = pathWith('postfix', `${dispatch}\nexec ${program('postfix')} "$@"`);
    return this.run(['install', '-c', this.postfix.configDir, '--yes', ...words], { PATH });
  }

  /** Runs a line of sh in which `allow-nets` is the program. */
  shell(line: string): Outcome {
    const PATH = pathWith('allow-nets', `exec ${this.program.node} ${this.program.script} "$@"`);
    return run([line], { command: ['sh', '-c'], db: this.db, env: { PATH, NO_COLOR: '1' } });
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

  /** The files are as at the start, and nothing is left beside them. */
  async assertUntouched(): Promise<void> {
    assert.deepEqual(await this.configuration(), this.original);
    assert.deepEqual(this.copies(), []);
  }

  /** The copies of the files before a change, and whatever else install has left behind. */
  copies(): string[] {
    return readdirSync(this.postfix.configDir).filter((name) => name.includes('.allow-nets-'));
  }

  /** A message of alice. @returns code and text of the reply to the recipient */
  send(name: Name, from: string): Promise<string> {
    const start = this.starts[name];
    return sendMail({ port: this.postfix.ports[name], localAddress: from, start, user: 'alice' });
  }

  /** The replies of every service, `SERVICE WHERE: CODE`. */
  async replies(): Promise<string[]> {
    const lines: string[] = [];
    for (const name of Object.keys(this.starts) as Name[]) {
      const [inside, outside] = [await this.send(name, INSIDE), await this.send(name, OUTSIDE)];
      const short = (reply: string) => reply.replace(/^250 .*/, '250').replace(/ .*: (?=alice)/, ' ');
      lines.push(`${name} inside: ${short(inside)}`, `${name} outside: ${short(outside)}`);
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

/** The site of a suite, open from its first test to its last. */
export function useSite<Name extends string>(
  starts: Readonly<Record<Name, Start>>,
  prepare?: Prepare<Name>,
): Site<Name> {
  const site = new Site(starts);
  before(() => site.open(prepare));
  after(() => site.close());
  return site;
}

/** @returns a PATH in which a program of this name comes first: a shell script */
export function pathWith(name: string, script: string): string {
  const bin = makeFolder('bin');
  writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return `${bin}:${process.env['PATH']}`;
}
