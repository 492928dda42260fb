// Determines how Postfix is to run the program: by the options of install, else as it is installed now. A trial run
// finds what keeps the account from running it, before anything is changed.
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Arguments } from '../cli/command';
import { type Message, parseErrorLines } from '../failure';
import { readCommandLine } from '../policy/options';
import { DEFAULT_DATABASE } from '../rules/database';
import { type Account, accountOf, type PostfixFolders, runAs, unreadable } from './account';
import { parseReply, requestOf, STRANGER } from './live-service';
import type { Wanted } from './plan';
import type { PolicyService, PresentService } from './policy-service';
import type { Postfix } from './postfix';
import { failureText, findProgram } from './run';

export interface WantedService extends Wanted {
  readonly db: string;
  /** The files in argv, which the account must be able to read. */
  readonly program: readonly string[];
}

/** `present`: the installed service, or null. Throws Trouble for options that the program would refuse. */
export function wantedService(
  postfix: Postfix,
  name: string,
  present: PresentService | null,
  args: Arguments,
): WantedService {
  const oneShot = args.flag('one-shot');
  const trial = args.flag('trial');
  const namedDb = args.text('db') || process.env['ALLOW_NETS_DB'];
  const db = namedDb ? path.resolve(namedDb) : (present?.db ?? DEFAULT_DATABASE);
  const others = withOption(withOption(present?.others ?? [], '--reject-text', args), '--log', args);
  const options = [...(oneShot ? [] : ['--persistent']), '--db', db, ...others.flat()];
  readCommandLine(options, {});
  const interpreter = interpreterOf(present?.interpreter ?? []);
  const script = __filename;
  const program = [...interpreter, script].filter((word) => word.startsWith('/'));
  const user = withLogGroup(args.text('user') ?? (present?.user || 'nobody'), postfix);
  return { name, user, argv: [...interpreter, script, ...options], oneShot, trial, db, program };
}

/** Replaces an option by the one on the command line, if any. */
function withOption(options: readonly (readonly string[])[], name: string, args: Arguments) {
  const value = args.text(name.slice(2));
  if (value === null) return options;
  return [...options.filter(([word]) => word !== name && !word?.startsWith(`${name}=`)), [name, value]];
}

/** The words before the program. setpriv, prlimit, `env node` and flags are kept; Node.js is replaced by our own. */
function interpreterOf(before: readonly string[]): string[] {
  const isNode = (word: string) => /(^|\/)node[^/]*$/.test(word);
  const at = before.findIndex((word, i) => isNode(word) && before.slice(i + 1).every((flag) => flag.startsWith('-')));
  if (at < 0) return before.length > 0 ? [...before] : [nodeOfPath()];
  const viaEnv = /(^|\/)env$/.test(before[at - 1] ?? '');
  return before.map((word, i) => (i === at && !viaEnv ? nodeOfPath() : word));
}

/** The path of this Node.js, if possible the one in PATH, which survives an upgrade better than the real path. */
function nodeOfPath(): string {
  const node = findProgram('node');
  return node !== null && fs.realpathSync(node) === process.execPath ? node : process.execPath;
}

/**
 * Adds the group of public/, where postlogd(8) listens, to the account. postlog needs it if Postfix writes the log
 * itself (maillog_file) and postlog is not set-gid (Debian).
 */
function withLogGroup(user: string, postfix: Postfix): string {
  const postlog = findProgram('postlog');
  if (user.includes(':') || postlog === null || postfix.value('maillog_file') === '') return user;
  if ((fs.statSync(postlog).mode & 0o2000) !== 0) return user;
  const account = accountOf(user, postfix.mailOwner);
  const isClosed = unreadable(account, [path.join(postfix.queueDir, 'public')], postfix) !== null;
  return isClosed ? `${user}:${postfix.value('setgid_group') || 'postdrop'}` : user;
}

/** Runs the program once as the account. Null if it answers, else why it does not. */
export function trialRunFailure(account: Account, { argv }: PolicyService, folders: PostfixFolders): Message | null {
  // --log none: the refusal of this request is not worth a line in the mail log.
  const ran = runAs(account, [...argv, '--log', 'none'], folders, requestOf(STRANGER));
  if (ran.status === 0 && parseReply(ran.stdout) !== null) return null;
  const printed = parseErrorLines(ran.stderr) ?? { problem: failureText(ran) };
  return {
    ...printed,
    problem: `the policy program does not answer when the account ${account.name} runs it: ${printed.problem}`,
  };
}
