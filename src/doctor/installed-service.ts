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
import { RECIPIENT_LIST, serviceChecks } from '../postfix/restrictions';
import { shellLine } from '../postfix/run';
import { DEFAULT_DATABASE } from '../rules/database';

/** A policy service that restriction lists of this instance ask: an installed one, or one on a policy host. */
export interface AskedService {
  readonly postfix: Postfix;
  readonly files: ConfigFiles;
  /** How restriction lists name it, as `isCheckOf` takes it. */
  readonly target: string;
}

/** A service of master.cf that runs this program. */
export interface InstalledService extends AskedService {
  readonly entry: Service;
  readonly policy: PresentService;
  readonly db: string;
  /** The account in user=, or why Postfix would not run the service as it. */
  readonly account: Account | Trouble;
  /** The account to run things as; null unless we are root. */
  readonly runner: Account | null;
}

/** Null for an entry that does not run this program. */
export function installedService(postfix: Postfix, files: ConfigFiles, entry: Service): InstalledService | null {
  const policy = policyServiceOf(entry);
  if (policy === null) return null;
  const account = accountOrTrouble(policy.user, postfix.mailOwner);
  const runner = process.getuid?.() === 0 && !(account instanceof Trouble) ? account : null;
  const db = path.resolve(postfix.queueDir, policy.db ?? DEFAULT_DATABASE);
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
  servicesWithAuth(files).filter((smtpd) => serviceChecks(files, smtpd, target)[0]?.trial);

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
export const sudoCommand = (postfix: Postfix): string => `sudo ${postfix.ownCommand('doctor')}`;

/** `COMMAND && postfix reload`. */
export const andReload = (postfix: Postfix, words: readonly string[]): string =>
  `${shellLine(words)} && ${reloadCommand(postfix)}`;

export const reloadCommand = (postfix: Postfix): string => shellLine(postfix.command('reload'));

/** A manual edit, and the reload after it. */
export const editFix = (postfix: Postfix, edit: string): Fix => ({
  hint: `${edit}; then`,
  command: reloadCommand(postfix),
});

/** The settings that `installCommand` changes; the others stay as installed. */
interface InstallChanges {
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
  const words = policy.name === 'allow-nets' ? [] : ['--service', policy.name];
  if (changes.user !== undefined) words.push('--user', changes.user);
  if (changes.oneShot ?? !policy.persistent) words.push('--one-shot');
  if (changes.trial ?? servicesOnTrial(service).length > 0) words.push('--trial');
  return postfix.ownCommand('install', ...words);
}

/** Corrects the checks in restriction lists: by `install`, or by hand for a policy host. */
export function listFix(asked: AskedService, changes: InstallChanges = {}): Fix {
  const service = 'policy' in asked ? (asked as InstalledService) : null;
  if (service !== null && service.entry.type !== 'inet') return { command: installCommand(service, changes) };
  const form = { oneShot: service?.policy.persistent === false, trial: false };
  const check = checkText(asked.target, form, asked.target.replace('*', 'HOST'));
  return editFix(
    asked.postfix,
    `put ${check} first in ${RECIPIENT_LIST}, without warn_if_reject, in main.cf and in each -o of master.cf`,
  );
}
