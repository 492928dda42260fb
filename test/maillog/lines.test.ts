// Which lines of a mail log count, and what they say: a line a row. Each line counts, is of another kind, or is reported.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { DOVECOT_LINES, type LineKind, POSTFIX_LINES, REFUSAL_LINES } from '../../src/maillog/line-kinds';
import { decoys, generateLog, picksOf, STYLES } from './generator';
import { readText } from './read-text';

const HEAD = 'Nov  4 05:47:54 mx1 postfix/smtpd[4711]: ';
const CLIENT = 'client=unknown[192.0.2.7], sasl_method=PLAIN, sasl_username=';
const DELIVERY = `4BDF1: ${CLIENT}alice`;
const STAMP = 'Nov  4 05:47:54';

/** What became of lines: `user address` of those that count, then the number of those not understood. */
async function outcome(text: string, kind?: LineKind): Promise<string[]> {
  const { found, unread } = await readText(text, undefined, kind);
  const lines = found.map(({ user, address, count }) => `${user} ${address}${count === 1 ? '' : ` ${count}`}`);
  return unread === 0 ? lines : [...lines, `${unread} not understood`];
}

/** One test for each line. `wanted`: the outcome of all of them. */
function each(name: string, lines: readonly string[], wanted: readonly string[], kind = POSTFIX_LINES): void {
  describe(name, () => {
    for (const line of lines) {
      test(JSON.stringify(line), async () => assert.deepEqual(await outcome(`${line}\n`, kind), wanted));
    }
  });
}

describe('a message from a user that Postfix accepted', () => {
  // biome-ignore format: a table
  const rows: readonly [message: string, user: string, address?: string][] = [
    [`4BDF1C20E7: ${CLIENT}alice@example.com`, 'alice@example.com'],
    [`3XhKq7Zc2WzBjP: ${CLIENT}alice@example.com`, 'alice@example.com'],
    [`NOQUEUE: ${CLIENT}alice`, 'alice'],
    ['4BDF1: client=a.example[192.0.2.7]:51234, sasl_method=LOGIN, sasl_username=bob', 'bob'],
    ['4BDF1: client=a.example[2001:db8::7], sasl_method=CRAM-MD5, sasl_username=bob', 'bob', '2001:db8::7'],
    ['4BDF1: client=unknown[unknown], sasl_method=CRAM-MD5, sasl_username=bob', 'bob', 'unknown'],
    [`4BDF1: ${CLIENT}alice, sasl_sender=bob@example.com`, 'alice'],
    [`4BDF1: ${CLIENT}alice, orig_queue_id=4BDF2`, 'alice'],
    [`4BDF1: ${CLIENT}alice, orig_queue_id=4BDF2, orig_client=x.example[203.0.113.9]`, 'alice'],
    [`4BDF1: ${CLIENT}alice, sasl_sender=b, orig_queue_id=4BDF2, orig_client=x[2001:db8::1]:99`, 'alice'],
    [`4BDF1: ${CLIENT}alice, sasl_sender=x, sasl_sender=y`, 'alice, sasl_sender=x'],
    [`4BDF1: ${CLIENT}alice, orig_client=x`, 'alice, orig_client=x'],
    [`4BDF1: ${CLIENT}first last`, 'first last'],
    [`4BDF1: ${CLIENT}one, two, and three`, 'one, two, and three'],
    [`4BDF1: ${CLIENT}*`, '*'],
    [`4BDF1: ${CLIENT}Dörte@exämple.org`, 'Dörte@exämple.org'],
    [`4BDF1: ${CLIENT}alice\r`, 'alice'],
    [`message repeated 12 times: [ NOQUEUE: ${CLIENT}alice]`, 'alice', '192.0.2.7 12'],
  ];
  for (const [message, user, address = '192.0.2.7'] of rows) {
    test(message, async () => assert.deepEqual(await outcome(`${HEAD}${message}\n`), [`${user} ${address}`]));
  }

  test('the last line of a file, without a line break', async () => {
    assert.deepEqual(await outcome(`${HEAD}${DELIVERY}\n${HEAD}${DELIVERY}`), Array(2).fill('alice 192.0.2.7'));
  });
});

