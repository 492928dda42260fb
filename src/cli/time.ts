// Times as people type them, and as messages show them.
import { Trouble } from '../failure';
import { expiryMoment, formatInstant, parseInstant } from '../rules/expiry';

const SECONDS: Readonly<Record<string, number>> = { m: 60, h: 3600, d: 86_400, w: 604_800 };

/**
 * `--until` and `--at`: a date, or a date and time, with an offset or in local time; ms since 1970. A date alone means its end (or, with
 * `dayStart`, its beginning) in local time.
 */
export function momentOf(text: string, option: string, dayStart = false): number {
  const spelled = text.trim();
  const wall = parseInstant(spelled.replace(/(Z|[+-]\d\d(?::?\d\d)?)$/i, (zone, _, at) => (at > 10 ? '' : zone)));
  const exact = parseInstant(spelled);
  if (wall === null || exact === null) {
    throw wrongTime(`${option} ${text} is not a date or time`, `${option} 2026-12-24, or ${option} 2026-12-24T18:00Z`);
  }
  if (/[T ].*(Z|[+-]\d\d(?::?\d\d)?)$/i.test(spelled)) return exact;
  const day = new Date(wall);
  const isDate = !/[T ]/i.test(spelled);
  // Local time, whatever the clock does that day.
  return new Date(
    day.getUTCFullYear(),
    day.getUTCMonth(),
    day.getUTCDate() + (isDate && !dayStart ? 1 : 0),
    day.getUTCHours(),
    day.getUTCMinutes(),
    day.getUTCSeconds(),
  ).getTime();
}

/** `--for` and `--every`: `30m`, `12h`, `7d`, `2w`; in seconds. */
export function secondsOf(text: string, option: string, units = SECONDS): number {
  const match = /^(\d{1,6})([a-z])$/.exec(text.trim());
  const unit = units[match?.[2] ?? ''];
  if (match === null || unit === undefined || Number(match[1]) === 0) {
    const [one, two, three] = 's' in units ? ['30s', '5m', '1h'] : ['7d', '12h', '30m'];
    const hint = `${option} ${one}, ${option} ${two} or ${option} ${three}`;
    throw wrongTime(`${option} ${text} is not a length of time`, hint);
  }
  return Number(match[1]) * unit;
}

/** The `expires` that --until or --for asks for, or null. */
export function expiryOf(until: string | null, length: string | null, now: number): string | null {
  if (until !== null && length !== null) throw wrongTime('--until and --for exclude each other', 'give one of them');
  if (length !== null) return formatInstant(now + secondsOf(length, '--for') * 1000);
  if (until === null) return null;
  const moment = momentOf(until, '--until');
  if (moment <= now) throw wrongTime(`--until ${until} is in the past`, 'to take access away: allow-nets remove');
  return formatInstant(moment);
}

/** `2026-12-24T18:00:00Z (2026-12-24 19:00:00 local time)`. */
export function momentText(moment: number): string {
  return `${formatInstant(moment)} (${localTime(moment)} local time)`;
}

function localTime(moment: number): string {
  const date = new Date(moment);
  return formatInstant(moment - date.getTimezoneOffset() * 60_000)
    .replace('T', ' ')
    .replace('Z', '');
}

function wrongTime(problem: string, hint: string): Trouble {
  return new Trouble({ kind: 'option', problem, hint });
}

/** ` until ...` of an entry's end, or nothing for one that never ends. `expires`: as the database has it. */
export function untilText(expires: unknown): string {
  const moment = expiryMoment(expires);
  return Number.isFinite(moment) ? ` until ${momentText(moment)}` : '';
}
