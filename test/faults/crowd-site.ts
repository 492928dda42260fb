// A private Postfix that asks the program in both modes about a database on a small disk of its own, a crowd of clients that goes on
// until it is stopped, and two lists, A and B: some users are allowed by both, some by neither, some by one of them; each list is to
// refuse half of all questions. Every kind of entry is in them.
//
// In trouble: where no file system can be mounted, the database lies in a plain folder, and `disk.lacking` says why.
import { execFile } from 'node:child_process';
import { chmodSync, copyFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Disk, mountDisk } from '../rig/disk';
import { askPolicy, type PolicySetUp, setUpPolicy } from '../rig/policy-set-up';
import { type PrivatePostfix, startPrivatePostfix } from '../rig/postfix';
import type { RunningProcess } from '../rig/scratch';
import { waitFor } from '../rig/wait-for';
import { type Ask, Crowd } from './crowd';

export type List = 'A' | 'B';

// biome-ignore format: lists of rows
const BOTH = [
  'alice@example.com,192.0.2.0/24', 'alice@example.com,2001:db8:1::/48', '@example.org,198.51.100.0/25',
  'carol,any', 'dave@example.com,@office',
];
const ONLY = {
  A: ['bob@example.com,203.0.113.0/24', 'erin@example.com,10.0.0.0/8'],
  B: ['bob@example.com,2001:db8:b::/48', 'erin@example.com,172.16.0.0/12'],
};
/** Enough other users for the file to have some pages and an import some time to take. */
const OTHERS = 300;

const allowed = { A: 250, B: 250 } as const;
const refused = { A: 554, B: 554 } as const;
const onlyA = { A: 250, B: 554 } as const;
const onlyB = { A: 554, B: 250 } as const;

const QUESTIONS: readonly [user: string, address: string, right: Ask['right']][] = [
  ['alice@example.com', '192.0.2.9', allowed],
  ['alice@example.com', '203.0.113.9', refused],
  ['ALICE@example.com', '2001:db8:1::9', allowed],
  ['alice@example.com', '2001:db8:2::9', refused],
  ['bob@example.com', '203.0.113.77', onlyA],
  ['bob@example.com', '2001:db8:b::77', onlyB],
  ['someone@example.org', '198.51.100.1', allowed],
  ['someone@example.org', '198.51.100.200', refused],
  ['carol@example.com', '10.9.8.7', allowed],
  ['nobody-at-all', '192.0.2.9', refused],
  ['erin@example.com', '10.1.2.3', onlyA],
  ['erin@example.com', '172.16.1.2', onlyB],
  ['dave@example.com', '192.0.2.130', allowed],
  ['dave@example.com', '192.0.2.1', refused],
];

export class CrowdSite {
  /** The database that the programs read; `folder` holds nothing else. */
  readonly db: string;

  private constructor(
    private readonly policy: PolicySetUp,
    readonly postfix: PrivatePostfix<'persistent' | 'oneRequest'>,
    readonly crowd: Crowd,
    readonly disk: Disk,
  ) {
    this.db = join(disk.folder, 'access.db');
  }

  /**
   * @param clients five of six ask the persistent program: a start for each answer is slow
   * @param rest (ms) of each client before each recipient
   */
  static async start(clients: number, rest: number): Promise<CrowdSite> {
    const policy = setUpPolicy('crowd');
    writeLists(policy);
    const disk = mountDisk('32m');
    put(policy, 'A', disk.folder);
    const db = join(disk.folder, 'access.db');
    const postfix = await startPrivatePostfix({
      listeners: {
        persistent: [askPolicy('unix:private/persistent')],
        oneRequest: [askPolicy('{ unix:private/one-request, request_limit=1 }')],
      },
      services: [policy.service('persistent', '--persistent', '--db', db), policy.service('one-request', '--db', db)],
      // smtpd ends when it has been idle, and its program with it: the last test looks for what is left.
      parameters: { max_idle: '1s' },
    });
    const { persistent, oneRequest } = postfix.ports;
    const ports = Array.from({ length: clients }, (_, i) => (i % 6 === 5 ? oneRequest : persistent));
    const asks = QUESTIONS.map(([user, address, right]) => ({ user, address, right }));
    return new CrowdSite(policy, postfix, new Crowd(ports, asks, rest), disk);
  }

  /** Renames a copy of the list over the present database. */
  put(list: List): void {
    put(this.policy, list, this.disk.folder);
  }

  /** `import --replace` of the list. */
  async import(list: List): Promise<void> {
    const words = ['import', join(this.policy.folder, `${list}.csv`), '--replace', '--force', '--db', this.db];
    await promisify(execFile)(process.execPath, [this.policy.program.script, ...words]);
  }

  /** Waits until each client has an answer to a question of its own from after this moment. */
  async eachAsked(since = performance.now()): Promise<void> {
    const { ports } = this.crowd;
    const all = () => new Set(this.crowd.since(since).map(({ client }) => client)).size === ports.length;
    // Fails when a client fails, and does not wait on.
    const over = this.crowd.ended.then(() => {
      throw new Error('the crowd has gone');
    });
    const context = () => this.postfix.log().split('\n').slice(-30).join('\n');
    await Promise.race([waitFor('an answer to each client', all, context, 120_000), over]);
  }

  /** The policy programs that run, and their log programs. */
  programs(): RunningProcess[] {
    // spawn(8) itself has the program's name on its command line too.
    const isOurs = (command: string) =>
      command.startsWith(`${this.policy.program.node} `) || /^(\S*\/)?(postlog|logger) /.test(command);
    return this.postfix.processes().filter(({ command }) => isOurs(command));
  }

  stop(): void {
    void this.crowd.end();
    this.postfix.stop();
    this.disk.unmount();
    this.policy.remove();
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

function put(policy: PolicySetUp, list: List, folder: string): void {
  const next = join(folder, 'access.db.new');
  copyFileSync(join(policy.folder, `${list}.db`), next);
  chmodSync(next, 0o644);
  renameSync(next, join(folder, 'access.db'));
}
