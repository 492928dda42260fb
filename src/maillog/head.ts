// Parses the header of a log line, all before the message: `Nov  4 05:47:54 mx1 postfix/smtpd[1234]: `.
//
// Clients choose parts of the message (user name, sender, HELO name) and could imitate a header there. So the header is
// matched from the first byte of the line only.
//
// Containers and log programs add a service name (`postfix-1  |`, docker compose logs), `[pod/NAME/CONTAINER]`
// (kubectl logs --prefix), a priority (`<22>`), a second time stamp (docker logs -t), `stdout F` (Kubernetes), or
// `[ID 197553 mail.info]` (Solaris, illumos). Host name and process ID are optional. RFC 5424 and Docker's JSON lines
// (`{"log":"...","time":"..."}`) are parsed, too.
import { STAMP, type StampReader } from './stamp';

export interface Head {
  /** Seconds since 1970. */
  readonly seconds: number;
  /** The program's name: `postfix/smtpd`, `dovecot`. */
  readonly tag: string;
  /** Decoded as Latin-1, one character per byte. */
  readonly message: string;
  /** How many equal lines this one stands for; 0 if the line is truncated. */
  readonly times: number;
}

const BEFORE = String.raw`^(?:[\w.-]+ *\| |\[pod/[\w./-]+\] )?(?:<\d{1,3}>)?`;
/** STAMP without its captures. */
export const INNER_STAMP = STAMP.replace(/\((?!\?)/g, '(?:');
/** A host name, an IPv6 address or a word like INFO. It cannot end in a colon, as a tag does. */
const HOST = String.raw`(?:[^\s:[\]]+|[\da-fA-F]*(?::[\da-fA-F.]*){2,7}) +`;
const SYSLOG = new RegExp(
  String.raw`${BEFORE}${STAMP} (?:std(?:out|err) F )?(?:${INNER_STAMP} )?(?:${HOST})?([^\s:[\]"]+)(?:\[\d+\])?: *(?:\[ID \d+ \w+\.\w+\] )?`,
);
/** `1 STAMP HOST PROGRAM PROCESS MESSAGE-ID [DATA] ` */
const RFC_5424 = new RegExp(
  String.raw`${BEFORE}1 ${STAMP} \S+ (\S+) \S+ \S+ (?:-|(?:\[(?:[^\]"]|"(?:[^"\\]|\\.)*")*\])+) (?:\xef\xbb\xbf)?`,
);

/** The header of a line (Latin-1), or null if its form is not known. */
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

/** The line inside one of Docker's JSON lines, with its time in front, as `docker logs -t` prints it. */
function dockerLine(json: string): string | null {
  try {
    const { log, time } = JSON.parse(Buffer.from(json, 'latin1').toString());
    const line = Buffer.from(String(log).replace(/\r?\n$/, '')).toString('latin1');
    return typeof time === 'string' ? `${time} ${line}` : line;
  } catch {
    return null;
  }
}

/** Decodes as UTF-8 a text that was decoded as Latin-1. */
export function utf8(text: string): string {
  return /[\x80-\xff]/.test(text) ? Buffer.from(text, 'latin1').toString() : text;
}
