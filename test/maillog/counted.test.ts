// Which lines of a mail log count, and what they say: a line a row.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decoys, generateLog, picksOf, STYLES } from './generator';
import { readText } from './read-text';

const HEAD = 'Nov  4 05:47:54 mx1 postfix/smtpd[4711]: ';
const CLIENT = 'client=unknown[192.0.2.7], sasl_method=PLAIN, sasl_username=';

/** Behind HEAD: the user and the address that are read. */
// biome-ignore format: a table
const DELIVERIES: readonly [message: string, user: string, address?: string][] = [
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
];

const BROKEN: readonly string[] = [
  '4BDF1: client=unknown[192.0.2.7], sasl_method=PLAIN',
  '4BDF1: client=unknown[192.0.2.7], sasl_method=, sasl_username=alice',
  '4BDF1: client=unknown[192.0.2.7], sasl_method=PLAIN, sasl_usern',
  '4BDF1: client=unknown[192.0.2.7], sasl_method=PLAIN sasl_username=alice',
  '4BDF1: client=[192.0.2.7], sasl_method=PLAIN, sasl_username=alice',
  '4BDF1: client=unknown[192.0.2.7, sasl_method=PLAIN, sasl_username=alice',
  '4BDF1: client=unknown[192.0.2.7]x, sasl_method=PLAIN, sasl_username=alice',
  '4BDF1: client=unknown[192.0.2.7]:, sasl_method=PLAIN, sasl_username=alice',
  '4BDF1: client=two words[192.0.2.7], sasl_method=PLAIN, sasl_username=alice',
  `4BDF1: ${CLIENT}al\x07ice`,
  `4BDF1: ${CLIENT}alNov  4 05:48:00 mx1 postfix/smtpd[4712]: 4BDF2: ${CLIENT}bob`,
  `4BDF1: ${CLIENT}al, Nov  4 05:48:00 mx1 postfix/smtpd[4712]: 4BDF2: ${CLIENT}bob`,
];

const DELIVERY = `4BDF1: ${CLIENT}alice`;
const STAMP = 'Nov  4 05:47:54';

/** Before DELIVERY: text of other programs. */
// biome-ignore format: a list
const OTHERS: readonly string[] = [
  `${STAMP} mx1 postfix/smtpd[4711]: warning: `,
  `${STAMP} mx1 webapp[1]: login failed: postfix/smtpd[4711]: `,
  `${STAMP} mx1 amavis[1]: (1) Passed CLEAN, Subject: "${STAMP} mx1 postfix/smtpd[4711]: `,
  `${STAMP} mx1 postfix/cleanup[1]: 4BDF1: warning: header Subject: ${STAMP} mx1 postfix/smtpd[4711]: `,
  '1 2026-11-04T05:47:54Z mx1 webapp 77 - - x postfix/smtpd 77 - - ',
];

/**
 * Before DELIVERY: damage, and forms that are not known. The program may be smtpd under another name, or pass lines of
 * it on.
 */
// biome-ignore format: a list
const UNKNOWN: readonly string[] = [
  ...['mx1 webapp[1]: ', 'webapp: ', 'webapp[1]: ', 'webapp:x ', 'mx1 webapp:x ', 'webapp[1] ', 'mx1 mx2 ', '<mail.info> mx1 ',
    `mx1 f00ba4c0ffee[812]: ${STAMP} mx1 `, `mx1 docker[1]: {"log":"${STAMP} mx1 `].map((text) => `${STAMP} ${text}postfix/smtpd[4711]: `),
  ...['smtp[4711]: ', 'smtpd[4711]: [x] ', 'smtpd[]: ', 'smtpd[4711] '].map((text) => `${STAMP} mx1 postfix/${text}`),
  `${STAMP} mx1 xsmtpd[4711]: `,
  ...['Nov 31 05:47:54', 'Nov  4 25:47:54', 'Nov  4 05:77:54', 'Dez  4 05:47:54', 'nov. 04 05:47:54', '11月 04 05:47:54',
    'Wed 2026-11-04 05:47:54 UTC', '2026-02-30T05:47:54Z', '2026-11-04T05:47Z', '1793771274.123456', '[  123.456789]',
    `x ${STAMP}`, ` ${STAMP}`, `\x1b[36mpostfix-1  |\x1b[0m ${STAMP}`, `mail-0 postfix ${STAMP}`].map((text) => `${text} mx1 postfix/smtpd[4711]: `),
  'Wed Nov  4 05:47:54 2026 mail.info postfix/smtpd[4711]: ',
  '2026-11-04T05:47:54.123456789Z stdout P postfix/smtpd[77]: ',
  '{"__REALTIME_TIMESTAMP":"1793771274000000","SYSLOG_IDENTIFIER":"postfix/smtpd","MESSAGE":"',
  '{"time":"2026-11-04T05:47:54Z","level":"info","process":"smtpd","msg":"',
  'mx1 postfix/smtpd[4711]: ', 'postfix/smtpd[4711]: ', '',
];

