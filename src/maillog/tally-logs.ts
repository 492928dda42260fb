// Shared by learn, replay and refused: their options and reading the logs.
import type { Options } from 'yargs';
import { type Arguments, value } from '../cli/command';
import { withReadTransaction } from '../cli/open';
import { momentOf, secondsOf } from '../cli/time';
import { wrongUsage } from '../failure';
import { rulesOf } from '../rules/lookup';
import { foldName } from '../rules/meaning';
import type { LineKind } from './line-kinds';
import { defaultLog, openLog } from './log-file';
import { readLog } from './read-log';
import { Tally, type UserNetwork } from './tally';

export const LOG_FILES =
  "mail logs, .gz, .xz, .zst and .bz2 too; - for standard input (default: this Postfix's mail log)";

export const LOG_OPTIONS: Readonly<Record<string, Options>> = {
  since: value('only lines since that time: 2026-11-01, or 14d'),
  until: value('only lines until that time; a date means its end'),
  user: value('only this user, or @domain; may be given again'),
};

export const NO_MAIL =
  'no mail of an authenticated user was found: is it the log of a submission server, and the right time?';

/**
 * Reads the logs and adds up their lines by user and network. `command`: its name. `now`: ms since 1970. `unread`: hints
 * at what could not be read.
 */
export async function tallyLogs(
  args: Arguments,
  now: number,
  command: string,
  kinds: readonly LineKind[],
  prefixes = { 4: 32, 6: 64 },
): Promise<{ networks: UserNetwork[]; unread: string[] }> {
  const since = momentOption(args, 'since', now) ?? 0;
  const until = momentOption(args, 'until', now) ?? Number.POSITIVE_INFINITY;
  if (since >= until) {
    const problem = `--since ${args.text('since')} is not before --until ${args.text('until')}`;
    throw wrongUsage(problem, 'no line can be between them');
  }
  const wanted = new Set(args.texts('user').map(foldName));
  const isWanted = ({ user }: UserNetwork) =>
    wanted.size === 0 || wanted.has(user) || (user.includes('@') && wanted.has(user.slice(user.lastIndexOf('@'))));
  const files = args.texts('file');
  if (files.length === 0) files.push(defaultLog(command));
  const tally = new Tally();
  const unread: string[] = [];
  for (const input of files.map((file) => openLog(file, now))) {
    const hints = await readLog(input, kinds, (found) => {
      if (found.time >= since && found.time < until) tally.record(found);
    });
    unread.push(...hints);
  }
  const networks = withReadTransaction(args.db, (connection) => tally.networks(rulesOf(connection), prefixes, now));
  return { networks: networks.filter(isWanted), unread };
}

/** The value of --since or --until in ms since 1970, or null. */
function momentOption(args: Arguments, name: 'since' | 'until', now: number): number | null {
  const text = args.text(name);
  if (text === null) return null;
  if (/^\d+[a-z]$/.test(text)) return now - secondsOf(text, `--${name}`) * 1000;
  return momentOf(text, `--${name}`, name === 'since');
}