// biome-ignore format: a list
each('a service that is named by its address', ['127.0.0.1:587', '[2001:db8::25]:587', '::1:submission', '587'].map(
  (name) => `${STAMP} mx1 postfix/${name}/smtpd[4711]: ${DELIVERY}`), ['alice 192.0.2.7']);

// biome-ignore format: a list
each('a damaged line', [
  'client=unknown[192.0.2.7], sasl_method=, sasl_username=alice', 'client=unknown[192.0.2.7], sasl_method=PLAIN sasl_username=alice',
  'client=[192.0.2.7], sasl_method=PLAIN, sasl_username=alice', 'client=unknown[192.0.2.7, sasl_method=PLAIN, sasl_username=alice',
  'client=unknown[192.0.2.7]x, sasl_method=PLAIN, sasl_username=alice', 'client=unknown[192.0.2.7]:, sasl_method=PLAIN, sasl_username=alice',
  'client=two words[192.0.2.7], sasl_method=PLAIN, sasl_username=alice',
  CLIENT, `${CLIENT}al\x07ice`, `${CLIENT}al\0ice`,
  `${CLIENT}alNov  4 05:48:00 mx1 postfix/smtpd[4712]: 4BDF2: ${CLIENT}bob`,
  `${CLIENT}al, Nov  4 05:48:00 mx1 postfix/smtpd[4712]: 4BDF2: ${CLIENT}bob`,
  'client=unknown[192.0.2.7], sasl_method=PLAIN, sasl_us', CLIENT.replace('client', 'clXent'),
  `client=unknown[192.0.2.7], sasl_method=PLAIN, sasl_us${STAMP} mx1 postfix/qmgr[1]: 4BDF2: removed`,
].map((rest) => `${HEAD}4BDF1: ${rest}`).concat(`${HEAD}message repeated 12 times: [ ${DELIVERY}`), ['1 not understood']);

// biome-ignore format: a list
each('text of another program that looks like a delivery', [
  `${STAMP} mx1 postfix/smtpd[4711]: warning: `,
  `${STAMP} mx1 webapp[1]: login failed: postfix/smtpd[4711]: `,
  `${STAMP} mx1 amavis[1]: (1) Passed CLEAN, Subject: "${STAMP} mx1 postfix/smtpd[4711]: `,
  `${STAMP} mx1 postfix/cleanup[1]: 4BDF1: warning: header Subject: ${STAMP} mx1 postfix/smtpd[4711]: `,
  '1 2026-11-04T05:47:54Z mx1 webapp 77 - - x postfix/smtpd 77 - - ',
].map((head) => `${head}${DELIVERY}`), []);

const SMTPD = 'mx1 postfix/smtpd[4711]: ';

