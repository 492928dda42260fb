// The time stamp at the head of a log line: bytes to seconds since 1970.
//
// Two forms: `Nov  4 05:47:54` as syslog writes it, local time, and `2026-11-04T05:47:54.123+01:00` (RFC 3339 and its relatives), local
// time when it names no zone. What is neither is no stamp: -1, never a guess. The hour is what costs: it is worked out once and kept for the
// lines that follow.
import { isoHour, yearlessHour } from './calendar';

/** The year 2106: what is kept of a time has 32 bits. */
const LAST = 2 ** 32;
const SPACE = 32;
const PLUS = 43;
const COMMA = 44;
const MINUS = 45;
const DOT = 46;
const COLON = 58;

export class StampReader {
  /** The stamp read last, in seconds since 1970, a fraction cut off. */
  seconds = 0;
  private readonly kept = Buffer.alloc(20);
  private keptLength = 0;
  private hourStart = 0;

  /** `latest` (seconds since 1970): a stamp without a year gets the last year in which it is not after this. */
  constructor(private readonly latest: number) {}

  /** Reads the stamp that begins at `at` into `seconds`. The offset behind it, or -1 when there is none. */
  read(bytes: Buffer, at: number, end: number): number {
    return isDigit(bytes[at]) ? this.readIso(bytes, at, end) : this.readSyslog(bytes, at, end);
  }

  private readSyslog(bytes: Buffer, at: number, end: number): number {
    // Some programs write a day below ten as one character.
    const clock = at + (bytes[at + 5] === SPACE ? 6 : 7);
    if (bytes[at + 3] !== SPACE || bytes[clock - 1] !== SPACE) return -1;
    const next = clockEnd(bytes, clock, end);
    if (next < 0) return -1;
    if (!this.isKept(bytes, at, clock + 2, next, next)) {
      const hour = bytes.toString('latin1', at, clock + 2);
      if (!this.keep(hour, yearlessHour(hour, this.latest))) return -1;
    }
    if (!this.addMinutes(bytes, clock)) return -1;
    if (this.seconds > this.latest) {
      // The hour had begun by then, this minute of it had not: a year ago.
      const lastYear = yearlessHour(bytes.toString('latin1', at, clock + 2), this.hourStart - 1);
      if (lastYear === null) return -1;
      this.seconds += lastYear - this.hourStart;
    }
    return next;
  }

  private readIso(bytes: Buffer, at: number, end: number): number {
    const clock = at + 11;
    if (bytes[at + 4] !== MINUS || bytes[at + 7] !== MINUS) return -1;
    const zone = clockEnd(bytes, clock, end);
    if (zone < 0) return -1;
    const next = zoneEnd(bytes, zone, end);
    if (!this.isKept(bytes, at, clock + 2, zone, next)) {
      const hour = bytes.toString('latin1', at, clock + 2);
      const zoneText = bytes.toString('latin1', zone, next);
      if (!this.keep(hour + zoneText, isoHour(hour, zoneText))) return -1;
    }
    return this.addMinutes(bytes, clock) && this.seconds >= 0 && this.seconds < LAST ? next : -1;
  }

  private isKept(bytes: Buffer, from: number, to: number, zone: number, zoneEnd: number): boolean {
    const length = to - from;
    if (length + zoneEnd - zone !== this.keptLength) return false;
    for (let i = 0; i < length; i++) if (this.kept[i] !== bytes[from + i]) return false;
    for (let i = zone; i < zoneEnd; i++) if (this.kept[length + i - zone] !== bytes[i]) return false;
    return true;
  }

  private keep(text: string, hourStart: number | null): boolean {
    this.keptLength = hourStart === null ? 0 : this.kept.write(text, 'latin1');
    this.hourStart = hourStart ?? 0;
    return hourStart !== null;
  }

  private addMinutes(bytes: Buffer, clock: number): boolean {
    const minutes = twoDigits(bytes, clock + 3);
    const seconds = twoDigits(bytes, clock + 6);
    this.seconds = this.hourStart + minutes * 60 + seconds;
    // 60 is a leap second.
    return minutes < 60 && seconds <= 60;
  }
}

/** Behind `HH:MM:SS` and a fraction, or -1. */
function clockEnd(bytes: Buffer, at: number, end: number): number {
  if (at + 8 > end || bytes[at + 2] !== COLON || bytes[at + 5] !== COLON) return -1;
  for (let i = at; i < at + 8; i += 3) if (!isDigit(bytes[i]) || !isDigit(bytes[i + 1])) return -1;
  let next = at + 8;
  if ((bytes[next] === DOT || bytes[next] === COMMA) && isDigit(bytes[next + 1])) {
    do next++;
    while (next < end && isDigit(bytes[next]));
  }
  return next;
}

/** Behind `Z`, `+01:00`, `+0100` or `+01`; `at` itself when no zone stands there. */
function zoneEnd(bytes: Buffer, at: number, end: number): number {
  if (bytes[at] === 90 || bytes[at] === 122) return at + 1;
  if ((bytes[at] !== PLUS && bytes[at] !== MINUS) || !isDigit(bytes[at + 1]) || !isDigit(bytes[at + 2]))
    return at;
  const minutes = bytes[at + 3] === COLON ? at + 4 : at + 3;
  return minutes + 2 <= end && isDigit(bytes[minutes]) && isDigit(bytes[minutes + 1]) ? minutes + 2 : at + 3;
}

function twoDigits(bytes: Buffer, at: number): number {
  return ((bytes[at] ?? 0) - 48) * 10 + (bytes[at + 1] ?? 0) - 48;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 48 && byte <= 57;
}
