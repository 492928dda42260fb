// What `learn` and `replay` have in common: options about files, times and users, reading with a progress bar, and what could not be read.
import type { Options } from 'yargs';
import type { Arguments } from '../cli/command';
import { hint, visible } from '../cli/output';
import { Progress } from '../cli/progress';
import { momentOf, secondsOf } from '../cli/time';
import { Trouble } from '../failure';
import { foldName } from '../rules/subject';
import { openInputs } from './input';
import { type Reading, readLog } from './read-log';
import type { Scope, Tally } from './tally';

export const LOG_FILES = 'mail logs, .gz, .xz, .zst and .bz2 too; - for standard input';

export const LOG_OPTIONS: Readonly<Record<string, Options>> = {
  since: { type: 'string', requiresArg: true, describe: 'only mail since that time: 2026-11-01, or 14d' },
  until: { type: 'string', requiresArg: true, describe: 'only mail until that time; a date means its end' },
  user: { type: 'string', requiresArg: true, describe: 'only this user, or @domain; may be given again' },
};

/** The scope that the options ask for. `now`: ms since 1970. */
export function scopeOf(given: Arguments, now: number, v4Prefix: number, v6Prefix: number): Scope {
  const [since, until] = [given.text('since'), given.text('until')];
  const scope = {
    since: since === null ? 0 : momentAgo(since, '--since', now) / 1000,
    until: until === null ? Number.POSITIVE_INFINITY : momentAgo(until, '--until', now) / 1000,
    isAsked: isAskedFor(given.texts('user')),
    v4Prefix,
    v6Prefix,
  };
  if (scope.since >= scope.until) {
    throw new Trouble({
      kind: 'option',
      problem: `--since ${since} is not before --until ${until}`,
      hint: 'no mail can be between them',
    });
  }
  return scope;
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

/** Reads the files that were given into the tally. */
export async function readLogs(given: Arguments, now: number, tally: Tally): Promise<Reading[]> {
  const inputs = openInputs(given.texts('file'), now / 1000);
  const sizes = inputs.map(({ size }) => size);
  const total = sizes.includes(null) ? null : sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
  const progress = new Progress(total);
  try {
    const options = { dovecot: given.flag('dovecot'), onBytes: progress.add };
    return await readLog(inputs, options, (...sightings) => tally.record(...sightings));
  } finally {
    progress.done();
  }
}

/** Says what could not be read. False when there was nothing of the kind. */
export function tellDamage(readings: readonly Reading[]): boolean {
  const damaged = readings.filter(isDamaged);
  for (const reading of damaged) {
    const { name, damage, example } = reading;
    const lines = leftOut(reading).join(', ');
    if (lines !== '')
      hint(`${name}: left out ${lines}${example === null ? '' : `, as: ${visible(example.line)}`}`);
    if (damage !== null) hint(`${name} could not be read to its end (${damage}): what came before counts`);
  }
  return damaged.length > 0;
}

function isDamaged(reading: Reading): boolean {
  return reading.damage !== null || leftOut(reading).length > 0;
}

function leftOut({ broken, tooLong, withNul }: Reading): string[] {
  return [
    broken > 0 ? numbered(broken, 'broken line') : '',
    tooLong > 0 ? numbered(tooLong, 'overlong line') : '',
    withNul > 0 ? `${numbered(withNul, 'line')} with NUL bytes` : '',
  ].filter((text) => text !== '');
}

/** `1 line`, `2 lines`. */
export function numbered(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`;
}

/** For a log in which nothing was found. */
export function tellNothing(): void {
  hint(
    'no mail of an authenticated user was found: is it the log of a submission server, and the right time?',
  );
}

/** A whole number option within its bounds. */
export function numberOf(
  given: Arguments,
  option: string,
  least: number,
  most: number,
  usual: number,
): number {
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
