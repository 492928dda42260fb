// Parses the time stamp at the start of a log line.
//
// Two forms: `Nov  4 05:47:54` as syslog writes it, and `2026-11-04T05:47:54.123+01:00` (RFC 3339 and similar). Without
// a zone the time is local. Without a year, it is the latest year that does not put the stamp in the future.
//
// DIAGNOSTICS: a date that does not exist gives null, never a guess.
import { parseInstant } from '../rules/expiry';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
/** Around 2100, two 29 Februaries are 8 years apart, as 2100 is not a leap year. */
const YEARS_BACK = 9;

/** A regular expression for a stamp. It captures the date with the hour, the minute, the second and the zone. */
export const STAMP = String.raw`([A-Z][a-z]{2} (?: \d|\d\d?) \d\d|\d{4}-\d\d-\d\d[Tt ]\d\d):([0-5]\d):([0-5]\d|60)(?:[.,]\d+)?([Zz]|[+-]\d\d(?::?\d\d)?)?`;

export class StampReader {
  /** Caches the start of each hour, since a log has few hours and many lines. */
  private readonly hours = new Map<string, number | null>();

  /** `latest`: seconds since 1970; no stamp without a year is later. */
  constructor(private readonly latest: number) {}

  /** The captures of STAMP as seconds since 1970, or null. A fraction of a second is cut off. */
  read(hour: string, minute: string, second: string, zone = ''): number | null {
    const key = hour + zone;
    let start = this.hours.get(key);
    if (start === undefined) {
      start = hour.includes('-') ? startOfHour(hour, zone) : lastHour(hour, zone, this.latest);
      this.hours.set(key, start);
    }
    if (start === null) return null;
    const past = Number(minute) * 60 + Number(second);
    if (hour.includes('-') || start + past <= this.latest) return start + past;
    // The hour began before `latest`, but the stamp is later: it belongs to an earlier year.
    const earlier = lastHour(hour, zone, start - 1);
    return earlier === null ? null : earlier + past;
  }
}

/** The last time not after `latest` that an hour without a year (`Nov  4 05`) began. */
function lastHour(hour: string, zone: string, latest: number): number | null {
  const [name = '', day = '', clock = ''] = hour.split(/ +/);
  const month = MONTHS.indexOf(name) + 1;
  const newest = new Date(latest * 1000).getFullYear();
  for (let year = newest; year > newest - YEARS_BACK; year--) {
    const start = startOfHour(`${year}-${String(month).padStart(2, '0')}-${day.padStart(2, '0')}T${clock}`, zone);
    if (start !== null && start <= latest) return start;
  }
  return null;
}

/** `hour`: as in `2026-11-04T05`. `zone`: empty for local time. */
function startOfHour(hour: string, zone: string): number | null {
  const instant = parseInstant(`${hour}:00${zone}`);
  if (instant === null || zone !== '') return instant && instant / 1000;
  return Date.parse(`${hour.slice(0, 10)}T${hour.slice(11)}:00`) / 1000;
}