// The program may be smtpd under another name, or pass lines of smtpd on.
// biome-ignore format: a list
each('a header in a form that is not known', [
  ...['mx1 webapp[1]: ', 'webapp: ', 'webapp[1] ', 'mx1 ', '<mail.info> ', 'relay mail.info ',
    `mx1 f00ba4c0ffee[812]: ${STAMP} `, `mx1 docker[1]: {"log":"${STAMP} `, `relay ${STAMP} `,
    'mx1 f00ba4c0ffee[812]: 2026-11-04T05:47:54.123+00:00 INFO    ', 'mx1 conmon[812]: <22>1 2026-11-04T05:47:54Z ',
  ].map((text) => `${STAMP} ${text}${SMTPD}`),
  ...['postfix/smtp[4711]: ', 'postfix/smtpd[4711]: [x] ', 'postfix/smtpd[]: ', 'postfix/smtpd[4711] ', 'xsmtpd[4711]: '].map((tag) => `${STAMP} mx1 ${tag}`),
  ...['Dez  4 05:47:54', 'nov. 04 05:47:54', '11月 04 05:47:54', 'Wed 2026-11-04 05:47:54 UTC', '1793771274.123456', '[  123.456789]', `x ${STAMP}`,
    ` ${STAMP}`, `\x1b[36mpostfix-1  |\x1b[0m ${STAMP}`, `mail-0 postfix ${STAMP}`, '2026-11-04 05:47:54 +0100', `\ufeff${STAMP}`,
    'Wed Nov  4 05:47:54 2026 mail.info', '2026-11-04T05:47:54.123456789Z stdout P'].map((stamp) => `${stamp} ${SMTPD}`),
  '2026-11-04 05:47:54.123456+0100  localhost smtpd[123]: (libsystem) ',
  '{"time":"2026-11-04T05:47:54Z","level":"info","process":"smtpd","msg":"', '[{"time":"1790933738","program":"postfix/smtpd","message":"',
  SMTPD, 'postfix/smtpd[4711]: ', '', '2026-11-04T05:47:54Z ', `${STAMP} mx1 `,
].map((head) => `${head}${DELIVERY}`), ['1 not understood']);

// biome-ignore format: a list
each('a whole JSON object in a form that is not known', [
  JSON.stringify({ MESSAGE: DELIVERY, SYSLOG_IDENTIFIER: 'postfix/smtpd', _HOSTNAME: 'mx1' }),
  JSON.stringify({ log: { message: `${HEAD}${DELIVERY}` } }),
  JSON.stringify({ log: `${DELIVERY}\n`, time: '2026-11-04T05:47:54.123456789Z' }),
], ['1 not understood']);

const FAILED = 'warning: x[192.0.2.7]: SASL LOGIN authentication failed: x, sasl_username=alice';
each('a failed login under a header that is not known', [`Dez  4 05:47:54 ${SMTPD}${FAILED}`], []);

test("Docker's JSON lines", async () => {
  const json = (line: string, more = {}) => JSON.stringify({ log: `${line}\n`, stream: 'stdout', ...more });
  const head = `${STAMP} mx1 postfix/smtpd[7]: `;
  const time = '2025-12-04T05:47:54.123456789Z';
  const lines = [
    json(`${head}4BDF1: ${CLIENT}Dörte@exämple.org`, { time }),
    json(`2025-12-04T05:47:54Z postfix/smtpd[7]: ${DELIVERY}`),
    json(`${STAMP} mx1 webapp[7]: ${head}x`, { time }),
    json(`{"log":"${head}${DELIVERY}"}`, { time }),
    `{"log":${json(`${head}${DELIVERY}`)}`,
  ];
  const { found, unread } = await readText(`${lines.join('\n')}\n`);
  const seen = found.map(({ user, time }) => [user, new Date(time).toISOString()]);
  const moment = '2025-12-04T05:47:54.000Z';
  assert.deepEqual([seen.join(' '), unread], [`Dörte@exämple.org,${moment} alice,${moment}`, 2]);
});

const ALICE = 'user=<alice@example.com>, method=PLAIN, rip=';

// biome-ignore format: a list
each('a login at Dovecot', [
  `mx1 dovecot: imap-login: Login: ${ALICE}192.0.2.7, lip=192.0.2.1, mpid=1, TLS, session=<abc>`,
  `mx1 dovecot[77]: imap-login: Login: ${ALICE}192.0.2.7, lip=192.0.2.1`,
  `mx1 dovecot: pop3-login: Logged in: ${ALICE}192.0.2.7`,
  'mx1 dovecot: submission-login: Login: user=<alice@example.com>, method=, rip=192.0.2.7, lip=192.0.2.1',
  `imap-login: Info: Logged in: ${ALICE}192.0.2.7, lip=192.0.2.1`,
].map((line) => `${STAMP} ${line}`).concat(
  // As Docker writes it.
  `{"log":"${STAMP} mx1 dovecot: imap-login: Login: ${ALICE}192.0.2.7, lip=192.0.2.1\\n"}`.replace('<', '\\u003c').replace('>', '\\u003e'),
), ['alice@example.com 192.0.2.7'], DOVECOT_LINES);

