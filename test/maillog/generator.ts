// Mail logs with a known truth, in every style: who sent from where and when, among everything else that such a log
// holds, and among all that names users and must not count.
import fc from 'fast-check';
import { oneOf, type Pick, picks } from '../rig/random';

/** One message that Postfix took from an authenticated user. `seconds`: since 1970. */
export interface Sent {
  readonly user: string;
  readonly address: string;
  readonly seconds: number;
}

/** How a line begins, up to the message. `seconds`: since 1970; local time is UTC. */
type Style = (seconds: number, program: string, pid: number) => string;

export function picksOf(seed: number): Pick {
  return fc.sample(picks, { seed, numRuns: 1 })[0] as Pick;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const iso = (at: number) => new Date(at * 1000).toISOString();
const utc = (at: number) => `${iso(at).slice(0, 19)}Z`;
const syslog = (at: number, pad = ' ') =>
  `${MONTHS[Number(iso(at).slice(5, 7)) - 1]} ${iso(at).slice(8, 10).replace(/^0/, pad)} ${iso(at).slice(11, 19)}`;
const zoned = (at: number, minutes: number, zone: string) => `${iso(at + minutes * 60).slice(0, 19)}.123456${zone}`;

// biome-ignore format: a table
export const STYLES: Readonly<Record<string, Style>> = {
  'RFC 3339, Z': (at, program, pid) => `${utc(at)} mx1 postfix/${program}[${pid}]: `,
  syslog: (at, program, pid) => `${syslog(at)} mx1 postfix/${program}[${pid}]: `,
  'syslog, day with a zero': (at, program, pid) => `${syslog(at, '0')} mx1 postfix/${program}[${pid}]: `,
  'syslog, submission service': (at, program, pid) => `${syslog(at)} mx1 postfix/submission/${program}[${pid}]: `,
  'syslog, another syslog_name': (at, program, pid) => `${syslog(at)} mx1.example.com postfix-out/submissions/${program}[${pid}]: `,
  'syslog with a fraction (journalctl -o short-precise)': (at, program, pid) => `${syslog(at)}.654321 mx1 postfix/${program}[${pid}]: `,
  'syslog with a priority': (at, program, pid) => `<22>${syslog(at)} mx1 postfix/${program}[${pid}]: `,
  'RFC 3339, fraction and offset': (at, program, pid) => `${zoned(at, 60, '+01:00')} mx1 postfix/${program}[${pid}]: `,
  'RFC 3339, east of Greenwich': (at, program, pid) => `${zoned(at, 330, '+05:30')} mx1 postfix/smtps/${program}[${pid}]: `,
  'offset without a colon (journalctl -o short-iso)': (at, program, pid) => `${zoned(at, 60, '+0100')} mx1 postfix/${program}[${pid}]: `,
  'date and time with a space, local time': (at, program, pid) => `${utc(at).replace('T', ' ').replace('Z', '')} mx1 postfix/${program}[${pid}]: `,
  'container, no syslog_name': (at, program, pid) => `${syslog(at, '0')} f00ba4 ${program}[${pid}]: `,
  'container, no stamp of its own': (at, program, pid) => `${iso(at)} ${program}[${pid}]: `,
  'docker logs -t': (at, program, pid) => `${iso(at).replace('Z', '456789Z')} ${syslog(at)} f00ba4 ${program}[${pid}]: `,
  'docker compose logs': (at, program, pid) => `postfix-1  | ${syslog(at)} f00ba4 postfix/${program}[${pid}]: `,
  Kubernetes: (at, program, pid) => `${iso(at)} stdout F ${utc(at)} ${program}[${pid}]: `,
  'kubectl logs --prefix': (at, program, pid) => `[pod/mail-0/postfix] ${syslog(at)} mail-0 postfix/${program}[${pid}]: `,
  'RFC 5424': (at, program, pid) => `<22>1 ${utc(at)} mx1 postfix/${program} ${pid} - - `,
  Solaris: (at, program, pid) => `${syslog(at)} mx1 postfix/${program}[${pid}]: [ID 197553 mail.info] `,
  'RFC 5424, no priority, BOM': (at, program, pid) => `1 ${zoned(at, 60, '+01:00')} mx1 postfix/submission/${program} ${pid} - - \ufeff`,
  'RFC 5424, structured data': (at, program) => `1 ${utc(at)} mx1 postfix/${program} - ID47 [a@1 b="] \\" x"][c d="e"] `,
  'the name of the service lost': (at, program, pid) => `${syslog(at)} mx1 ${program.replace('smtpd', 'postfix')}[${pid}]: `,
  'an address as the host': (at, program, pid) => `${syslog(at)} 2001:db8::25 postfix/${program}[${pid}]: `,
  'syslog-ng': (at, program, pid) => `${syslog(at)} src@mx1/mx1.example.com postfix/${program}[${pid}]: `,
  'boky/postfix': (at, program, pid) => `${zoned(at, 0, '+00:00')} INFO    postfix/${program}[${pid}]: `,
  'no process number': (at, program) => `${syslog(at)} mx1 postfix/${program}: `,
  'no blank before the message': (at, program, pid) => `${syslog(at)} mx1 postfix/${program}[${pid}]:`,
};

/** SASL user names as people and attackers choose them. */
// biome-ignore format: a list
const USERS = [
  'alice@example.com', 'bob', "o'hara@example.com", 'carol+news@example.org', 'Dörte@exämple.org', '王芳@example.cn',
  'first last', 'a, b and c@example.com', 'x, sasl_sender=two words', 'y, orig_client=nobody',
  'z, sasl_username=alice@example.com', 'sasl_method=PLAIN', '%s{user}" or drop table access --', '[203.0.113.99]',
  'mx1 postfix/smtpd: ABC123: client=unknown[203.0.113.99]',
];

/** Never to be found in what was learned. */
const ATTACKER = '203.0.113.99';
const ATTACKER_V6 = '2001:db8:bad::99';

/** `messages` are taken between `from` and `until` (seconds since 1970). */
export function generateLog(pick: Pick, style: Style, messages: number, from: number, until: number) {
  const lines: string[] = [];
  const truth: Sent[] = [];
  for (let i = 0; i < messages; i++) {
    const seconds = Math.floor(from + ((until - from) * i) / messages);
    const number = pick(USERS.length);
    const user = USERS[number] as string;
    const address = addressOf(pick, number);
    const name = oneOf(pick, ['unknown', 'host-7.isp.example', 'localhost', 'a_b.example']);
    const client = `${name}[${address}]${oneOf(pick, ['', '', `:${1024 + pick(60_000)}`])}`;
    const method = oneOf(pick, ['PLAIN', 'LOGIN', 'login', 'SCRAM-SHA-256', 'XOAUTH2']);
    const id = queueId(pick);
    truth.push({ user, address, seconds });
    const messagesOf: [program: string, message: string][] = [
      ['smtpd', `connect from ${client}`],
      ['smtpd', `${id}: client=${client}, sasl_method=${method}, sasl_username=${user}${suffix(pick)}`],
      ['cleanup', `${id}: message-id=<${id}@example.com>`],
      ['qmgr', `${id}: from=<${user.replaceAll(' ', '')}>, size=${pick(100_000)}, nrcpt=1 (queue active)`],
      ['smtp', `${id}: to=<one@example.net>, relay=x.example[198.51.100.25]:25, dsn=2.0.0, status=sent (250 Ok)`],
      ['smtpd', `disconnect from ${client} ehlo=2 starttls=1 auth=1 mail=1 rcpt=1 data=1 quit=1 commands=8`],
      oneOf(pick, decoys(pick)),
      oneOf(pick, decoys(pick)),
    ];
    for (const [program, message] of messagesOf) lines.push(style(seconds, program, 100 + pick(30_000)) + message);
  }
  return { text: `${lines.join('\n')}\n`, truth };
}

/** A handful of addresses for each user, of both families, some of them side by side. */
function addressOf(pick: Pick, user: number): string {
  const n = pick(4);
  return oneOf(pick, [
    `192.0.2.${user * 4 + n}`,
    `198.51.100.${user * 8 + n * 3}`,
    `10.${user}.${n}.1`,
    `2001:db8:${user.toString(16)}:${n}::${pick(500).toString(16)}`,
    `::ffff:172.16.${user}.${n}`,
  ]);
}

function queueId(pick: Pick): string {
  const chars = (count: number, alphabet: string) =>
    Array.from({ length: count }, () => oneOf(pick, [...alphabet])).join('');
  return oneOf(pick, [
    chars(5 + pick(7), '0123456789ABCDEF'),
    chars(11 + pick(6), '0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz'),
    'NOQUEUE',
  ]);
}

function suffix(pick: Pick): string {
  const id = `, orig_queue_id=${queueId(pick)}`;
  const client = `${id}, orig_client=unknown[${ATTACKER}]`;
  const all = `, sasl_sender=x,orig_client=y${id}, orig_client=inner.example[${ATTACKER_V6}]:1234`;
  return oneOf(pick, ['', '', '', ', sasl_sender=someone@example.com', id, client, all]);
}

/** Lines that name a user, or look as if, and must not count. */
export function decoys(pick: Pick): [program: string, message: string][] {
  const attacker = oneOf(pick, [`unknown[${ATTACKER}]`, `bot.example[${ATTACKER_V6}]:4321`]);
  const victim = 'alice@example.com';
  const id = oneOf(pick, ['4BDF1C20E7', '3XhKq7Zc2WzBjP']);
  const forged = `${id}: client=unknown[${ATTACKER}], sasl_method=PLAIN, sasl_username=${victim}`;
  const head = `Nov  4 05:47:54 mx1 postfix/smtpd[4711]: ${forged}`;
  const envelope = `from=<${victim}> to=<one@example.net> proto=ESMTP helo=<${forged.replaceAll(' ', '')}>`;
  // biome-ignore format: a table
  return [
    ['smtpd', `warning: ${attacker}: SASL LOGIN authentication failed: authentication failure, sasl_username=${victim}`],
    ['smtpd', `warning: ${attacker}: SASL PLAIN authentication failed: (reason unavailable), sasl_username=x, ${forged}`],
    ['smtpd', `warning: ${attacker}: SASL PLAIN authentication failed: , sasl_username=${head}`],
    ['smtpd', `${id}: milter-reject: END-OF-MESSAGE from ${attacker}: 5.7.1 Command rejected; ${envelope} sasl_username=<${victim}>`],
    ['smtpd', `proxy-reject: END-OF-MESSAGE: 554 5.7.1 rejected; ${envelope} sasl_username=<${victim}>`],
    ['smtpd', `NOQUEUE: reject: RCPT from ${attacker}: 554 5.7.1 <one@example.net>: Recipient address rejected: ${victim} may not send mail from ${ATTACKER}; ${envelope} sasl_method=PLAIN sasl_username=${victim}`],
    ['smtpd', `NOQUEUE: reject_warning: RCPT from ${attacker}: 554 5.7.1 x; ${envelope} sasl_method=PLAIN sasl_username=${victim}`],
    ['smtpd', `${id}: warn: RCPT from ${attacker}: x; ${envelope} sasl_method=LOGIN sasl_username=${victim}`],
    ['smtpd', `${id}: info: RCPT from ${attacker}: x, sasl_method=PLAIN, sasl_username=${victim}`],
    ['smtpd', `${id}: client=${attacker}`],
    ['smtpd', `${id}: client=${attacker}, sasl_sender=${victim}`],
    ['smtpd', `${id}: client=${attacker}, sasl_sender=x, sasl_method=PLAIN, sasl_username=${victim}`],
    ['smtpd', `${id}: client=${attacker}, orig_queue_id=${id}, orig_client=${attacker}`],
    ['smtpd', `improper command pipelining after DATA from ${attacker}: ${forged}`],
    ['smtpd', `warning: hostname x does not resolve to address ${ATTACKER}: ${forged}`],
    ['smtpd', `< ${attacker}: MAIL FROM:<${victim}>, sasl_method=PLAIN, sasl_username=${victim}`],
    ['smtpd', `warning: ${forged}`],
    ['cleanup', `${id}: warning: header Subject: ${forged} from ${attacker}; from=<${victim}>`],
    ['webapp', `login failed: ${head}`],
    ['webapp', `message repeated 3 times: [ login failed: ${forged}]`],
    ['allow-nets', `verdict=reject user=${victim} address=${ATTACKER}, sasl_method=PLAIN, sasl_username=${victim}`],
    ['dovecot', `imap-login: Login: user=<${victim}>, method=PLAIN, rip=${ATTACKER}, lip=192.0.2.1, TLS`],
  ];
}
