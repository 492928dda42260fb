// A private Postfix that asks the program in both modes about a database on a small disk of its own, and a crowd of clients that goes on
// until it is stopped.
//
// In trouble: where no file system can be mounted, the database lies in a plain folder, and `disk` says why.
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { askPolicy, type PolicySetUp, setUpPolicy } from '../postfix/policy-set-up';
import { type PrivatePostfix, startPrivatePostfix } from '../postfix/private-postfix';
import { beforeRemoval } from '../postfix/scratch-folder';
import { waitFor } from '../wait-for';
import { Crowd } from './crowd';
import { ASKS, type Lists, writeLists } from './crowd-lists';

export interface CrowdSite {
  readonly policy: PolicySetUp;
  readonly postfix: PrivatePostfix<'persistent' | 'oneRequest'>;
  readonly crowd: Crowd;
  readonly lists: Lists;
  /** The database that the programs read; `folder` holds nothing else. */
  readonly db: string;
  readonly folder: string;
  /** Why the folder is no disk of its own; null when it is. */
  readonly noDisk: string | null;
  /** Renames a copy of the list over the present database. */
  put(list: 'A' | 'B'): void;
  /** Waits until each client has an answer to what it asked after this moment. */
  eachAsked(since: number): Promise<void>;
  /** The policy programs that run. */
  programs(): number[];
  stop(): void;
}

const DISK = 'size=32m';

/**
 * @param clients five of six ask the persistent program: a start for each answer is slow
 * @param rest (ms) of each client before each recipient
 */
export async function startCrowdSite(clients: number, rest: number): Promise<CrowdSite> {
  const policy = setUpPolicy('crowd-faults');
  const lists = writeLists(policy);
  const folder = join(policy.folder, 'disk');
  const noDisk = makeDisk(policy.folder, folder);
  const db = join(folder, 'access.db');
  const put = (list: 'A' | 'B') => {
    copyFileSync(lists.databases[list], `${db}.new`);
    chmodSync(`${db}.new`, 0o644);
    renameSync(`${db}.new`, db);
  };
  put('A');
  const postfix = await startPrivatePostfix({
    listeners: {
      persistent: [askPolicy('unix:private/persistent')],
      oneRequest: [askPolicy('{ unix:private/one-request, request_limit=1 }')],
    },
    services: [policy.service('persistent', '--persistent', '--db', db), policy.service('one-request', '--db', db)],
  });
  const { persistent, oneRequest } = postfix.ports;
  const crowd = new Crowd({
    ports: [...Array(5).fill(persistent), oneRequest],
    clients,
    asks: ASKS,
    rest,
  });
  const site: CrowdSite = {
    policy,
    postfix,
    crowd,
    lists,
    db,
    folder,
    noDisk,
    put,
    async eachAsked(since) {
      const all = () => new Set(crowd.since(since).map(({ client }) => client)).size === clients;
      // A client that fails makes this fail, and not only wait.
      const over = crowd.ended.then(() => {
        throw new Error('the crowd has gone');
      });
      await Promise.race([waitFor('an answer to each client', all, tailOf(postfix), 120_000), over]);
    },
    programs: () =>
      postfix
        .processes()
        // spawn(8) itself has the program's name on its command line too.
        .filter(({ command }) => command.startsWith(`${policy.program.node} `))
        .map(({ pid }) => pid),
    stop() {
      void crowd.end();
      postfix.stop();
      policy.remove();
    },
  };
  return site;
}

const tailOf = (postfix: PrivatePostfix<'persistent' | 'oneRequest'>) => () =>
  postfix.log().split('\n').slice(-30).join('\n');

function makeDisk(above: string, folder: string): string | null {
  mkdirSync(folder);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `mode=755,${DISK}`, 'allow-nets-test', folder], {
      stdio: 'pipe',
    });
  } catch (error) {
    return `no file system can be mounted here: ${(error as Error).message.trim().split('\n').at(-1)}`;
  }
  beforeRemoval(above, () => {
    try {
      execFileSync('umount', ['-l', folder], { stdio: 'ignore' });
    } catch {
      // Gone already.
    }
  });
  return null;
}
