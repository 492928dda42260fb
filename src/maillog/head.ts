// The head of a log line, up to the message: `Nov  4 05:47:54 mx1 postfix/smtpd[1234]: `.
//
// What a client chooses (user name, sender, HELO name) stands in messages, of Postfix and of every other program. So the head is matched from
// the first byte of the line on and nothing is ever searched for: a head further right in a line is somebody's text.
//
// A head may come with what containers and log programs put before it or into it: a name and a bar (`postfix-1  | `, docker compose logs), a
// priority (`<22>`), a time stamp of its own (docker logs -t), `stdout F` (Kubernetes), `[ID 197553 mail.info]` (Solaris, illumos). RFC 5424 and
// Docker's JSON lines (`{"log":"...","time":"..."}`) are read too. The host name and the process number may be missing.
import { STAMP, StampReader } from './stamp';

export interface Head {
  /** Seconds since 1970. */
  readonly seconds: number;
  /** The program's name: `postfix/smtpd`, `dovecot`. */
  readonly tag: string;
  /** Latin-1: a character a byte. */
  readonly message: string;
  /** How many alike lines this one stands for; 0 when its end is missing. */
  readonly times: number;
}

/** What a line is besides one that is looked for: another one, one that is damaged, one in a form that is not known. */
export type NotRead = 'other' | 'broken' | 'unknown';

/** A kind of line that is looked for. */
export interface LineKind<Found> {
  /** Only lines that hold one of these are looked at. */
  readonly marks: readonly string[];
  /** Whether a line whose head is not known could be meant. */
  isLike(line: string): boolean;
  read(head: Head): Found | NotRead;
}

const BEFORE = String.raw`^(?:[\w.-]+ *\| )?(?:<\d{1,3}>)?`;
/** A stamp of which nothing is captured. */
export const INNER_STAMP = STAMP.replace(/\((?!\?)/g, '(?:');
/** A name, or an IPv6 address. Without the colon of a tag, so that a tag cannot be taken for a host and its message for a tag. */
const HOST = String.raw`(?:[^\s:[\]]+|[\da-fA-F]*(?::[\da-fA-F.]*){2,7}) `;
const SYSLOG = new RegExp(
  String.raw`${BEFORE}${STAMP} (?:std(?:out|err) F )?(?:${INNER_STAMP} )?(?:${HOST})?([^\s:[\]"]+)(?:\[\d+\])?: *(?:\[ID \d+ \w+\.\w+\] )?`,
);
/** `1 STAMP HOST PROGRAM PROCESS MESSAGE-ID [DATA] ` */
const RFC_5424 = new RegExp(
  String.raw`${BEFORE}1 ${STAMP} \S+ (\S+) \S+ \S+ (?:-|(?:\[(?:[^\]"]|"(?:[^"\\]|\\.)*")*\])+) (?:\xef\xbb\xbf)?`,
);

export class HeadReader {
  private readonly stamp: StampReader;

  /** `latest`: as for StampReader. */
  constructor(latest: number) {
    this.stamp = new StampReader(latest);
  }

  /** The head of a line (Latin-1), or null when it has none that is known. */
  read(line: string): Head | null {
    if (line.startsWith('{')) {
      const inner = dockerLine(line);
      return inner === null || inner.startsWith('{') ? null : this.read(inner);
    }
    const found = SYSLOG.exec(line) ?? RFC_5424.exec(line);
    if (found === null) return null;
    const [all, hour = '', minute = '', second = '', zone, tag = ''] = found;
    const seconds = this.stamp.read(hour, minute, second, zone);
    return seconds === null ? null : { seconds, tag, ...unfold(line.slice(all.length)) };
  }
}

/** rsyslog's $RepeatedMsgReduction, on by default in Ubuntu, folds lines that are alike: `message repeated 3 times: [ ... ]`. */
function unfold(message: string): { message: string; times: number } {
  if (!message.startsWith('message repeated ')) return { message, times: 1 };
  const [, times, text, end] = /^message repeated (\d{1,6}) times: \[ (.*?)(\]?)$/.exec(message) ?? [];
  return text === undefined ? { message, times: 1 } : { message: text, times: end === '' ? 0 : Number(times) };
}

/** The line in one of Docker's JSON lines, behind its time as `docker logs -t` prints it. */
function dockerLine(json: string): string | null {
  try {
    const { log, time } = JSON.parse(Buffer.from(json, 'latin1').toString());
    const line = Buffer.from(String(log).replace(/\r?\n$/, '')).toString('latin1');
    return typeof time === 'string' ? `${time} ${line}` : line;
  } catch {
    return null;
  }
}

/** Text of a line (Latin-1) as the UTF-8 that it is. */
export function utf8(text: string): string {
  return /[\x80-\xff]/.test(text) ? Buffer.from(text, 'latin1').toString() : text;
}
