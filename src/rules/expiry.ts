// When an entry stops counting.

const ISO =
  /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?:(:\d\d)(?:\.\d+)?)?)?(?:Z|([+-](?:[01]\d|2[0-3]))(?::?([0-5]\d))?)?$/i;

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

/** Whether an entry has expired. False for a time that cannot be read: a block with such a time stays in force. */
export function hasExpired(expires: unknown, now: number): boolean {
  const moment = expiryMoment(expires);
  return Number.isFinite(moment) && moment <= now;
}

/** The expiry that an entry keeps when it is added again without one, as formatInstant writes it; an expired entry keeps none. */
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
  const [, day, time, second = ':00', hours, minutes] = ISO.exec(text.trim()) ?? [];
  // A date with another two digits (2026-12-24-31) is a slip, not an offset.
  if (day === undefined || (time === undefined && hours !== undefined && minutes === undefined)) return null;
  const local = `${day}T${time ?? '00:00'}${second}`;
  const moment = Date.parse(`${local}Z`);
  // Date takes the 30th of February for a day in March.
  if (Number.isNaN(moment) || !new Date(moment).toISOString().startsWith(local)) return null;
  return hours === undefined ? moment : Date.parse(`${local}${hours}:${minutes ?? '00'}`);
}

/** As the commands store it: `2026-12-24T18:00:00Z`. */
export function formatInstant(moment: number): string {
  return `${new Date(moment).toISOString().slice(0, -'.000Z'.length)}Z`;
}
