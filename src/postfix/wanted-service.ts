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

/** `program`: the files among the words of argv, which the account must be able to read. Throws Trouble for options that the program refuses. */
export function wantedService(
  name: string,
  present: PolicyService | null,
  asked: InstallOptions,
): Wanted & { program: string[] } {
  const index = present === null ? -1 : programIndex(present.argv);
  const before = present?.argv.slice(0, Math.max(index, 0)) ?? [];
  const words = present?.argv.slice(index + 1) ?? [];
  const now = programOptions(words);
  const db = asked.db ?? now.db ?? DEFAULT_DATABASE;
  const interpreter = interpreterOf(before);
  const others = withOption(withOption(now.others, '--reject-text', asked.rejectText), '--log', asked.log);
  const isSame = now.persistent === !asked.oneShot && now.db === db && others.join('\n') === now.others.join('\n');
  const options = isSame ? words : [...(asked.oneShot ? [] : ['--persistent']), '--db', db, ...others];
  readCommandLine(options, {});
  const { oneShot, trial } = asked;
  const argv = [...interpreter, asked.script, ...options];
  const program = [...interpreter.slice(-1), asked.script].filter((word) => word.startsWith('/'));
  return { name, user: asked.user ?? (present?.user || 'nobody'), argv, oneShot, trial, program };
}

/** The words before the program: setpriv, prlimit and the like stay, and so does `env node`; a Node.js by its path becomes the one that runs this. */
function interpreterOf(before: readonly string[]): string[] {
  const node = before.at(-1) ?? '';
  if (node !== '' && !/(^|\/)node[^/]*$/.test(node)) return [...before];
  const viaEnv = /(^|\/)env$/.test(before.at(-2) ?? '');
  return viaEnv ? [...before] : [...before.slice(0, -1), nodeOfPath()];
}

/** This Node by the name that PATH has for it, which outlives an upgrade better than where it lies. */
function nodeOfPath(): string {
  const node = findProgram('node');
  return node !== null && fs.realpathSync(node) === process.execPath ? node : process.execPath;
}

/** The words with another value of an option, or as they are when none was asked for. */
function withOption(words: readonly string[], option: string, asked: string | null): readonly string[] {
  if (asked === null) return words;
  const at = words.findIndex((word) => word === option || word.startsWith(`${option}=`));
  const next = words[at] === option ? at + 2 : at + 1;
  const others = at < 0 ? words : [...words.slice(0, at), ...words.slice(next)];
  return words[at] === option && words[at + 1] === asked ? words : [...others, option, asked];
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