// biome-ignore format: a list
each('no login at Dovecot', [
  `dovecot: imap-login: Aborted login (auth failed, 1 attempts in 2 secs): ${ALICE}203.0.113.99`,
  `dovecot: imap-login: Login aborted: Connection closed (auth failed): ${ALICE}203.0.113.99`,
  `dovecot: imap-login: Disconnected: Login: ${ALICE}203.0.113.99`,
  `dovecot: imap-login: Disconnected (auth failed): user=<x>, : Login: ${ALICE}203.0.113.99`,
  'dovecot: imap-login: Login: user=<>, method=PLAIN, rip=203.0.113.99, lip=192.0.2.1',
  `dovecot: imap(alice@example.com): Login: ${ALICE}203.0.113.99`,
  `webapp: login failed: imap-login: Login: ${ALICE}203.0.113.99`,
  `postfix/smtpd[7]: warning: x: Login: ${ALICE}203.0.113.99`,
].map((line) => `${STAMP} mx1 ${line}`), [], DOVECOT_LINES);

// biome-ignore format: a list
each('a login at Dovecot in a form that is not known', [
  `${STAMP} mx1 dovecot: imap-login: Login: user=<a>, ip=1`,
  `Dez  4 05:47:54 mx1 dovecot: imap-login: Login: ${ALICE}192.0.2.7`,
  `${STAMP} mx1 f00ba4c0ffee[812]: dovecot: imap-login: Login: ${ALICE}192.0.2.7`,
], ['1 not understood'], DOVECOT_LINES);

const refusal = (user: string, more = 'subject= entry= reason=no-entry') =>
  `verdict=reject user=${user} address=::1 ${more}`;
const GOOD = refusal('alice', 'reason=no-entry helo_name="x\\" user=mallory" request.user=mallory');
const OWN = 'mx1 postfix/allow-nets[7]: ';

// biome-ignore format: a list
each('a refusal by the policy program', [
  ...['mx1 postfix/allow-nets: ', 'mx1 postfix-out/allow-nets[7]: ', 'allow-nets[7]: ', 'mx1 allow-nets: '].map((tag) => `${STAMP} ${tag}${GOOD}`),
  `${STAMP} ${OWN}${GOOD} user=mallory`, `${STAMP} ${OWN}${refusal('"\\u0061lice"')}`, `postfix-1  | <22>${STAMP} ${OWN}${GOOD}`,
], ['alice ::1'], REFUSAL_LINES);

// biome-ignore format: a list
each('no refusal by the policy program', [
  ...['mx1 postfix/smtpd[7]: ', 'mx1 webapp[7]: no user: postfix/allow-nets[7]: ', 'mx1 xallow-nets[7]: ', `${OWN}warning: `, `${OWN} x `].map((head) => `${head}${refusal('mallory')}`),
  `mx1 postfix/smtpd[7]: NOQUEUE: reject: RCPT from x[::1]: 554 x; helo=<${STAMP} ${OWN}${refusal('mallory')}>`,
  `${OWN}verdict=dunno user=bob address=::1 request.helo_name=verdict=reject request.x="${refusal('mallory')}"`,
].map((line) => `${STAMP} ${line}`), [], REFUSAL_LINES);

// biome-ignore format: a list
each('a refusal that is cut off or in a form that is not known', [
  ...['verdict=reject user="bo', refusal('"\\x"'), `message repeated 3 times: [ ${refusal('bob')}`].map((message) => `${STAMP} ${OWN}${message}`),
  `Dez  4 05:47:54 ${OWN}${refusal('bob')}`, `${STAMP} mx1 f00ba4c0ffee[812]: 2026-11-04T05:47:54Z INFO    postfix/allow-nets[7]: ${refusal('bob')}`,
], ['1 not understood'], REFUSAL_LINES);

