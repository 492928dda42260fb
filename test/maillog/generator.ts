// Makes mail logs with a known truth: who sent how often from where and when, among everything else that such a log holds, and among all that
// names users and must not count.
import type { Random } from './random';
import type { Style } from './styles';

/** One message that Postfix took from an authenticated user. */
export interface Sent {
  readonly user: string;
  readonly address: string;
  /** Since 1970. */
  readonly seconds: number;
}

export interface GeneratedLog {
  readonly text: string;
  readonly truth: readonly Sent[];
}

export interface Wanted {
  readonly style: Style;
  readonly messages: number;
  /** The log goes from here on, in seconds since 1970, and ends before `until`. */
  readonly from: number;
  readonly until: number;
  readonly users?: readonly string[];
}

/** SASL user names as people and attackers choose them. */
export const USERS = [
  'alice@example.com',
  'bob',
  "o'hara@example.com",
  'carol+news@example.org',
  'Dörte@exämple.org',
  '王芳@example.cn',
  'first last',
  'a, b and c@example.com',
  'x, sasl_sender=two words',
  'y, orig_client=nobody',
  'z, sasl_username=alice@example.com',
  'sasl_method=PLAIN',
  '%s{user}"; drop table access; --',
  '[203.0.113.99]',
  'mx1 postfix/smtpd: ABC123: client=unknown[203.0.113.99]',
];

/** Never to be found in what was learned. */
export const ATTACKER = '203.0.113.99';
const ATTACKER_V6 = '2001:db8:bad::99';

export function generateLog(random: Random, wanted: Wanted): GeneratedLog {
  const { style, messages, from, until, users = USERS } = wanted;
  const lines: string[] = [];
  const truth: Sent[] = [];
  for (let i = 0; i < messages; i++) {
    const seconds = Math.floor(from + ((until - from) * i) / messages);
    const user = random.pick(users);
    const address = addressOf(random, users.indexOf(user));
    const line = (program: string, message: string) =>
      lines.push(`${style.head(seconds, program, 100 + random.below(30_000))}${message}`);
    const client = clientText(random, address);
    const id = queueId(random);
    line('smtpd', `connect from ${client}`);
    line(
      'smtpd',
      `${id}: client=${client}, sasl_method=${random.pick(['PLAIN', 'LOGIN', 'login', 'SCRAM-SHA-256', 'XOAUTH2'])}, sasl_username=${user}${suffix(random)}`,
    );
    truth.push({ user, address, seconds });
    line('cleanup', `${id}: message-id=<${id}@example.com>`);
    line('qmgr', `${id}: from=<${user.replaceAll(' ', '')}>, size=${random.below(100_000)}, nrcpt=1 (queue active)`);
    line(
      'smtp',
      `${id}: to=<one@example.net>, relay=mx.example.net[198.51.100.25]:25, delay=0.8, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 4XyZ)`,
    );
    line('qmgr', `${id}: removed`);
    line('smtpd', `disconnect from ${client} ehlo=2 starttls=1 auth=1 mail=1 rcpt=1 data=1 quit=1 commands=8`);
    for (const [program, message] of [random.pick(decoys(random)), random.pick(decoys(random))]) {
      line(program, message);
    }
  }
  return { text: `${lines.join('\n')}\n`, truth };
}

/** A handful of addresses for each user, of both families, some of them side by side. */
function addressOf(random: Random, user: number): string {
  const n = random.below(4);
  return random.pick([
    `192.0.2.${user * 4 + n}`,
    `198.51.100.${user * 8 + n * 3}`,
    `10.${user}.${n}.1`,
    `2001:db8:${user.toString(16)}:${n}::${random.below(500).toString(16)}`,
    `::ffff:172.16.${user}.${n}`,
  ]);
}

function clientText(random: Random, address: string): string {
  const name = random.pick(['unknown', 'host-7.isp.example', 'localhost', 'a_b.example']);
  const port = random.pick(['', '', `:${1024 + random.below(60_000)}`]);
  return `${name}[${address}]${port}`;
}

export function queueId(random: Random): string {
  const chars = (count: number, alphabet: string) =>
    Array.from({ length: count }, () => alphabet[random.below(alphabet.length)]).join('');
  return random.pick([
    chars(5 + random.below(7), '0123456789ABCDEF'),
    chars(11 + random.below(6), '0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz'),
    'NOQUEUE',
  ]);
}

function suffix(random: Random): string {
  const id = `, orig_queue_id=${queueId(random)}`;
  return random.pick([
    '',
    '',
    '',
    ', sasl_sender=someone@example.com',
    id,
    `${id}, orig_client=unknown[${ATTACKER}]`,
    `, sasl_sender=x,orig_client=y${id}, orig_client=inner.example[${ATTACKER_V6}]:1234`,
  ]);
}

/** Lines that name a user, or look as if, and must not count: program and message. */
export function decoys(random: Random): [program: string, message: string][] {
  const attacker = random.pick([`unknown[${ATTACKER}]`, `bot.example[${ATTACKER_V6}]:4321`]);
  const victim = 'alice@example.com';
  const id = random.pick(['4BDF1C20E7', '3XhKq7Zc2WzBjP']);
  const forged = `${id}: client=unknown[${ATTACKER}], sasl_method=PLAIN, sasl_username=${victim}`;
  const head = `Nov  4 05:47:54 mx1 postfix/smtpd[4711]: ${forged}`;
  const envelope = `from=<${victim}> to=<one@example.net> proto=ESMTP helo=<${forged.replaceAll(' ', '')}>`;
  return [
    [
      'smtpd',
      `warning: ${attacker}: SASL LOGIN authentication failed: authentication failure, sasl_username=${victim}`,
    ],
    [
      'smtpd',
      `warning: ${attacker}: SASL PLAIN authentication failed: (reason unavailable), sasl_username=x, ${forged}`,
    ],
    ['smtpd', `warning: ${attacker}: SASL PLAIN authentication failed: , sasl_username=${head}`],
    [
      'smtpd',
      `${id}: milter-reject: END-OF-MESSAGE from ${attacker}: 5.7.1 Command rejected; ${envelope} sasl_username=<${victim}>`,
    ],
    ['smtpd', `proxy-reject: END-OF-MESSAGE: 554 5.7.1 rejected; ${envelope} sasl_username=<${victim}>`],
    [
      'smtpd',
      `NOQUEUE: reject: RCPT from ${attacker}: 554 5.7.1 <one@example.net>: Recipient address rejected: ${victim} may not send mail from ${ATTACKER}; ${envelope} sasl_method=PLAIN sasl_username=${victim}`,
    ],
    [
      'smtpd',
      `NOQUEUE: reject_warning: RCPT from ${attacker}: 554 5.7.1 x; ${envelope} sasl_method=PLAIN sasl_username=${victim}`,
    ],
    ['smtpd', `${id}: warn: RCPT from ${attacker}: x; ${envelope} sasl_method=LOGIN sasl_username=${victim}`],
    ['smtpd', `${id}: info: RCPT from ${attacker}: x, sasl_method=PLAIN, sasl_username=${victim}`],
    ['smtpd', `${id}: client=${attacker}`],
    ['smtpd', `${id}: client=${attacker}, sasl_sender=${victim}`],
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
