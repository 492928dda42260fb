// learn and replay reproduce a known truth: logs of every style, plain and packed, several in any order, through the
// shipped program.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { entries, newDatabase } from '../rig/database';
import { oneOf } from '../rig/random';
import { run, shell } from '../rig/run';
import { newFile } from '../rig/scratch';
import { generateLog, picksOf, type Sent, STYLES } from './generator';
import { taken } from './small-log';
import { assertLearned, type Learned } from './truth';

const MONTH = 86_400 * 30;
const now = Math.floor(Date.now() / 1000);
const styles = Object.entries(STYLES);
const plain = STYLES['RFC 3339, Z'] ?? assert.fail();

function learn(words: readonly string[], options = {}): Learned[] {
  const { status, stdout, stderr } = run(['learn', '--json', '--db', newDatabase(), ...words], options);
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout);
}

describe('learn, then replay, of a log of every style', () => {
  for (const [seed, [name, style]] of styles.entries()) {
    test(`${name}, seed ${seed}`, () => {
      const { text, truth } = generateLog(picksOf(seed), style, 400, now - MONTH, now);
      const db = newDatabase();
      const log = newFile(text);
      const learned = run(['learn', '--json', '--apply', '--force', '--db', db, log]);
      assert.equal(learned.status, 0, learned.stderr);
      const rows = JSON.parse(learned.stdout) as Learned[];
      assertLearned(rows, truth);
      assert.deepEqual(entries(db), rows.map(({ user, network }) => `${user} ${network}`).sort());

      const replayed = run(['replay', '--json', '--db', db, log]);
      assert.equal(replayed.status, 0, replayed.stdout);
      const { refused_users, days, allowed, ...sums } = JSON.parse(replayed.stdout);
      const users = new Set(truth.map(({ user }) => user)).size;
      assert.deepEqual(sums, { deliveries: truth.length, refused: 0, users, users_without_entry: 0 });
    });
  }
});

test('several files, plain and packed, whatever their order', () => {
  const pick = picksOf(5);
  const parts = [4, 3, 2, 1, 0].map((month) => {
    const [, style] = oneOf(pick, styles);
    return generateLog(pick, style, 150, now - MONTH * (month + 1), now - MONTH * month);
  });
  const files = parts.map(({ text }, i) => (i % 2 === 0 ? newFile(text) : newFile(gzipSync(text), 'mail.log.gz')));
  const truth = parts.flatMap((part) => part.truth);
  for (const order of [files, [...files].reverse(), [2, 0, 4, 1, 3].map((i) => files[i] ?? '')]) {
    assertLearned(learn(order), truth);
  }
});

test('--since and --until bound what counts, --user says whose', () => {
  const log = generateLog(picksOf(9), plain, 500, now - MONTH, now);
  const [since, until] = [now - MONTH / 2, now - MONTH / 4];
  const [from, to] = [since, until].map((seconds) => new Date(seconds * 1000).toISOString());
  const users = ['alice@example.com', '王芳@example.cn'];
  const words = ['--since', from ?? '', '--until', to ?? '', '--user', 'Alice@Example.COM', '--user', '@example.cn'];
  const truth = log.truth.filter(({ user, seconds }) => users.includes(user) && seconds >= since && seconds < until);
  assert.ok(truth.length > 5);
  assertLearned(learn([...words, newFile(log.text)]), truth);
});

test('a log of many blocks, as a file and from a pipe, and among good mail what cannot be read', () => {
  const { text, truth } = generateLog(picksOf(11), plain, 1500, now - MONTH, now);
  const broken = taken('x\x07', '192.0.2.3', '2026-11-04T05:47:54Z');
  const long = `${'x'.repeat(2_200_000)}\n`;
  const times = 8;
  const bytes = Buffer.from(`${text}${broken}${long}${'z'.repeat(777)}\n`.repeat(times));
  const log = newFile(bytes);
  const db = newDatabase();
  const fromFile = run(['learn', '--json', '--db', db, log]);
  const fromPipe = shell(`cat ${log} | allow-nets learn --json -`, { db });
  assert.deepEqual({ ...fromFile, stderr: fromFile.stderr.replaceAll(log, 'standard input') }, fromPipe);
  const unread = new RegExp(
    `: ${2 * times} lines not understood, for example: 2026-11-04T05:47:54Z mx1 .*192\\.0\\.2\\.3`,
  );
  assert.match(fromFile.stderr, unread);
  const sent = Array.from({ length: times }, (): Sent[] => truth.map((one) => ({ ...one })));
  assertLearned(JSON.parse(fromFile.stdout), sent.flat());
});