const seenIn = async (text: string) => {
  const { sighted, reading } = await readText(text);
  return { seen: sighted.map((one) => [one.user, one.address, one.times]), reading };
};

test('a line that Postfix writes when it takes a message from a user', async (t) => {
  for (const [message, user, address = '192.0.2.7'] of DELIVERIES) {
    await t.test(message, async () => {
      const { seen, reading } = await seenIn(`${HEAD}${message}\n`);
      assert.deepEqual([seen, reading.broken.count + reading.unknown.count], [[[user, address, 1]], 0]);
    });
  }
});

test('repeated lines as rsyslog folds them, a line end of DOS, and a last line without an end', async () => {
  const folded = `${HEAD}message repeated 12 times: [ NOQUEUE: ${CLIENT}alice]\n`;
  const { seen } = await seenIn(`${folded}${HEAD}4BDF1: ${CLIENT}bob\r\n${HEAD}4BDF2: ${CLIENT}carol`);
  const users = [
    ['alice', 12],
    ['bob', 1],
    ['carol', 1],
  ] as const;
  assert.deepEqual(
    seen,
    users.map(([user, times]) => [user, '192.0.2.7', times]),
  );
});

test('a line that began like it and is broken', async (t) => {
  for (const message of BROKEN) {
    await t.test(message, async () => {
      const { seen, reading } = await seenIn(`${HEAD}${message}\n`);
      assert.deepEqual([seen, reading.broken.count], [[], 1]);
    });
  }
});

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
  const { sighted, reading } = await readText(`${lines.join('\n')}\n`);
  assert.deepEqual(
    sighted.map(({ user, seconds }) => [user, seconds]),
    [
      ['Dörte@exämple.org', Date.UTC(2025, 11, 4, 5, 47, 54) / 1000],
      ['alice', Date.UTC(2025, 11, 4, 5, 47, 54) / 1000],
    ],
  );
  assert.equal(reading.unknown.count, 2);
});

test('a head of another program, or in a form that is not known', async (t) => {
  const none = { count: 0, example: '' };
  for (const head of [...OTHERS, ...UNKNOWN]) {
    await t.test(JSON.stringify(head), async () => {
      const { seen, reading } = await seenIn(`${head}${DELIVERY}\n`);
      const unknown = OTHERS.includes(head) ? none : { count: 1, example: `${head}${DELIVERY}`.slice(0, 160) };
      assert.deepEqual([seen, reading.broken, reading.unknown], [[], none, unknown]);
    });
  }
});

test('a failed login in a form that is not known is not missed', async () => {
  const failed = 'warning: unknown[192.0.2.7]: SASL LOGIN authentication failed: x, sasl_username=alice';
  const { reading } = await seenIn(`Dez  4 05:47:54 mx1 postfix/smtpd[4711]: ${failed}\n`);
  assert.equal(reading.unknown.count, 0);
});

test('a log of every style gives what it was made from, and nothing that attackers wrote', async (t) => {
  const now = Date.UTC(2026, 10, 24) / 1000;
  for (const [seed, [name, style]] of Object.entries(STYLES).entries()) {
    await t.test(`${name}, seed ${seed}`, async () => {
      const attacks = decoys(picksOf(seed)).map(([program, message]) => `${style(now - 1, program, 7)}${message}\n`);
      const { text, truth } = generateLog(picksOf(seed), style, 300, now - 86_400 * 100, now);
      const { sighted, reading } = await readText(text + attacks.join(''), { now });
      const facts = sighted.map(({ user, address, seconds }) => ({ user, address, seconds }));
      assert.deepEqual(facts, truth);
      assert.equal(reading.broken.count + reading.unknown.count, 0);
    });
  }
});
