// The time stamp at the head of a log line: text to seconds since 1970.
//
// Two forms: `Nov  4 05:47:54` as syslog writes it, in local time, and `2026-11-04T05:47:54.123+01:00` (RFC 3339 and its relatives), local
// time when it names no zone. syslog leaves the year out: the last year in which the moment is not in the future is taken, whatever the
// order of lines and files. What no calendar has is null, never a guess.

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Around 2100 two 29 Februaries are 8 years apart. */
const YEARS_BACK = 9;

/** A stamp in a regular expression: the hour, the minute, the second and the zone are captured. */
export const STAMP = String.raw`([A-Z][a-z]{2} (?: \d|\d\d?) \d\d|\d{4}-\d\d-\d\d[Tt ]\d\d):([0-5]\d):([0-5]\d|60)(?:[.,]\d+)?([Zz]|[+-]\d\d(?::?\d\d)?)?`;

export class StampReader {
  /** Hours are worked out once: a log has few of them and many lines. */
  private readonly hours = new Map<string, number | null>();

  /** `latest` (seconds since 1970): a stamp without a year is not after this. */
  constructor(private readonly latest: number) {}

  /** What STAMP has captured, to seconds since 1970, a fraction cut off; or null. */
  read(hour: string, minute: string, second: string, zone = ''): number | null {
    const key = hour + zone;
    let start = this.hours.get(key);
    if (start === undefined) {
      start = hour.includes('-') ? isoHour(hour, zone) : yearlessHour(hour, zone, this.latest);
      this.hours.set(key, start);
    }
    if (start === null) return null;
    const rest = Number(minute) * 60 + Number(second);
    if (hour.includes('-') || start + rest <= this.latest) return start + rest;
    // The hour had begun by then, this minute of it had not: a year ago.
    const lastYear = yearlessHour(hour, zone, start - 1);
    return lastYear === null ? null : lastYear + rest;
  }
}

/** `hour`: as in `Nov  4 05`. `latest`: seconds since 1970 that the result is not to exceed. */
function yearlessHour(hour: string, zone: string, latest: number): number | null {
  const [name = '', day, clock] = hour.split(/ +/);
  const month = MONTHS.indexOf(name);
  if (month < 0 || zone !== '') return null;
  const newest = new Date(latest * 1000).getFullYear();
  for (let year = newest; year > newest - YEARS_BACK; year--) {
    const start = startOfHour(year, month, Number(day), Number(clock), '');
    if (start !== null && start <= latest) return start;
  }
  return null;
}

/** `hour`: as in `2026-11-04T05`. `zone`: `Z`, `+01:00`, `+0100`, `+01`, or empty for local time. */
function isoHour(hour: string, zone: string): number | null {
  const [year = 0, month = 0, day = 0, clock = 0] = hour.split(/[-Tt ]/).map(Number);
  return startOfHour(year, month - 1, day, clock, zone);
}

function startOfHour(year: number, month: number, day: number, hour: number, zone: string): number | null {
  const utc = new Date(Date.UTC(year, month, day, hour));
  if (hour > 23 || utc.getUTCMonth() !== month || utc.getUTCDate() !== day) return null;
  if (zone === '') return new Date(year, month, day, hour).getTime() / 1000;
  const [, sign, hours, minutes] = /^([+-])(\d\d):?(\d\d)?$/.exec(zone) ?? [];
  const offset = Number(hours ?? 0) * 3600 + Number(minutes ?? 0) * 60;
  return utc.getTime() / 1000 - (sign === '-' ? -offset : offset);
}
