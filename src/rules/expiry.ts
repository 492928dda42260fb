// When an entry stops counting.

const ISO = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?)?(Z|[+-]\d\d(?::?\d\d)?)?$/i;

const DAY = 86_400_000;

/**
 * The moment (ms since 1970, UTC) that an `expires` column names: from then on the entry counts no more. ISO 8601, `T` or a space, UTC when
 * no offset is given, as SQLite's datetime() writes it; an offset may be hours alone, as PostgreSQL writes it. A date alone is the end of
 * that day. Null: never. What cannot be read is long past: it never widens access.
 */
export function expiryMoment(expires: unknown): number {
  if (expires === null || expires === undefined) return Number.POSITIVE_INFINITY;
  const moment = typeof expires === 'string' ? parseInstant(expires) : null;
  if (moment === null) return Number.NEGATIVE_INFINITY;
  return isDate(expires as string) ? moment + DAY : moment;
}

/** Whether an entry is over. Of a time that cannot be read nothing is known: a block with such a time stays. */
export function hasExpired(expires: unknown, now: number): boolean {
  const moment = expiryMoment(expires);
  return Number.isFinite(moment) && moment <= now;
}

/** The end of an entry that is added again without one, as formatInstant writes it: an entry that is over is new then. */
export function keptExpiry(expires: unknown, now: number): string | null {
  const moment = expiryMoment(expires);
  return Number.isFinite(moment) && moment > now ? formatInstant(moment) : null;
}

/** Whether the text of an instant is a date without a time. */
export function isDate(text: string): boolean {
  return !/\d[T ]\d/i.test(text.trim());
}

/** ISO 8601 text to ms since 1970, or null. A part left out is zero, an offset left out is UTC. */
export function parseInstant(text: string): number | null {
  const match = ISO.exec(text.trim());
  if (match === null) return null;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0));
  if (year === undefined || month === undefined || day === undefined) return null;
  if (hour === undefined || minute === undefined || second === undefined) return null;
  if (hour > 23 || minute > 59 || second > 59) return null;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return null;
  date.setUTCHours(hour, minute, second);
  const offset = /^([+-])(\d\d):?(\d\d)?$/.exec(match[7] ?? '');
  if (offset === null) return date.getTime();
  // A date with another two digits (2026-12-24-31) is a slip, not an offset.
  if (offset[3] === undefined && match[4] === undefined) return null;
  if (Number(offset[2]) > 23 || Number(offset[3] ?? 0) > 59) return null;
  const minutes = Number(offset[2]) * 60 + Number(offset[3] ?? 0);
  return date.getTime() - (offset[1] === '-' ? -minutes : minutes) * 60_000;
}

/** As the commands store it: `2026-12-24T18:00:00Z`. */
export function formatInstant(moment: number): string {
  return `${new Date(moment).toISOString().slice(0, -'.000Z'.length)}Z`;
}
