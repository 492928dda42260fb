// Many SMTP clients that ask a private Postfix about one recipient after the other, under ever new user names and addresses (XCLIENT),
// until they are stopped. Postfix asks the program in both modes about a database on a small disk of its own, which holds one of two
// lists: some users are allowed by both, some by neither, some by one of them.
//
// In trouble: where no file system can be mounted, the database lies in a plain folder, and `disk.lacking` says why. What is no answer
// to a recipient (a connection that ends, an XCLIENT that is refused) is an error of `ended`.
import { chmodSync, copyFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Disk, mountDisk } from '../rig/disk';
import { askPolicy, clientAs, type PolicySetUp, setUpPolicy } from '../rig/policy-set-up';
import { type PrivatePostfix, startPrivatePostfix } from '../rig/postfix';
import { start } from '../rig/run';
import type { RunningProcess } from '../rig/scratch';
import type { SmtpClient } from '../rig/smtp-client';
import { waitFor } from '../rig/wait-for';

export type List = 'A' | 'B';

// biome-ignore format: lists of rows
const BOTH = [
  'alice@example.com,192.0.2.0/24', 'alice@example.com,2001:db8:1::/48', '@example.org,198.51.100.0/25', 'carol,any', 'dave@example.com,@office',
];
const ONLY = {
  A: ['bob@example.com,203.0.113.0/24', 'erin@example.com,10.0.0.0/8'],
  B: ['bob@example.com,2001:db8:b::/48', 'erin@example.com,172.16.0.0/12'],
};
/** Enough other users for the file to have some pages and an import some time to take. */
const OTHERS = 300;

/** Who asks from where, and the lists that allow it. */
interface Question {
  readonly user: string;
  readonly address: string;
  readonly allowedBy: string;
}

const QUESTIONS: readonly Question[] = (
  [
    ['alice@example.com', '192.0.2.9', 'AB'],
    ['alice@example.com', '203.0.113.9', ''],
    ['ALICE@example.com', '2001:db8:1::9', 'AB'],
    ['alice@example.com', '2001:db8:2::9', ''],
    ['bob@example.com', '203.0.113.77', 'A'],
    ['bob@example.com', '2001:db8:b::77', 'B'],
    ['someone@example.org', '198.51.100.1', 'AB'],
    ['someone@example.org', '198.51.100.200', ''],
    ['carol@example.com', '10.9.8.7', 'AB'],
    ['nobody-at-all', '192.0.2.9', ''],
    ['erin@example.com', '10.1.2.3', 'A'],
    ['erin@example.com', '172.16.1.2', 'B'],
    ['dave@example.com', '192.0.2.130', 'AB'],
    ['dave@example.com', '192.0.2.1', ''],
  ] as const
).map(([user, address, allowedBy]) => ({ user, address, allowedBy }));

/** The code of the right answer while this list is in force. */
export const rightCode = ({ allowedBy }: Question, list: List) => (allowedBy.includes(list) ? 250 : 554);

export interface Answer {
  readonly client: number;
  readonly question: Question;
  readonly code: number;
  readonly text: string;
  /** `performance.now()` when the command was sent and when the reply had come. */
  readonly begun: number;
  readonly ended: number;
}

/** Recipients asked about under one name, and names after which a client connects anew. */
const TURN = 3;
const SESSION = 4;

export class CrowdSite {
  readonly answers: Answer[] = [];
  /** The database that the programs read; its folder holds nothing else. */
  readonly db: string;
  /** Settled when all clients have gone. */
  readonly ended: Promise<unknown>;
  private isOver = false;

  private constructor(
    private readonly policy: PolicySetUp,
    readonly postfix: PrivatePostfix<'persistent' | 'oneRequest'>,
    readonly disk: Disk,
    private readonly clients: number,
    private readonly rest: number,
  ) {
    this.db = join(disk.folder, 'access.db');
    const { persistent, oneRequest } = postfix.ports;
    // Five of six ask the persistent program: a start for each answer is slow.
    const ports = Array.from({ length: clients }, (_, i) => (i % 6 === 5 ? oneRequest : persistent));
    this.ended = Promise.all(ports.map((port, i) => this.client(i, port)));
    this.ended.catch(() => {}); // thrown to whoever waits for it
  }

