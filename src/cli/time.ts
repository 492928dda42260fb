// Parses times as people type them, and formats them for messages.

import { wrongUsage } from '../failure';
import { expiryMoment, formatInstant, parseInstant } from '../rules/meaning';

const SECONDS: Readonly<Record<string, number>> = { m: 60, h: 3600, d: 86_400, w: 604_800 };

/**
 * Parses the value of `--until` or `--at`: a date, or a date and time, in local time unless it has an offset. Returns
 * ms since 1970. A date alone means its end (with `dayStart`, its start) in local time.
 */
export function momentOf(text: string, option: string, dayStart = false): number {
  const spelled = text.trim().replace(/[t ]/i, 'T').toUpperCase();
  const exact = parseInstant(spelled);
  const [, day = '', time, offset] = /^(.{10})(T[\d:.]+)?(.*)$/.exec(spelled) ?? [];
  if (exact === null || (time === undefined && offset !== '')) {
    throw wrongUsage(`${option} ${text} is not a date or time`, `${option} 2026-12-24, or ${option} 2026-12-24T18:00Z`);
  }
  if (offset !== '') return exact;
  const local = new Date(`${day}${time ?? 'T00:00'}`);
  if (time === undefined && !dayStart) local.setDate(local.getDate() + 1);
  return local.getTime();
}

/** Parses the value of `--for` or `--every`: `30m`, `12h`, `7d`, `2w`. Returns seconds. */
export function secondsOf(text: string, option: string, units = SECONDS): number {
  const match = /^(\d{1,6})([a-z])$/.exec(text.trim());
  const unit = units[match?.[2] ?? ''];
  if (match === null || unit === undefined || Number(match[1]) === 0) {
    const [one, two, three] = 's' in units ? ['30s', '5m', '1h'] : ['7d', '12h', '30m'];
    const hint = `${option} ${one}, ${option} ${two} or ${option} ${three}`;
    throw wrongUsage(`${option} ${text} is not a length of time`, hint);
  }
  return Number(match[1]) * unit;
}

/** The `expires` that --until or --for sets, or null if neither is given. */
export function expiryOf(until: string | null, length: string | null, now: number): string | null {
  if (until !== null && length !== null) throw wrongUsage('--until and --for exclude each other', 'give one of them');
  if (length !== null) return formatInstant(now + secondsOf(length, '--for') * 1000);
  if (until === null) return null;
  const moment = momentOf(until, '--until');
  if (moment <= now) throw wrongUsage(`--until ${until} is in the past`, 'give a time to come');
  return formatInstant(moment);
}

/** `2026-12-24T18:00:00Z (2026-12-24 19:00:00 local time)`. */
export function momentText(moment: number): string {
  const local = formatInstant(moment - new Date(moment).getTimezoneOffset() * 60_000);
  return `${formatInstant(moment)} (${local.slice(0, 10)} ${local.slice(11, 19)} local time)`;
}

/** ` until ...` for an entry that expires, else empty. `expires`: as stored in the database. */
export function untilText(expires: unknown): string {
  const moment = expiryMoment(expires);
  return Number.isFinite(moment) ? ` until ${momentText(moment)}` : '';
}
