// What learn, replay and refused have in common: options for files, times and users, the database that decides, a progress bar, and hints at
// what could not be read.
import type { Options } from 'yargs';
import type { Arguments } from '../cli/command';
import { hint } from '../cli/output';
import { Progress } from '../cli/progress';
import { momentOf, secondsOf } from '../cli/time';
import { printable, shellWord, Trouble } from '../failure';
import { decide } from '../policy/decide';
import { formatInstant } from '../rules/expiry';
import { RuleStore } from '../rules/store';
import { foldName } from '../rules/subject';
import { defaultLog, openInputs } from './input';
import type { LineKind } from './line-kind';
import { type Reading, readLog } from './read-log';
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
  /** Without a database nobody is allowed; else that is Trouble. */
  readonly allowNoDatabase?: boolean;
}

/** Reads the files, each user at each address decided about by the database. `now`: ms since 1970. */
export async function tallyLogs(
  given: Arguments,
  now: number,
  { command, kinds, v4Prefix = 32, v6Prefix = 64, allowNoDatabase = false }: LogQuery,
): Promise<{ tally: Tally; readings: Reading[] }> {
  const scope = { ...spanOf(given, now), isAsked: isAskedFor(given.texts('user')), v4Prefix, v6Prefix };
  const store = openRules(given.db, allowNoDatabase);
  const tally = new Tally(scope, (user, address) => store.read((rules) => decide({ user, address }, rules, now)));
  let names = given.texts('file');
  if (names.length === 0) {
    names = [defaultLog(command)];
    hint(`the log is ${names[0]}`);
  }
  const inputs = openInputs(names, now / 1000);
  const sizes = inputs.map(({ size }) => size);
  const progress = new Progress(sizes.reduce((sum, size) => (sum === null || size === null ? null : sum + size), 0));
  try {
    const readings: Reading[] = [];
    for (const input of inputs) {
      readings.push(await readLog(input, kinds, (found, seconds) => tally.record(found, seconds), progress.add));
    }
    return { tally, readings };
  } finally {
    progress.done();
    store.close();
  }
}

function openRules(file: string, allowNone: boolean): Pick<RuleStore, 'read' | 'close'> {
  const store = new RuleStore(file);
  try {
    store.read(() => {});
    return store;
  } catch (error) {
    if (!allowNone || !(error instanceof Trouble) || error.failure.kind !== 'database-missing') throw error;
    return { read: (work) => work({ of: () => null }), close() {} };
  }
}

function spanOf(given: Arguments, now: number): { since: number; until: number } {
  const [since, until] = [given.text('since'), given.text('until')];
  const moment = (text: string, option: string) =>
    /^\d+[a-z]$/.test(text) ? now - secondsOf(text, option) * 1000 : momentOf(text, option, option === '--since');
  const span = {
    since: since === null ? 0 : moment(since, '--since') / 1000,
    until: until === null ? Number.POSITIVE_INFINITY : moment(until, '--until') / 1000,
  };
  if (span.since < span.until) return span;
  const problem = `--since ${since} is not before --until ${until}`;
  throw new Trouble({ kind: 'option', problem, hint: 'no line can be between them' });
}

function isAskedFor(users: readonly string[]): (user: string) => boolean {
  const asked = new Set(users.map(foldName));
  if (asked.size === 0) return () => true;
  return (user) => asked.has(user) || (user.includes('@') && asked.has(user.slice(user.lastIndexOf('@'))));
}

/** Prints hints at what could not be read. Returns whether there is anything. */
export function hintAtUnread(readings: readonly Reading[]): boolean {
  for (const { name, damage, broken, unknown, tooLong, withNul } of readings) {
    const left = [
      broken.count > 0 ? counted(broken.count, 'broken line') : '',
      tooLong > 0 ? counted(tooLong, 'overlong line') : '',
      withNul > 0 ? `${counted(withNul, 'line')} with NUL bytes` : '',
    ].filter((text) => text !== '');
    const example = broken.count > 0 ? `, for example: ${printable(broken.example)}` : '';
    if (left.length > 0) hint(`${name}: left out ${left.join(', ')}${example}`);
    if (unknown.count > 0) {
      hint(`${name}: ${counted(unknown.count, 'line')} not understood, for example: ${printable(unknown.example)}`);
      hint("read a journal with: LC_ALL=C journalctl -o short-iso -u 'postfix*'; please report other forms");
    }
    if (damage === 'UTF-16') {
      hint(`${name} is UTF-16 and was not read; convert it first: iconv -f UTF-16 -t UTF-8 ${shellWord(name)}`);
    } else if (damage !== null) {
      hint(`${name} could not be read to its end (${printable(damage)}): what came before counts`);
    }
  }
  return readings.some(
    ({ damage, broken, unknown, tooLong, withNul }) =>
      damage !== null || broken.count + unknown.count + tooLong + withNul > 0,
  );
}

/** For a log in which no mail was found. */
export function hintAtNoMail(): void {
  hint('no mail of an authenticated user was found: is it the log of a submission server, and the right time?');
}

/** `1 line`, `2 lines`. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`;
}

/** Seconds since 1970 as text. */
export function secondsText(seconds: number): string {
  return formatInstant(seconds * 1000);
}