  /** @param rest (ms) of each client before each recipient */
  static async start(clients: number, rest: number): Promise<CrowdSite> {
    const policy = setUpPolicy('crowd');
    writeLists(policy);
    const disk = mountDisk('32m');
    const db = join(disk.folder, 'access.db');
    put(policy, 'A', db);
    const postfix = await startPrivatePostfix({
      listeners: {
        persistent: [askPolicy('unix:private/persistent')],
        oneRequest: [askPolicy('{ unix:private/one-request, request_limit=1 }')],
      },
      services: [policy.service('persistent', '--persistent', '--db', db), policy.service('one-request', '--db', db)],
      // smtpd ends when it has been idle, and its program with it: the last test looks for what is left.
      parameters: { max_idle: '1s' },
    });
    return new CrowdSite(policy, postfix, disk, clients, rest);
  }

  /** Renames a copy of the list over the present database. */
  put(list: List): void {
    put(this.policy, list, this.db);
  }

  /** `import --replace` of the list. @throws its error if it fails */
  async import(list: List): Promise<void> {
    const words = ['import', join(this.policy.folder, `${list}.csv`), '--replace', '--force', '--db', this.db];
    const { status, stderr } = await start(words).ended;
    if (status !== 0) throw new Error(stderr);
  }

  /** The answers to what was asked at this time or later. */
  since(time: number): Answer[] {
    return this.answers.filter(({ begun }) => begun >= time);
  }

  /** Waits until each client has an answer to a question of its own from after this moment. */
  eachAsked(since = performance.now()): Promise<void> {
    return this.wait('an answer to each client', () => {
      return new Set(this.since(since).map(({ client }) => client)).size === this.clients;
    });
  }

  /** @throws also when a client fails */
  async wait(what: string, condition: () => boolean, timeoutMs = 120_000): Promise<void> {
    const over = this.ended.then(() => {
      throw new Error('the crowd has gone');
    });
    const context = () => this.postfix.log().split('\n').slice(-30).join('\n');
    await Promise.race([waitFor(what, condition, context, timeoutMs), over]);
  }

  /** The policy programs that run, and their log programs. */
  programs(): RunningProcess[] {
    // spawn(8) itself has the program's name on its command line too.
    const isOurs = (command: string) =>
      command.startsWith(`${this.policy.program.node} `) || /^(\S*\/)?(postlog|logger) /.test(command);
    return this.postfix.processes().filter(({ command }) => isOurs(command));
  }

  /** Lets the clients end after their present turn. */
  end(): Promise<unknown> {
    this.isOver = true;
    return this.ended;
  }

  stop(): void {
    void this.end();
    this.postfix.stop();
    this.disk.unmount();
    this.policy.remove();
  }

  private async client(number: number, port: number): Promise<void> {
    let client: SmtpClient | null = null;
    for (let turn = 0; !this.isOver; turn++) {
      const question = QUESTIONS[(number + turn) % QUESTIONS.length] as Question;
      if (client !== null && turn % SESSION > 0) {
        // Postfix refuses XCLIENT in the middle of a mail transaction.
        await client.command('RSET');
        await client.xclient({ ADDR: question.address, LOGIN: question.user });
        await client.mail('sender@example.com');
      } else {
        await client?.quit();
        client = await clientAs(port, question.user, question.address);
      }
      for (let i = 0; i < TURN; i++) {
        await sleep(this.rest);
        const begun = performance.now();
        const { code, text } = await client.rcpt(`friend${i}@example.net`);
        this.answers.push({ client: number, question, code, text, begun, ended: performance.now() });
      }
    }
    await client?.quit();
  }
}

/** Writes both lists, each as a CSV file and as a database. */
function writeLists(policy: PolicySetUp): void {
  for (const list of ['A', 'B'] as const) {
    const csv = join(policy.folder, `${list}.csv`);
    const db = join(policy.folder, `${list}.db`);
    const others = Array.from({ length: OTHERS }, (_, i) => `${list}${i}@example.net,10.${i % 256}.0.0/16`);
    writeFileSync(csv, `${['user,network', ...BOTH, ...ONLY[list], ...others].join('\n')}\n`);
    policy.allowNets('init', '--db', db);
    policy.allowNets('set', 'add', 'office', '192.0.2.128/25', '--db', db);
    policy.allowNets('import', csv, '--db', db);
  }
}

function put(policy: PolicySetUp, list: List, db: string): void {
  copyFileSync(join(policy.folder, `${list}.db`), `${db}.new`);
  chmodSync(`${db}.new`, 0o644);
  renameSync(`${db}.new`, db);
}
