// What the doctor examines: a Postfix instance, its files, and one service in it that runs our program.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { type Account, accountOf } from '../postfix/account';
import type { Service } from '../postfix/config-text';
import type { ConfigFiles } from '../postfix/configuration';
import { portOf } from '../postfix/policy-check';
import {
  entryText,
  type PolicyService,
  type ProgramOptions,
  programIndex,
  programOptions,
} from '../postfix/policy-service';
import type { Postfix } from '../postfix/postfix';
import { shellLine } from '../postfix/run';
import { DEFAULT_DATABASE } from '../rules/database';
import { isOnTrial } from './list-check';

export interface InstalledService {
  readonly postfix: Postfix;
  readonly files: ConfigFiles;
  readonly entry: Service;
  readonly policy: PolicyService;
  /** The file that is our program. */
  readonly script: string;
  /** The words of argv that come before it, Node.js as a rule. */
  readonly interpreter: readonly string[];
  readonly options: ProgramOptions;
  readonly db: string;
  /** Null when there is no such account, or Postfix would not run it. */
  readonly account: Account | null;
  /** The same for what is tried as the account; null for anybody but root, who cannot. */
  readonly runner: Account | null;
}

export function installedService(
  postfix: Postfix,
  files: ConfigFiles,
  entry: Service,
  policy: PolicyService,
): InstalledService {
  const index = programIndex(policy.argv);
  const options = programOptions(policy.argv.slice(index + 1));
  let account: Account | null = null;
  try {
    account = accountOf(policy.user, postfix.mailOwner);
  } catch {
    // The check of the service says so.
  }
  return {
    postfix,
    files,
    entry,
    policy,
    script: policy.argv[index] ?? '',
    interpreter: policy.argv.slice(0, index),
    options,
    db: path.resolve(postfix.queueDir, options.db ?? DEFAULT_DATABASE),
    account,
    runner: process.getuid?.() === 0 ? account : null,
  };
}

/** False for a FIFO, at which whoever opens it would wait for ever. */
export const isDatabaseFile = ({ db }: Pick<InstalledService, 'db'>): boolean =>
  fs.statSync(db, { throwIfNoEntry: false })?.isFile() ?? false;

/** How lists name it, as `isCheckOf` takes it. */
export const targetOf = ({ entry, policy }: Pick<InstalledService, 'entry' | 'policy'>): string =>
  entry.type === 'inet' ? `inet:*:${portOf(policy.name)}` : policy.name;

export const isTrial = ({ files, entry, policy }: InstalledService): boolean =>
  isOnTrial({ files, target: targetOf({ entry, policy }) });

/** `COMMAND && postfix reload`. */
export const andReload = (postfix: Postfix, words: readonly string[]): string =>
  `${shellLine(words)} && ${reloadCommand(postfix)}`;

export const reloadCommand = (postfix: Postfix): string => shellLine(['postfix', ...postfix.chosen, 'reload']);

/** What `installCommand` changes in what is installed now. */
interface Changes {
  readonly trial?: boolean;
  readonly oneShot?: boolean;
  readonly user?: string;
}

/**
 * `allow-nets install`, which brings about what is there now, but right. An entry that other servers ask over the network is not install's: its whole line is
 * given.
 */
export function installCommand(service: InstalledService, changes: Changes = {}): string {
  const { postfix, policy, options, entry } = service;
  if (entry.type === 'inet') return entryCommand(service, changes);
  const words = ['allow-nets', 'install', ...postfix.chosen];
  if (policy.name !== 'allow-nets') words.push('--service', policy.name);
  if (changes.user !== undefined) words.push('--user', changes.user);
  if (changes.oneShot ?? !options.persistent) words.push('--one-shot');
  if (changes.trial ?? isTrial(service)) words.push('--trial');
  return shellLine(words);
}

function entryCommand({ postfix, policy, script, db }: InstalledService, changes: Changes): string {
  const argv = [process.execPath, script, '--persistent', '--db', db];
  const present = policy.user === '' || policy.user === 'root' ? 'nobody' : policy.user;
  const entry = entryText({ name: policy.name, user: changes.user ?? present, argv }, 'inet');
  return andReload(postfix, ['postconf', ...postfix.chosen, '-M', `${policy.name}/inet=${entry}`]);
}
