// How mail logs look: time stamp, host, program tag. The styles that learn and replay must read alike.

export interface Style {
  readonly name: string;
  /** The head of a line up to the message. `seconds`: since 1970, the zone being UTC. */
  head(seconds: number, program: string, pid: number): string;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

const iso = (seconds: number) => new Date(seconds * 1000).toISOString();
const clock = (seconds: number) => iso(seconds).slice(11, 19);

export function syslogStamp(seconds: number): string {
  const date = new Date(seconds * 1000);
  return `${MONTHS[date.getUTCMonth()]} ${String(date.getUTCDate()).padStart(2)} ${clock(seconds)}`;
}

const zeroPadded = (seconds: number) => syslogStamp(seconds).replace(/^(\w+) {2}/, '$1 0');
const oneSpace = (seconds: number) => syslogStamp(seconds).replace(/^(\w+) {2}/, '$1 ');
const utc = (seconds: number) => `${iso(seconds).slice(0, 19)}Z`;
const offset = (sign: 1 | -1, minutes: number, colon: string) => (seconds: number) => {
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, '0'));
  return `${iso(seconds + sign * minutes * 60).slice(0, 19)}.123456${sign > 0 ? '+' : '-'}${hours}${colon}${rest}`;
};

const tagged =
  (stamp: (seconds: number) => string, host: string, prefix: string): Style['head'] =>
  (seconds, program, pid) =>
    `${stamp(seconds)} ${host}${prefix}${program}[${pid}]: `;

function style(name: string, stamp: (seconds: number) => string, host = 'mx1 ', prefix = 'postfix/'): Style {
  return { name, head: tagged(stamp, host, prefix) };
}

const local = (seconds: number) => iso(seconds).slice(0, 19).replace('T', ' ');

export const STYLES: readonly Style[] = [
  style('syslog', syslogStamp),
  style('syslog, day with a zero', zeroPadded),
  style('syslog, day of one character', oneSpace),
  style('syslog, submission service', syslogStamp, 'mx1 ', 'postfix/submission/'),
  style('syslog, another syslog_name', syslogStamp, 'mx1.example.com ', 'postfix-out/submissions/'),
  style('syslog, no host name', syslogStamp, ''),
  style('syslog with a fraction (journalctl -o short-precise)', (at) => `${syslogStamp(at)}.654321`),
  style('RFC 3339, Z', utc),
  style('RFC 3339, fraction and offset', offset(1, 0, ':')),
  style('RFC 3339, east of Greenwich', offset(1, 330, ':'), 'mx1 ', 'postfix/smtps/'),
  style('RFC 3339, west of Greenwich', offset(-1, 210, ':')),
  style('offset without a colon (journalctl -o short-iso)', offset(1, 60, '')),
  style('date and time with a space, local time', local),
  style('container, no syslog_name', zeroPadded, 'f00ba4 ', ''),
  style('docker logs -t', (at) => `${iso(at).replace('Z', '456789Z')} ${syslogStamp(at)}`, 'f00ba4 ', ''),
  style('Kubernetes', (at) => `${iso(at)} stdout F ${utc(at)}`, '', ''),
  style('container, no stamp of its own', iso, '', ''),
  style('docker compose logs', (at) => `postfix-1  | ${syslogStamp(at)}`, 'f00ba4 '),
  style('syslog with a priority', (at) => `<22>${syslogStamp(at)}`),
  {
    name: 'RFC 5424',
    head: (at, program, pid) => `<22>1 ${utc(at)} mx1 postfix/${program} ${pid} - - `,
  },
  {
    name: 'Solaris',
    head: (at, program, pid) => `${syslogStamp(at)} mx1 postfix/${program}[${pid}]: [ID 197553 mail.info] `,
  },
  {
    name: 'no process number, no blank',
    head: (at, program) => `${syslogStamp(at)} mx1 postfix/${program}:`,
  },
];
