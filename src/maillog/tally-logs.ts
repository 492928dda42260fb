// Shared by learn, replay and refused: their options, reading the logs, and hints at what could not be read.
import type { Options } from 'yargs';
import type { Arguments } from '../cli/command';
import { hint, quantity } from '../cli/output';
import { Progress } from '../cli/progress';
import { momentOf, secondsOf } from '../cli/time';
import { printable, shellWord, Trouble } from '../failure';
import { decide } from '../policy/decide';
import { formatInstant } from '../rules/expiry';
import { truncate } from '../rules/network';
import { RuleStore } from '../rules/store';
import { foldName } from '../rules/subject';
import { defaultLog, openLog, STANDARD_INPUT } from './input';
import { type LineKind, type ReadReport, readLog } from './read-log';
import { Tally } from './tally';

export const LOG_FILES =
  "mail logs, .gz, .xz, .zst and .bz2 too; - for standard input (default: this Postfix's mail log)";

export const LOG_OPTIONS: Readonly<Record<string, Options>> = {
  since: { type: 'string', requiresArg: true, describe: 'only lines since that time: 2026-11-01, or 14d' },
  until: { type: 'string', requiresArg: true, describe: 'only lines until that time; a date means its end' },
  user: { type: 'string', requiresArg: true, describe: 'only this user, or @domain; may be given again' },
};

export interface LogQuery {
  /** The name of the command. */
  readonly command: string;
  readonly kinds: readonly LineKind[];
  readonly v4Prefix?: number;
  readonly v6Prefix?: number;
  /** Whether a missing database is Trouble; otherwise it means that nobody is allowed yet. */
  readonly needsDatabase?: boolean;
}

/** Reads the logs and adds up their lines by user and network. `now`: ms since 1970. */
export async function tallyLogs(
  args: Arguments,
  now: number,
  { command, kinds, v4Prefix = 32, v6Prefix = 64, needsDatabase = true }: LogQuery,
): Promise<{ tally: Tally; readings: ReadReport[] }> {
  const store = openRules(args.db, needsDatabase);
  const tally = new Tally({
    ...spanOf(args, now),
    includes: userFilter(args.texts('user')),
    networkOf: (address) => truncate(address, address.family === 4 ? v4Prefix : v6Prefix),
    decide: (user, address) => store.read((rules) => decide({ user, address }, rules, now)),
  });
  const inputs = logNames(args, command).map((name) => openLog(name, now / 1000));
  const progress = new Progress(inputs.reduce((sum, { size }) => sum + size, 0));
  const readings: ReadReport[] = [];
  try {
    for (const input of inputs) {
      readings.push(await readLog(input, kinds, (found, seconds) => tally.record(found, seconds), progress.add));
    }
  } finally {
    progress.done();
    store.close();
  }
  return { tally, readings };
}

function openRules(file: string, isNeeded: boolean): Pick<RuleStore, 'read' | 'close'> {
  const store = new RuleStore(file);
  try {
    store.read(() => {});
    return store;
  } catch (error) {
    if (isNeeded || !(error instanceof Trouble) || error.failure.kind !== 'database-missing') throw error;
    return { read: (work) => work({ of: () => null }), close() {} };
  }
}

function logNames(args: Arguments, command: string): string[] {
  const names = args.texts('file');
  if (names.length > 0) return names;
  const name = defaultLog(command);
  hint(`the log is ${name}`);
  return [name];
}

function spanOf(args: Arguments, now: number): { since: number; until: number } {
  const secondsOfOption = (option: string): number | null => {
    const text = args.text(option);
    if (text === null) return null;
    if (/^\d+[a-z]$/.test(text)) return now / 1000 - secondsOf(text, `--${option}`);
    return momentOf(text, `--${option}`, option === 'since') / 1000;
  };
  const since = secondsOfOption('since') ?? 0;
  const until = secondsOfOption('until') ?? Number.POSITIVE_INFINITY;
  if (since < until) return { since, until };
  const problem = `--since ${args.text('since')} is not before --until ${args.text('until')}`;
  throw new Trouble({ kind: 'option', problem, hint: 'no line can be between them' });
}

/** `names`: users and domains; none means everybody. */
function userFilter(names: readonly string[]): (user: string) => boolean {
  const wanted = new Set(names.map(foldName));
  const domainOf = (user: string) => (user.includes('@') ? user.slice(user.lastIndexOf('@')) : '');
  return (user) => wanted.size === 0 || wanted.has(user) || wanted.has(domainOf(user));
}

/** Hints at the lines and files that could not be read. Returns whether there are any. */
export function hintAtUnread(readings: readonly ReadReport[]): boolean {
  const hints = readings.flatMap(unreadOf);
  hints.forEach(hint);
  return hints.length > 0;
}

function unreadOf({ name, damage, broken, unknown, tooLong, withNul }: ReadReport): string[] {
  const hints: string[] = [];
  const left = [
    broken.count > 0 ? [quantity(broken.count, 'broken line')] : [],
    tooLong > 0 ? [quantity(tooLong, 'overlong line')] : [],
    withNul > 0 ? [`${quantity(withNul, 'line')} with NUL bytes`] : [],
    broken.count > 0 ? [`for example: ${printable(broken.example)}`] : [],
  ].flat();
  if (left.length > 0) hints.push(`${name}: left out ${left.join(', ')}`);
  if (unknown.count > 0) {
    hints.push(
      `${name}: ${quantity(unknown.count, 'line')} not understood, for example: ${printable(unknown.example)}`,
      "read a journal with: LC_ALL=C journalctl -o short-iso -u 'postfix*'; please report other forms",
    );
  }
  if (damage === 'UTF-16') {
    const file = name === STANDARD_INPUT ? '' : ` ${shellWord(name)}`;
    hints.push(`${name} is UTF-16 and was not read; convert it first: iconv -f UTF-16 -t UTF-8${file}`);
  } else if (damage !== null) {
    hints.push(`${name} could not be read to its end (${printable(damage)}): what came before counts`);
  }
  return hints;
}

/** Printed when the log has no mail of an authenticated user. */
export function hintAtNoMail(): void {
  hint('no mail of an authenticated user was found: is it the log of a submission server, and the right time?');
}

/** Seconds since 1970 as text. */
export function secondsText(seconds: number): string {
  return formatInstant(seconds * 1000);
}
