// What learn, replay and refused have in common: their options for files, times and users, reading with a progress bar, and what could not be read.
import type { Options } from 'yargs';
import type { Arguments } from '../cli/command';
import { hint } from '../cli/output';
import { Progress } from '../cli/progress';
import { momentOf, secondsOf } from '../cli/time';
import { printable, Trouble } from '../failure';
import { shellLine } from '../postfix/run';
import { foldName } from '../rules/subject';
import type { LineKind } from './head';
import { defaultLog, openInputs } from './input';
import { type Reading, readLog } from './read-log';

export const LOG_FILES =
  "mail logs, .gz, .xz, .zst and .bz2 too; - for standard input (default: this Postfix's mail log)";

export const LOG_OPTIONS: Readonly<Record<string, Options>> = {
  since: { type: 'string', requiresArg: true, describe: 'only lines since that time: 2026-11-01, or 14d' },
  until: { type: 'string', requiresArg: true, describe: 'only lines until that time; a date means its end' },
  user: { type: 'string', requiresArg: true, describe: 'only this user, or @domain; may be given again' },
};

/** The lines that count. */
export interface Span {
  /** Seconds since 1970; `until` itself does not count. */
  readonly since: number;
  readonly until: number;
  /** `user`: folded. */
  readonly isAsked: (user: string) => boolean;
}

/** The span that the options ask for. `now`: ms since 1970. */
export function spanOf(given: Arguments, now: number): Span {
  const [since, until] = [given.text('since'), given.text('until')];
  const span = {
    since: since === null ? 0 : momentAgo(since, '--since', now) / 1000,
    until: until === null ? Number.POSITIVE_INFINITY : momentAgo(until, '--until', now) / 1000,
    isAsked: isAskedFor(given.texts('user')),
  };
  if (span.since >= span.until) {
    throw new Trouble({
      kind: 'option',
      problem: `--since ${since} is not before --until ${until}`,
      hint: 'no line can be between them',
    });
  }
  return span;
}

function momentAgo(text: string, option: string, now: number): number {
  if (/^\d+[a-z]$/.test(text)) return now - secondsOf(text, option) * 1000;
  return momentOf(text, option, option === '--since');
}

function isAskedFor(users: readonly string[]): (user: string) => boolean {
  const asked = new Set(users.map(foldName));
  if (asked.size === 0) return () => true;
  return (user) => asked.has(user) || (user.includes('@') && asked.has(user.slice(user.lastIndexOf('@'))));
}

/** A whole number option within its bounds. */
export function numberOf(given: Arguments, option: string, least: number, most: number, usual: number): number {
  const text = given.text(option);
  if (text === null) return usual;
  const number = Number(text);
  if (/^\d{1,9}$/.test(text) && number >= least && number <= most) return number;
  const bounds = most === Number.MAX_SAFE_INTEGER ? `${least} or more` : `${least} to ${most}`;
  throw new Trouble({
    kind: 'option',
    problem: `--${option} ${text} is not a number from ${bounds}`,
    hint: `--${option} ${usual}`,
  });
}

/** Hands on what `kinds` find, and calls `rest` after each block. `command`: that reads. `now`: ms since 1970. */
export async function readLogs<Found extends object>(
  command: string,
  given: Arguments,
  now: number,
  kinds: readonly LineKind<Found>[],
  onFound: (found: Found, seconds: number) => void,
  rest: () => void = () => {},
): Promise<Reading[]> {
  let names = given.texts('file');
  if (names.length === 0) {
    names = [defaultLog(command)];
    hint(`the log is ${names[0]}`);
  }
  const inputs = openInputs(names, now / 1000);
  const sizes = inputs.map(({ size }) => size);
  const total = sizes.includes(null) ? null : sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
  const progress = new Progress(total);
  try {
    return await readLog(inputs, kinds, onFound, (count) => {
      progress.add(count);
      rest();
    });
  } finally {
    progress.done();
  }
}

/** Says what could not be read. Whether there is anything of the kind. */
export function reportUnread(readings: readonly Reading[]): boolean {
  let isFound = false;
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
      const convert = shellLine(['iconv', '-f', 'UTF-16', '-t', 'UTF-8', name]);
      hint(`${name} is UTF-16 and was not read; convert it first: ${convert}`);
    } else if (damage !== null) {
      hint(`${name} could not be read to its end (${printable(damage)}): what came before counts`);
    }
    if (left.length > 0 || unknown.count > 0 || damage !== null) isFound = true;
  }
  return isFound;
}

/** For a log in which no mail was found. */
export function reportNothing(): void {
  hint('no mail of an authenticated user was found: is it the log of a submission server, and the right time?');
}

/** `1 line`, `2 lines`. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`;
}
