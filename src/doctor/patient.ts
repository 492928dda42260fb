// What the doctor looks at: a Postfix instance, its files, and one service in it that runs our program.
import * as path from 'node:path';
import { type Account, accountOf } from '../postfix/account';
import type { Service } from '../postfix/master-cf';
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
import type { ConfigFiles } from '../postfix/service-view';
import { DEFAULT_DATABASE } from '../rules/database';
import { isOnTrial } from './list-check';

export interface Patient {
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
}

export function patientOf(
  postfix: Postfix,
  files: ConfigFiles,
  entry: Service,
  policy: PolicyService,
): Patient {
  const index = programIndex(policy.argv);
  const options = programOptions(policy.argv.slice(index + 1));
  let account: Account | null = null;
  try {
    account = accountOf(policy.user, postfix.mailOwner);
  } catch {
    // The service's own check says so.
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
  };
}

/** How lists ask for it, as `isCheckOf` takes it. */
export const targetOf = ({ entry, policy }: Pick<Patient, 'entry' | 'policy'>): string =>
  entry.type === 'inet' ? `inet:*:${portOf(policy.name)}` : policy.name;

export const isTrial = ({ files, entry, policy }: Patient): boolean =>
  isOnTrial({ files, target: targetOf({ entry, policy }) });

/**
 * `allow-nets install` as it brings about what is there now, but right. Of an entry that other servers ask over the network install knows nothing: its whole
 * line is given.
 */
export function installCommand(
  patient: Patient,
  changes: { trial?: boolean; oneShot?: boolean } = {},
): string {
  const { postfix, policy, options, entry } = patient;
  if (entry.type === 'inet') return entryCommand(patient);
  const words = ['allow-nets', 'install', ...postfix.chosen];
  if (policy.name !== 'allow-nets') words.push('--service', policy.name);
  if (changes.oneShot ?? !options.persistent) words.push('--one-shot');
  if (changes.trial ?? isTrial(patient)) words.push('--trial');
  return shellLine(words);
}

function entryCommand({ postfix, policy, script, db }: Patient): string {
  const argv = [process.execPath, script, '--persistent', '--db', db];
  const user = policy.user === '' || policy.user === 'root' ? 'nobody' : policy.user;
  const entry = entryText({ name: policy.name, user, argv }, 'inet');
  return shellLine(['postconf', ...postfix.chosen, '-M', `${policy.name}/inet=${entry}`]);
}

/** What else has to be set for a service that other servers ask, or `install` for one that only this server asks. */
export function timeLimitCommand(patient: Patient, parameter: string): string {
  const { postfix, entry } = patient;
  if (entry.type !== 'inet') return installCommand(patient);
  return shellLine(['postconf', ...postfix.chosen, `${parameter}=3600`]);
}
