// The header of a log line, all before the message: `Nov  4 05:47:54 mx1 postfix/smtpd[1234]: `.
//
// Clients choose parts of the message (user name, sender, HELO name) and could imitate a header there. So the header is
// matched from the first byte of the line only.
//
// Containers and log programs add a service name (`postfix-1  |`, docker compose logs), `[pod/NAME/CONTAINER]`
// (kubectl logs --prefix), a priority (`<22>`), a second time stamp (docker logs -t), `stdout F` (Kubernetes), or
// `[ID 197553 mail.info]` (Solaris, illumos). Host name and process ID are optional. RFC 5424 has
// `1 STAMP HOST TAG PROCESS MESSAGE-ID [DATA] ` instead.
//
// DIAGNOSTICS: a date that does not exist gives no time, never a guess.
import { parseInstant } from '../rules/meaning';

/**
 * A pattern for a time stamp, `Nov  4 05:47:54` as syslog writes it or `2026-11-04T05:47:54.123+01:00` (RFC 3339 and
 * similar), with the groups `hour` (with the date), `minute`, `second` and perhaps `zone`.
 */
export const STAMP = String.raw`(?<hour>[A-Z][a-z]{2} (?: \d|\d\d?) \d\d|\d{4}-\d\d-\d\d[Tt ]\d\d):(?<minute>[0-5]\d):(?<second>[0-5]\d|60)(?:[.,]\d+)?(?<zone>[Zz]|[+-]\d\d(?::?\d\d)?)?`;

const BEFORE = String.raw`(?:[\w.-]+ *\| |\[pod/[\w./-]+\] )?(?:<\d{1,3}>)?(?:1 )?`;
/** STAMP without its captures. */
const ANY_STAMP = STAMP.replace(/\(\?<\w+>/g, '(?:');
/** A host name, an IPv6 address or a word like INFO. It cannot end in a colon, as a tag does; `+0100` is none. */
const HOST = String.raw`(?:(?![+-]\d)[^\s:[\]]+|[\da-fA-F]*(?::[\da-fA-F.]*){2,7}) +`;
const TAG = String.raw`[^\s:[\]"]+`;
const RFC_5424_DATA = String.raw`(?:-|(?:\[(?:[^\]"]|"(?:[^"\\]|\\.)*")*\])+) (?:\xef\xbb\xbf)?`;

/** The header of a line by a program. `tag`: a pattern for the program's name. `stamp`: ANY_STAMP, or STAMP. */
export function headerOf(tag: string, stamp = ANY_STAMP): string {
  const syslog = String.raw`(?:std(?:out|err) F )?(?:${ANY_STAMP} )?(?:${HOST})?(?:${tag})(?:\[\d+\])?: *(?:\[ID \d+ \w+\.\w+\] )?`;
  return String.raw`${BEFORE}${stamp} (?:${syslog}|${HOST}(?:${tag}) \S+ \S+ ${RFC_5424_DATA})`;
}

/** The header of a line by another program, unless that wraps a line by `tag` whose message begins with `beginning`. */
export function otherHeader(tag: string, beginning: string): string {
  const inner = String.raw`${BEFORE}(?:${ANY_STAMP} +(?:\S+ +){0,2})?(?:\S+ +)?(?:${tag})(?:\[\d+\])?: *`;
  return `${headerOf(`(?!(?:${tag})[[: ]|${beginning})${TAG}`)}(?! *(?:${inner}${beginning}|\\{))`;
}

/** rsyslog's $RepeatedMsgReduction, on by default in Ubuntu, folds equal lines: `message repeated 3 times: [ ... ]`. */
const REPEATED = new RegExp(String.raw`^(${headerOf(TAG)})message repeated (\d{1,6}) times: \[ (.*)\]\r?$`);

/** The line that a log program wrapped in another one, and how many equal lines it stands for; null if it wrapped none. */
export function unwrap(line: string): { text: string; count: number } | null {
  if (line.startsWith('{')) return { text: dockerLine(line), count: 1 };
  if (!line.includes('message repeated ')) return null;
  const [, head, count, message] = REPEATED.exec(line) ?? [];
  return head === undefined ? null : { text: `${head}${message}`, count: Number(count) };
}

/** The line in one of Docker's JSON lines, `{"log":"...","time":"..."}`, with its time as `docker logs -t` prints it. */
function dockerLine(json: string): string {
  try {
    const { log, time } = JSON.parse(utf8(json));
    if (typeof log !== 'string') return json;
    const line = Buffer.from(log.replace(/\r?\n$/, '')).toString('latin1');
    return typeof time === 'string' ? `${time} ${line}` : line;
  } catch {
    return json;
  }
}

/** Decodes as UTF-8 a text that was decoded as Latin-1. */
export function utf8(text: string): string {
  return /[\x80-\xff]/.test(text) ? Buffer.from(text, 'latin1').toString() : text;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/**
 * A function that turns the groups of STAMP into ms since 1970, or null. Without a zone the time is local. Without a
 * year, it is the latest hour that does not begin after `latest`.
 */
export function stampReader(latest: number): (groups: Partial<Record<string, string>>) => number | null {
  // Most lines have the hour of the line before.
  let known = { hour: '', zone: '', start: null as number | null };
  return ({ hour = '', minute, second, zone = '' }) => {
    if (hour !== known.hour || zone !== known.zone) {
      const start = hour.includes('-') ? startOfHour(hour, zone) : lastHour(hour, zone, latest);
      known = { hour, zone, start };
    }
    return known.start === null ? null : known.start + Number(minute) * 60_000 + Number(second) * 1000;
  };
}

/** The last start of an hour without a year (`Nov  4 05`). */
function lastHour(hour: string, zone: string, latest: number): number | null {
  const [name = '', day = '', clock] = hour.split(/ +/);
  const date = `${String(MONTHS.indexOf(name) + 1).padStart(2, '0')}-${day.padStart(2, '0')}T${clock}`;
  const year = new Date(latest).getFullYear();
  const starts = [year, year - 1].map((one) => startOfHour(`${one}-${date}`, zone));
  return starts.find((start) => start !== null && start <= latest) ?? null;
}

/** `hour`: as in `2026-11-04T05`. `zone`: empty for local time. */
function startOfHour(hour: string, zone: string): number | null {
  const instant = parseInstant(`${hour}:00${zone}`);
  return instant === null || zone !== '' ? instant : Date.parse(`${hour.slice(0, 10)}T${hour.slice(11)}:00`);
}
