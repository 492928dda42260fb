// The service that doctor examines, with its Postfix instance and configuration files.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Trouble } from '../failure';
import { type Account, accountOf } from '../postfix/account';
import type { Service } from '../postfix/config-text';
import { type ConfigFiles, servicesWithAuth } from '../postfix/configuration';
import { entryText, type PresentService, policyServiceOf, targetOf } from '../postfix/policy-service';
import type { Postfix } from '../postfix/postfix';
import { serviceChecks } from '../postfix/restrictions';
import { shellLine } from '../postfix/run';
import { DEFAULT_DATABASE } from '../rules/database';

export interface InstalledService {
  readonly postfix: Postfix;
  readonly files: ConfigFiles;
  readonly entry: Service;
  readonly policy: PresentService;
  readonly db: string;
  /** The account in user=, or why Postfix would not run the service as it. */
  readonly account: Account | Trouble;
  /** The account to run things as; null unless we are root. */
  readonly runner: Account | null;
  /** How restriction lists name the service, as `isCheckOf` takes it. */
  readonly target: string;
  readonly trial: boolean;
}

/** Null for an entry that does not run this program. */
export function installedService(postfix: Postfix, files: ConfigFiles, entry: Service): InstalledService | null {
  const policy = policyServiceOf(entry);
  if (policy === null) return null;
  const account = accountOrTrouble(policy.user, postfix.mailOwner);
  const target = targetOf(entry);
  return {
    postfix,
    files,
    entry,
    policy,
    db: path.resolve(postfix.queueDir, policy.db ?? DEFAULT_DATABASE),
    account,
    runner: process.getuid?.() === 0 && !(account instanceof Trouble) ? account : null,
    target,
    trial: servicesOnTrial(files, target).length > 0,
  };
}

function accountOrTrouble(user: string, mailOwner: string): Account | Trouble {
  try {
    return accountOf(user, mailOwner);
  } catch (error) {
    if (error instanceof Trouble) return error;
    throw error;
  }
}

/** The smtpd services with AUTH that ask the policy service on trial: they refuse nobody. */
export function servicesOnTrial(files: ConfigFiles, target: string): Service[] {
  return servicesWithAuth(files).filter((smtpd) => serviceChecks(files, smtpd, target)[0]?.trial);
}

/**
 * What is at the path of the database. `closed`: we have no permission to look. `other`: not a regular file, such as a
 * FIFO, which would block whoever opens it.
 */
export function databaseKind({ db }: InstalledService): 'file' | 'other' | 'missing' | 'closed' {
  try {
    if (!fs.statSync(db).isFile()) return 'other';
    fs.accessSync(db, fs.constants.R_OK);
    return 'file';
  } catch (error) {
    return /^(ENOENT|ENOTDIR)$/.test((error as NodeJS.ErrnoException).code ?? '') ? 'missing' : 'closed';
  }
}

/** The command that runs doctor as root. */
export const sudoCommand = (postfix: Postfix): string => shellLine(['sudo', 'allow-nets', 'doctor', ...postfix.chosen]);

/** `COMMAND && postfix reload`. */
export const andReload = (postfix: Postfix, words: readonly string[]): string =>
  `${shellLine(words)} && ${reloadCommand(postfix)}`;

export const reloadCommand = (postfix: Postfix): string => shellLine(postfix.command('reload'));

/** The settings that `installCommand` changes; the others stay as installed. */
export interface InstallChanges {
  readonly trial?: boolean;
  readonly oneShot?: boolean;
  readonly user?: string;
}

/**
 * The `allow-nets install` command that repairs the service and keeps its settings. `install` does not support inet
 * services, so for one the command is the `postconf -M` that writes its entry.
 */
export function installCommand(service: InstalledService, changes: InstallChanges = {}): string {
  const { postfix, policy, entry, db } = service;
  if (entry.type === 'inet') {
    const user = changes.user ?? (/^(root)?$/.test(policy.user) ? 'nobody' : policy.user);
    const argv = [process.execPath, policy.script, '--persistent', '--db', db];
    const text = entryText({ name: policy.name, user, argv }, 'inet');
    return andReload(postfix, ['postconf', ...postfix.chosen, '-M', `${policy.name}/inet=${text}`]);
  }
  const words = ['allow-nets', 'install', ...postfix.chosen];
  if (policy.name !== 'allow-nets') words.push('--service', policy.name);
  if (changes.user !== undefined) words.push('--user', changes.user);
  if (changes.oneShot ?? !policy.persistent) words.push('--one-shot');
  if (changes.trial ?? service.trial) words.push('--trial');
  return shellLine(words);
}
