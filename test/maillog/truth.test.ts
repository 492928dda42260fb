// learn and replay reproduce a known truth: logs of every style, plain and packed, several in any order, through the shipped program.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { database, entries, file, run } from './command';
import { generateLog } from './generator';
import { randomFrom } from './random';
import { STYLES } from './styles';
import { assertLearned, type Learned } from './truth';

const MONTH = 86_400 * 30;
const now = Math.floor(Date.now() / 1000);

describe('learn, then replay, of a log of every style', () => {
  for (const [seed, style] of STYLES.entries()) {
    test(`${style.name}, seed ${seed}`, () => {
      const wanted = { style, messages: 400, from: now - MONTH, until: now };
      const { text, truth } = generateLog(randomFrom(100 + seed), wanted);
      const db = database();
      const log = file(text);

      const learned = run(['learn', '--json', '--apply', '--force', '--db', db, log]);
      assert.equal(learned.status, 0, learned.stderr);
      const rows = JSON.parse(learned.stdout) as Learned[];
      assertLearned(rows, truth);
      assert.deepEqual(entries(db), rows.map(({ user, network }) => `${user} ${network}`).sort());

      const replayed = run(['replay', '--json', '--db', db, log]);
      assert.equal(replayed.status, 0, replayed.stdout);
      const { deliveries, refused, users, users_without_entry } = JSON.parse(replayed.stdout);
      const people = new Set(truth.map(({ user }) => user)).size;
      assert.deepEqual(
        { deliveries, refused, users, users_without_entry },
        {
          deliveries: truth.length,
          refused: 0,
          users: people,
          users_without_entry: 0,
        },
      );
    });
  }
});

test('several files, plain and packed, whatever their order', () => {
  const random = randomFrom(5);
  const parts = [4, 3, 2, 1, 0].map((month) => {
    const style = random.pick(STYLES);
    const wanted = { style, messages: 150, from: now - MONTH * (month + 1), until: now - MONTH * month };
    return generateLog(random, wanted);
  });
  const files = parts.map(({ text }, i) => (i % 2 === 0 ? file(text) : file(gzipSync(text), 'mail.log.gz')));
  const truth = parts.flatMap((part) => part.truth);
  const outputs = [files, [...files].reverse(), [2, 0, 4, 1, 3].map((i) => files[i] ?? '')].map((order) => {
    const { stdout, status } = run(['learn', '--json', '--db', database(), ...order]);
    assert.equal(status, 0);
    return JSON.parse(stdout) as Learned[];
  });
  for (const rows of outputs) assertLearned(rows, truth);
});

test('days are days of local time, whatever zone the log is written in', () => {
  const [, , , , , , , style] = STYLES;
  if (style === undefined) throw new Error('no style');
  const { text, truth } = generateLog(randomFrom(8), { style, messages: 500, from: now - MONTH, until: now });
  const { stdout } = run(['learn', '--json', '--db', database(), file(text)], { zone: 'Asia/Kolkata' });
  assertLearned(JSON.parse(stdout), truth, 5.5 * 3600);
});

test('--since and --until bound what counts, --user says whose', () => {
  const [style] = STYLES;
  if (style === undefined) throw new Error('no style');
  const log = generateLog(randomFrom(9), { style, messages: 500, from: now - MONTH, until: now });
  const [since, until] = [now - MONTH / 2, now - MONTH / 4];
  const instant = (seconds: number) => new Date(seconds * 1000).toISOString();
  const users = ['alice@example.com', '王芳@example.cn'];
  const words = [
    '--since',
    instant(since),
    '--until',
    instant(until),
    '--user',
    'Alice@Example.COM',
    '--user',
    '@example.cn',
  ];
  const { stdout } = run(['learn', '--json', '--db', database(), ...words, file(log.text)]);
  const truth = log.truth.filter(({ user, seconds }) => users.includes(user) && seconds >= since && seconds < until);
  assert.ok(truth.length > 5);
  assertLearned(JSON.parse(stdout), truth);
});
