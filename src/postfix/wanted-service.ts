// How Postfix is to run the program: what was asked for on the command line; what was not stays as it is installed.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { readCommandLine } from '../policy/options';
import { DEFAULT_DATABASE } from '../rules/database';
import { accountOf, closedTo } from './account';
import type { Wanted } from './plan';
import { type PolicyService, programIndex, programOptions } from './policy-service';
import type { Postfix } from './postfix';
import { findProgram } from './run';

/** `install`'s own options; null for those that were not given. `script`: the file that is this program. */
export interface InstallOptions {
  readonly user: string | null;
  readonly db: string | null;
  readonly oneShot: boolean;
  readonly trial: boolean;
  readonly rejectText: string | null;
  readonly log: string | null;
  readonly script: string;
}

export interface WantedService extends Wanted {
  readonly db: string;
  /** The files among the words of argv, which the account must be able to read. */
  readonly program: readonly string[];
}

/** Throws Trouble for options that the program refuses. */
export function wantedService(name: string, present: PolicyService | null, given: InstallOptions): WantedService {
  const index = present === null ? -1 : programIndex(present.argv);
  const now = programOptions(present?.argv.slice(index + 1) ?? []);
  const { oneShot, trial, script, rejectText, log } = given;
  const db = given.db ?? now.db ?? DEFAULT_DATABASE;
  const others = withOption(withOption(now.others, '--reject-text', rejectText), '--log', log);
  const options = [...(oneShot ? [] : ['--persistent']), '--db', db, ...others.flat()];
  readCommandLine(options, {});
  const interpreter = interpreterOf(present?.argv.slice(0, Math.max(index, 0)) ?? []);
  const program = [...interpreter, script].filter((word) => word.startsWith('/'));
  const user = given.user ?? (present?.user || 'nobody');
  return { name, user, argv: [...interpreter, script, ...options], oneShot, trial, db, program };
}

/** Each option with its value; `value` null: none was given. */
function withOption(options: readonly (readonly string[])[], name: string, value: string | null) {
  if (value === null) return options;
  return [...options.filter(([word]) => word !== name && !word?.startsWith(`${name}=`)), [name, value]];
}

/** The words before the program: setpriv, prlimit and the like stay, and so does `env node`; a Node.js by its path becomes the one that runs this. */
function interpreterOf(before: readonly string[]): string[] {
  const isNode = (word: string) => /(^|\/)node[^/]*$/.test(word);
  const at = before.findIndex((word, i) => isNode(word) && before.slice(i + 1).every((flag) => flag.startsWith('-')));
  if (at < 0) return before.length > 0 ? [...before] : [nodeOfPath()];
  const viaEnv = /(^|\/)env$/.test(before[at - 1] ?? '');
  return before.map((word, i) => (i === at && !viaEnv ? nodeOfPath() : word));
}

/** This Node.js by the name that PATH has for it, which outlives an upgrade better than where it lies. */
function nodeOfPath(): string {
  const node = findProgram('node');
  return node !== null && fs.realpathSync(node) === process.execPath ? node : process.execPath;
}

/**
 * The account, with the group that postlog needs where it is not set-gid (Debian) and Postfix writes the log itself (maillog_file): only who is in that
 * group reaches postlogd(8) in public/.
 */
export function withLogGroup(user: string, postfix: Postfix): string {
  const postlog = findProgram('postlog');
  if (user.includes(':') || postlog === null || postfix.value('maillog_file') === '') return user;
  if ((fs.statSync(postlog).mode & 0o2000) !== 0) return user;
  const account = accountOf(user, postfix.mailOwner);
  const isClosed = closedTo(account, path.join(postfix.queueDir, 'public'), postfix) !== null;
  return isClosed ? `${user}:${postfix.value('setgid_group') || 'postdrop'}` : user;
}
