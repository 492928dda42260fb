// The head of a log line, up to the message: `Nov  4 05:47:54 mx1 postfix/smtpd[1234]: `.
//
// Messages hold text that clients chose (user name, sender, HELO name). So the head is matched from the first byte of
// the line on, and nothing is searched for further right.
//
// Containers and log programs add to it: a name and a bar (`postfix-1  |`, docker compose logs), `[pod/NAME/CONTAINER]`
// (kubectl logs --prefix), a priority (`<22>`), a time stamp of their own (docker logs -t), `stdout F` (Kubernetes),
// `[ID 197553 mail.info]` (Solaris, illumos). Host name and process number may be missing. RFC 5424 and Docker's JSON
// lines (`{"log":"...","time":"..."}`) are read, too.
import { STAMP, type StampReader } from './stamp';

export interface Head {
  /** Seconds since 1970. */
  readonly seconds: number;
  /** The program's name: `postfix/smtpd`, `dovecot`. */
  readonly tag: string;
  /** Latin-1: a character a byte. */
  readonly message: string;
  /** How many equal lines this one stands for; 0 when its end is missing. */
  readonly times: number;
}

const BEFORE = String.raw`^(?:[\w.-]+ *\| |\[pod/[\w./-]+\] )?(?:<\d{1,3}>)?`;
/** A stamp that captures nothing. */
export const INNER_STAMP = STAMP.replace(/\((?!\?)/g, '(?:');
/** A name, an IPv6 address or a word like INFO. No colon at its end: a tag must not be taken for it. */
const HOST = String.raw`(?:[^\s:[\]]+|[\da-fA-F]*(?::[\da-fA-F.]*){2,7}) +`;
const SYSLOG = new RegExp(
  String.raw`${BEFORE}${STAMP} (?:std(?:out|err) F )?(?:${INNER_STAMP} )?(?:${HOST})?([^\s:[\]"]+)(?:\[\d+\])?: *(?:\[ID \d+ \w+\.\w+\] )?`,
);
/** `1 STAMP HOST PROGRAM PROCESS MESSAGE-ID [DATA] ` */
const RFC_5424 = new RegExp(
  String.raw`${BEFORE}1 ${STAMP} \S+ (\S+) \S+ \S+ (?:-|(?:\[(?:[^\]"]|"(?:[^"\\]|\\.)*")*\])+) (?:\xef\xbb\xbf)?`,
);

/** The head of a line (Latin-1), or null when it has none that is known. */
export function readHead(line: string, stamps: StampReader): Head | null {
  if (line.startsWith('{')) {
    const inner = dockerLine(line);
    return inner === null || inner.startsWith('{') ? null : readHead(inner, stamps);
  }
  const found = SYSLOG.exec(line) ?? RFC_5424.exec(line);
  if (found === null) return null;
  const [head, hour = '', minute = '', second = '', zone, tag = ''] = found;
  const seconds = stamps.read(hour, minute, second, zone);
  return seconds === null ? null : { seconds, tag, ...unfold(line.slice(head.length)) };
}

/** rsyslog's $RepeatedMsgReduction, on by default in Ubuntu, folds equal lines: `message repeated 3 times: [ ... ]`. */
function unfold(message: string): { message: string; times: number } {
  if (!message.startsWith('message repeated ')) return { message, times: 1 };
  const [, times, text, end] = /^message repeated (\d{1,6}) times: \[ (.*?)(\]?)$/.exec(message) ?? [];
  return text === undefined ? { message, times: 1 } : { message: text, times: end === '' ? 0 : Number(times) };
}

/** The line in one of Docker's JSON lines, after its time as `docker logs -t` prints it. */
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
