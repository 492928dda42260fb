// Files as they are found: compressed, cut off, damaged, with lines of any length. What was read before counts, and the
// rest is told.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { needs, program } from '../requires';
import { generateLog, picksOf, STYLES } from './generator';
import { type ReadText, readText } from './read-text';

const NOW = Date.UTC(2026, 10, 24) / 1000;
const HEAD = 'Nov  4 05:47:54 mx1 postfix/smtpd[4711]: ';
const line = (user: string) => `${HEAD}4BDF1: client=unknown[192.0.2.7], sasl_method=PLAIN, sasl_username=${user}\n`;

const syslog = STYLES['syslog'] ?? assert.fail();
const log = (messages: number) => generateLog(picksOf(7), syslog, messages, NOW - 86_400 * 30, NOW);
const told = ({ sighted }: ReadText) => sighted.map(({ user, address, seconds }) => ({ user, address, seconds }));
const users = ({ sighted }: ReadText) => sighted.map(({ user }) => user);

test('gzip, of one part and of several', async () => {
  const { text, truth } = log(3000);
  const half = text.indexOf('\n', text.length / 2) - 10;
  const parts = Buffer.concat([gzipSync(text.slice(0, half)), gzipSync(text.slice(half))]);
  for (const bytes of [gzipSync(text), parts]) {
    const read = await readText(bytes, { now: NOW });
    assert.deepEqual(told(read), truth);
    assert.equal(read.reading.damage, null);
  }
});

test('gzip with something behind it that is none', async () => {
  const read = await readText(Buffer.concat([gzipSync(line('alice')), Buffer.from('\0\0\0\0rest')]));
  assert.deepEqual(users(read), ['alice']);
});

/** `options`: with which the program compresses standard input to standard output, quietly. */
function compressedBy(name: string, options: string): void {
  const packed = (text: string) =>
    execFileSync(program(name), [options], { input: text, maxBuffer: 1 << 26, stdio: 'pipe' });

  test('whole', async () => {
    const { text, truth } = log(2000);
    const read = await readText(packed(text), { now: NOW });
    assert.deepEqual(told(read), truth);
    assert.equal(read.reading.damage, null);
  });

  test('cut off', async () => {
    const { text, truth } = log(2000);
    const bytes = packed(text);
    const read = await readText(bytes.subarray(0, bytes.length - 20), { now: NOW });
    assert.notEqual(read.reading.damage, null);
    assert.deepEqual(told(read), truth.slice(0, read.sighted.length));
  });
}

describe('xz', needs('xz'), () => compressedBy('xz', '-c'));
describe('zstd', needs('zstd'), () => compressedBy('zstd', '-cq'));
describe('bzip2', needs('bzip2'), () => compressedBy('bzip2', '-c'));

test('gzip cut off anywhere: what came before counts, the line that was cut does not', async () => {
  const { text, truth } = log(600);
  const bytes = gzipSync(text, { level: 1 });
  let most = 0;
  for (let end = 11; end < bytes.length; end += Math.floor(bytes.length / 40)) {
    const read = await readText(bytes.subarray(0, end), { now: NOW });
    assert.match(read.reading.damage ?? '', /unexpected end of file/, `at ${end}`);
    assert.deepEqual(told(read), truth.slice(0, read.sighted.length), `at ${end}`);
    most = Math.max(most, read.sighted.length);
  }
  assert.ok(most > 500, `${most} of 600 read`);
});

test('gzip with a damaged middle', async () => {
  const { text, truth } = log(8000);
  const bytes = gzipSync(text, { level: 1 });
  const middle = Math.floor(bytes.length / 2);
  bytes.fill(0x55, middle, middle + 100);
  const read = await readText(bytes, { now: NOW });
  assert.notEqual(read.reading.damage, null);
  assert.ok(read.sighted.length > 1000);
  assert.deepEqual(told(read).slice(0, 1000), truth.slice(0, 1000));
});

