// The service that doctor examines, with its Postfix instance and configuration files, and the commands that fix it.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { type Fix, Trouble } from '../failure';
import { type Account, accountOf } from '../postfix/account';
import type { Service } from '../postfix/config-text';
import { type ConfigFiles, servicesWithAuth } from '../postfix/configuration';
import { checkText } from '../postfix/policy-check';
import { entryText, type PresentService, policyServiceOf, targetOf } from '../postfix/policy-service';
import type { Postfix } from '../postfix/postfix';
import { RECIPIENT_LIST, serviceCheck } from '../postfix/restrictions';

/** A policy service on another host, which restriction lists of this instance ask. */
export interface PolicyHost {
  readonly postfix: Postfix;
  readonly files: ConfigFiles;
  /** How restriction lists name it, as `isCheckOf` takes it. */
  readonly target: string;
  readonly policy: null;
}

/** A service of master.cf that runs this program. */
export interface InstalledService extends Omit<PolicyHost, 'policy'> {
  readonly entry: Service;
  readonly policy: PresentService;
  readonly db: string;
  /** The account in user=, or why Postfix would not run the service as it. */
  readonly account: Account | Trouble;
  /** The account to run things as; null unless we are root. */
  readonly runner: Account | null;
}

export type AskedService = PolicyHost | InstalledService;

/** Null for an entry that does not run this program. */
export function installedService(postfix: Postfix, files: ConfigFiles, entry: Service): InstalledService | null {
  const policy = policyServiceOf(entry);
  if (policy === null) return null;
  const account = accountOrTrouble(policy.user, postfix.mailOwner);
  const runner = process.getuid?.() === 0 && !(account instanceof Trouble) ? account : null;
  const db = path.resolve(postfix.queueDir, policy.db);
  return { postfix, files, target: targetOf(entry), entry, policy, db, account, runner };
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
export const servicesOnTrial = ({ files, target }: AskedService): Service[] =>
  servicesWithAuth(files).filter((smtpd) => serviceCheck(files, smtpd, target)?.trial);

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

/** Runs doctor as root. */
export const sudoFix = (postfix: Postfix): Fix => ({ command: `sudo ${postfix.ownCommand('doctor')}` });

/** What `installCommand` changes; everything else stays as installed. */
type InstallChanges = { readonly trial?: boolean; readonly user?: string };

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
    return postfix.postconfCommand('-M', `${policy.name}/inet=${text}`);
  }
  const words = policy.name === 'allow-nets' ? [] : ['--service', policy.name];
  if (changes.user !== undefined) words.push('--user', changes.user);
  if (!policy.persistent) words.push('--one-shot');
  if (changes.trial ?? servicesOnTrial(service).length > 0) words.push('--trial');
  return postfix.ownCommand('install', ...words);
}

/** Corrects the checks in restriction lists: by `install`, or by hand for a service that it does not support. */
export function listFix(asked: AskedService, changes: InstallChanges = {}): Fix {
  const { policy, target, postfix } = asked;
  if (policy !== null && asked.entry.type !== 'inet') return { command: installCommand(asked, changes) };
  const form = { oneShot: policy?.persistent === false, trial: false };
  const check = checkText(target, form, target.replace('*', 'HOST'));
  return postfix.manualFix(
    `put ${check} first in ${RECIPIENT_LIST}, without warn_if_reject, in main.cf and in each -o of master.cf`,
  );
}