describe('a time stamp, in Europe/Berlin', () => {
  const zone = process.env['TZ'];
  before(() => {
    process.env['TZ'] = 'Europe/Berlin';
  });
  after(() => {
    if (zone === undefined) delete process.env['TZ'];
    else process.env['TZ'] = zone;
  });
  const noon = '2026-11-24T12:00:00Z';
  // biome-ignore format: a table
  const rows: readonly [now: string, stamp: string, moment: string | null][] = [
    // Without a year: the last one in which it is not in the future, give or take a day.
    ...['Nov  4 05:47:54', 'Nov 04 05:47:54', 'Nov 4 05:47:54', 'Nov  4 05:47:54.999', '2026-11-04T05:47:54', '2026-11-04 05:47:54',
      '2026-11-04T04:47:54Z', '2026-11-04t04:47:54z', '2026-11-04T04:47:54.123456789Z', '2026-11-04T05:47:54,123+01:00', '2026-11-04T10:17:54+0530',
      '2026-11-04T02:47:54-02'].map((stamp) => [noon, stamp, '2026-11-04T04:47:54Z'] as [string, string, string]),
    [noon, 'Nov 25 12:00:00', '2026-11-25T11:00:00Z'], [noon, 'Nov 25 14:00:00', '2025-11-25T13:00:00Z'],
    [noon, 'Dec 31 23:59:60', '2025-12-31T23:00:00Z'], [noon, 'Jul  1 12:00:00', '2026-07-01T10:00:00Z'],
    ['2026-12-31T23:30:00Z', 'Jan  1 00:10:00', '2026-12-31T23:10:00Z'], ['2021-01-15T12:00:00Z', 'Dec 31 23:00:00', '2020-12-31T22:00:00Z'],
    ['2025-01-15T12:00:00Z', 'Feb 29 10:00:00', '2024-02-29T09:00:00Z'], [noon, '2027-01-01T00:00:00Z', '2027-01-01T00:00:00Z'],
    ...['Feb 30 10:00:00', 'Feb 29 10:00:00', 'Nov 31 05:47:54', 'nov  4 05:47:54', 'Nov  4 05:47', 'Nov  4 24:00:00', 'Nov  4 05:60:00',
      'Nov  4 05:00:61', 'Nov  0 05:00:00', 'Nov x4 05:00:00', '2026-13-01T00:00:00Z', '2026-02-30T00:00:00Z', '2026-1-01T00:00:00Z',
      '2026-11-04_05:47:54', '2026-11-04T5:47:54', ''].map((stamp) => [noon, stamp, null] as [string, string, null]),
  ];
  for (const [now, stamp, moment] of rows) {
    test(`${stamp}, at ${now}`, async () => {
      const { found, unread } = await readText(`${stamp} mx1 postfix/smtpd[7]: ${DELIVERY}\n`, Date.parse(now));
      const seen = found.map(({ time }) => new Date(time).toISOString().replace('.000', ''));
      assert.deepEqual([seen, unread], moment === null ? [[], 1] : [[moment], 0]);
    });
  }
});

describe('a log of every style gives what it was made from, and nothing that attackers wrote', () => {
  const now = Date.UTC(2026, 10, 24) / 1000;
  for (const [seed, [name, style]] of Object.entries(STYLES).entries()) {
    test(`${name}, seed ${seed}`, async () => {
      const attacks = decoys(picksOf(seed))
        .map(([tag, message]) => `${style(now - 1, tag, 7)}${message}\n`)
        .join('');
      const { text, truth } = generateLog(picksOf(seed), style, 300, now - 86_400 * 100, now);
      const { found, unread } = await readText(text + attacks, now * 1000);
      const sent = found.map(({ user, address, time }) => ({ user, address, seconds: time / 1000 }));
      assert.deepEqual([sent, unread], [truth, 0]);
    });
  }
});
