// What the doctor looks at: a Postfix instance, its files, and one service in it that runs our program.
import * as path from 'node:path';
import { type Account, accountOf } from '../postfix/account';
import type { Service } from '../postfix/master-cf';
import {
  type PolicyService,
  type ProgramOptions,
  programIndex,
  programOptions,
} from '../postfix/policy-service';
import type { Postfix } from '../postfix/postfix';
import { shellLine } from '../postfix/run';
import { askedIn, type ConfigFiles, mainLookup, serviceLookup, smtpdServices } from '../postfix/service-view';
import { DEFAULT_DATABASE } from '../rules/database';

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

/** Whether any list asks the service on trial. */
export function isOnTrial({ files, policy }: Patient): boolean {
  const lookups = [
    mainLookup(files),
    ...smtpdServices(files).map((service) => serviceLookup(files, service)),
  ];
  return lookups.some((lookup) =>
    askedIn(lookup, policy.name).some(({ reach }) => reach.kind !== 'absent' && reach.trial),
  );
}

/** `allow-nets install` as it brings about what is there now, but right. */
export function installCommand(
  patient: Patient,
  changes: { trial?: boolean; oneShot?: boolean } = {},
): string {
  const { postfix, policy, options } = patient;
  const words = ['allow-nets', 'install', ...postfix.chosen];
  if (policy.name !== 'allow-nets') words.push('--service', policy.name);
  if (changes.oneShot ?? !options.persistent) words.push('--one-shot');
  if (changes.trial ?? isOnTrial(patient)) words.push('--trial');
  return shellLine(words);
}