test('lines of any length, and where the buffer ends', async () => {
  for (const length of [1, 65_000, 70_000, 1 << 20, (1 << 20) + 1, 3 << 20]) {
    const long = 'x'.repeat(length);
    const read = await readText(`${line('a')}${long}\n${line('b')}${long} ${line('c')}${line('d')}`);
    assert.deepEqual(users(read), ['a', 'b', 'd'], `${length}`);
    // Of the line of `c`, too, when it is not too long for a line at all.
    assert.deepEqual(
      [read.reading.tooLong, read.reading.unknown.count],
      length > 65_536 ? [2, 0] : [0, 1],
      `${length}`,
    );
  }
});

test('a long line at the end, with and without a line break', async () => {
  for (const end of ['', '\n']) {
    const read = await readText(`${line('a')}${'x'.repeat(2 << 20)}${end}`);
    assert.deepEqual([users(read), read.reading.tooLong], [['a'], 1]);
  }
});

test('every line counts once, wherever a block ends', async () => {
  const { text, truth } = log(4000);
  for (const shift of [0, 1, 13, 50, 99]) {
    const read = await readText(`${'#'.repeat(shift)}\n${text}`, { now: NOW });
    assert.deepEqual(told(read), truth);
  }
});

test('NUL bytes', async () => {
  const nul = '\0'.repeat(5000);
  const text = `${line('a')}${nul}${line('b')}${line('c').replace('192', '1\u00002')}\0\n${line('d')}`;
  const { reading, ...read } = await readText(text);
  assert.deepEqual(
    read.sighted.map(({ user }) => user),
    ['a', 'd'],
  );
  assert.deepEqual([reading.withNul, reading.broken.count, reading.tooLong], [3, 0, 0]);
});

test('megabytes of NUL bytes, as a sparse file has them', async () => {
  const read = await readText(`${'\0'.repeat(5 << 20)}\n${line('a')}`);
  assert.deepEqual(users(read), ['a']);
  assert.ok(read.reading.tooLong + read.reading.withNul > 0);
});

test('nothing, and what is no log', async () => {
  for (const text of ['', '\n', '\n\n\n', 'x', '\x1f', '\x1f\x8b', 'BZh', '\r\n']) {
    const { sighted, reading } = await readText(Buffer.from(text, 'latin1'));
    assert.deepEqual([sighted, reading.broken.count], [[], 0], JSON.stringify(text));
  }
});

test('noise of all kinds does no harm', async () => {
  const { text } = log(200);
  const changes = fc.array(fc.tuple(fc.nat(Buffer.byteLength(text) - 1), fc.nat(255)), {
    minLength: 300,
    maxLength: 300,
  });
  await fc.assert(
    fc.asyncProperty(changes, async (all) => {
      const bytes = Buffer.from(text);
      for (const [at, byte] of all) bytes[at] = byte;
      const { sighted } = await readText(bytes, { now: NOW });
      assert.ok(sighted.length < 200);
    }),
    { numRuns: 40, unbiased: true },
  );
});

test('a log without years of a file that is years old', async () => {
  const then = Date.UTC(2021, 0, 15, 12) / 1000;
  const stamps = ['Jan 15 11:00:00', 'Dec 31 23:00:00', 'Jan 15 13:00:00'];
  const text = stamps.map((stamp) => line('a').replace('Nov  4 05:47:54', stamp)).join('');
  const zone = process.env['TZ'];
  process.env['TZ'] = 'UTC';
  const { sighted } = await readText(text, { now: then });
  if (zone === undefined) delete process.env['TZ'];
  else process.env['TZ'] = zone;
  // The file's clock may be of another zone than ours: up to a day after its time is believed, but nothing after now.
  const years = sighted.map(({ seconds }) => new Date(seconds * 1000).toISOString().slice(0, 10));
  assert.deepEqual(years, ['2021-01-15', '2020-12-31', '2020-01-15']);
});
