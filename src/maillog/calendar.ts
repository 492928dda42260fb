// Which moment the hour at the head of a log line is: text to seconds since 1970. An hour that no calendar has is null.
// syslog leaves the year out: the last year in which the hour is not in the future is taken, whatever the order of lines and files.

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** So far back is looked for a 29 February: around 2100 they are 8 years apart. */
const YEARS_BACK = 9;

/** `hour`: as in `Nov  4 05`, local time. `latest`: seconds since 1970 that the answer is not to exceed. */
export function yearlessHour(hour: string, latest: number): number | null {
  const found = /^([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d\d)$/.exec(hour);
  const month = MONTHS.indexOf(found?.[1] ?? '');
  if (month < 0) return null;
  const newest = new Date(latest * 1000).getFullYear();
  for (let year = newest; year > newest - YEARS_BACK; year--) {
    const start = startOfHour(year, month, Number(found?.[2]), Number(found?.[3]), '');
    if (start !== null && start <= latest) return start;
  }
  return null;
}

/** `hour`: as in `2026-11-04T05`. `zone`: `Z`, `+01:00`, `+0100`, `+01`, or empty for local time. */
export function isoHour(hour: string, zone: string): number | null {
  const found = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d)$/i.exec(hour);
  if (found === null) return null;
  const [year = 0, month = 0, day = 0, hours = 0] = found.slice(1).map(Number);
  return startOfHour(year, month - 1, day, hours, zone);
}

function startOfHour(year: number, month: number, day: number, hour: number, zone: string): number | null {
  const utc = new Date(Date.UTC(year, month, day, hour));
  if (hour > 23 || utc.getUTCMonth() !== month || utc.getUTCDate() !== day) return null;
  if (zone === '') return new Date(year, month, day, hour).getTime() / 1000;
  const [, sign, hours, minutes] = /^([+-])(\d\d):?(\d\d)?$/.exec(zone) ?? [];
  const offset = Number(hours ?? 0) * 3600 + Number(minutes ?? 0) * 60;
  return utc.getTime() / 1000 - (sign === '-' ? -offset : offset);
}
