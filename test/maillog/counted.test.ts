// Which lines of a mail log count, and what they say: a line a row.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decoys, generateLog } from './generator';
import { randomFrom } from './random';
import { readText } from './read-text';
import { STYLES } from './styles';

const HEAD = 'Nov  4 05:47:54 mx1 postfix/smtpd[4711]: ';
const CLIENT = 'client=unknown[192.0.2.7], sasl_method=PLAIN, sasl_username=';

/** Behind HEAD: the user and the address that are read. */
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

/** Whole lines; other lines than those looked for, or without a head that can be read. */
const OTHER_HEADS: readonly [head: string, what: 'other' | 'broken'][] = [
  ['Nov  4 05:47:54 mx1 postfix/smtp[4711]: ', 'other'],
  ['Nov  4 05:47:54 mx1 xsmtpd[4711]: ', 'other'],
  ['Nov  4 05:47:54 mx1 postfix/smtpd: ', 'other'],
  ['Nov  4 05:47:54 mx1 postfix/smtpd[]: ', 'other'],
  ['Nov  4 05:47:54 mx1 webapp[1]: postfix/smtpd[4711]: ', 'other'],
  ['Nov  4 05:47:54 webapp: postfix/smtpd[4711]: ', 'other'],
  ['Nov  4 05:47:54 webapp[1]: postfix/smtpd[4711]: ', 'other'],
  ['Nov  4 05:47:54 webapp[1] postfix/smtpd[4711]: ', 'broken'],
  ['Nov  4 05:47:54 mx1 mx2 postfix/smtpd[4711]: ', 'broken'],
  ['Nov  4 05:47:54 mx1 postfix/smtpd[4711] ', 'broken'],
  ['Nov 31 05:47:54 mx1 postfix/smtpd[4711]: ', 'broken'],
  ['Nov  4 25:47:54 mx1 postfix/smtpd[4711]: ', 'broken'],
  ['Nov  4 05:77:54 mx1 postfix/smtpd[4711]: ', 'broken'],
  ['Nix  4 05:47:54 mx1 postfix/smtpd[4711]: ', 'broken'],
  ['2026-02-30T05:47:54Z mx1 postfix/smtpd[4711]: ', 'broken'],
  ['2026-11-04T05:47Z mx1 postfix/smtpd[4711]: ', 'broken'],
  ['x Nov  4 05:47:54 mx1 postfix/smtpd[4711]: ', 'broken'],
  [' Nov  4 05:47:54 mx1 postfix/smtpd[4711]: ', 'broken'],
  ['mx1 postfix/smtpd[4711]: ', 'broken'],
  ['postfix/smtpd[4711]: ', 'broken'],
  ['', 'broken'],
];

test('a line that Postfix writes when it takes a message from a user', async (t) => {
  for (const [message, user, address = '192.0.2.7'] of DELIVERIES) {
    await t.test(message, async () => {
      const { sighted, reading } = await readText(`${HEAD}${message}\n`);
      assert.deepEqual(
        sighted.map((one) => [one.user, one.address, one.times]),
        [[user, address, 1]],
      );
      assert.equal(reading.broken, 0);
    });
  }
});

test('repeated lines as rsyslog folds them', async () => {
  const { sighted } = await readText(`${HEAD}message repeated 12 times: [ NOQUEUE: ${CLIENT}alice]\n`);
  assert.deepEqual(
    sighted.map((one) => [one.user, one.address, one.times]),
    [['alice', '192.0.2.7', 12]],
  );
});

test('a line end of DOS and a last line without an end', async () => {
  const { sighted } = await readText(`${HEAD}4BDF1: ${CLIENT}alice\r\n${HEAD}4BDF2: ${CLIENT}bob`);
  assert.deepEqual(
    sighted.map(({ user }) => user),
    ['alice', 'bob'],
  );
});

test('a line that began like it and is broken', async (t) => {
  for (const message of BROKEN) {
    await t.test(message, async () => {
      const { sighted, reading } = await readText(`${HEAD}${message}\n`);
      // A method that nothing follows is not what is looked for.
      assert.deepEqual([sighted, reading.broken], [[], 1]);
    });
  }
});

test('a head of another program, or that is none', async (t) => {
  for (const [head, what] of OTHER_HEADS) {
    await t.test(JSON.stringify(head), async () => {
      const { sighted, reading } = await readText(`${head}4BDF1: ${CLIENT}alice\n`);
      assert.deepEqual([sighted, reading.broken], [[], what === 'broken' ? 1 : 0]);
    });
  }
});

test('lines that name a user and hold the address of an attacker', async (t) => {
  const random = randomFrom(1);
  for (const style of STYLES) {
    await t.test(style.name, async () => {
      const lines = decoys(random).map(([program, message]) => style.head(1.79e9, program, 7) + message);
      const { sighted, reading } = await readText(`${lines.join('\n')}\n`);
      assert.deepEqual([sighted, reading.broken], [[], 0]);
    });
  }
});

test('a log of every style gives what it was made from', async (t) => {
  for (const [seed, style] of STYLES.entries()) {
    await t.test(`${style.name}, seed ${seed}`, async () => {
      const now = Date.UTC(2026, 10, 24) / 1000;
      const wanted = { style, messages: 300, from: now - 86_400 * 100, until: now };
      const { text, truth } = generateLog(randomFrom(seed), wanted);
      const { sighted, reading } = await readText(text, { now });
      const facts = sighted.map(({ user, address, seconds }) => ({ user, address, seconds }));
      assert.deepEqual(facts, truth);
      assert.equal(reading.broken, 0);
    });
  }
});
