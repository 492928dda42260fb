// Files as they are found: compressed, cut off, damaged, with lines of any length. What was read before the damage counts,
// and the rest is reported.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { needs, program } from '../requires';
import { generateLog, picksOf, STYLES } from './generator';
import { type ReadText, readText } from './read-text';

const NOW = Date.UTC(2026, 10, 24);
const HEAD = 'Nov  4 05:47:54 mx1 postfix/smtpd[4711]: ';
const line = (user: string) => `${HEAD}4BDF1: client=unknown[192.0.2.7], sasl_method=PLAIN, sasl_username=${user}\n`;

const syslog = STYLES['syslog'] ?? assert.fail();
const log = (messages: number) => generateLog(picksOf(7), syslog, messages, NOW / 1000 - 86_400 * 30, NOW / 1000);
const sent = ({ found }: ReadText) => found.map(({ user, address, time }) => ({ user, address, seconds: time / 1000 }));
const users = ({ found }: ReadText) => found.map(({ user }) => user);

/** `option`: with which the program compresses standard input to standard output, quietly. */
const by = (name: string, option: string) => (text: string) =>
  execFileSync(program(name), [option], { input: text, maxBuffer: 1 << 26, stdio: 'pipe' });

function compressedBy(compress: (text: string) => Buffer): void {
  test('whole', async () => {
    const { text, truth } = log(2000);
    const read = await readText(compress(text), NOW);
    assert.deepEqual([sent(read), read.hints], [truth, []]);
  });

  test('cut off', async () => {
    const { text, truth } = log(2000);
    const bytes = compress(text);
    const read = await readText(bytes.subarray(0, bytes.length - 20), NOW);
    assert.match(read.hints.join(), /mail\.log could not be read to its end \(.+\): what came before counts$/);
    assert.deepEqual(sent(read), truth.slice(0, read.found.length));
  });
}

describe('gzip', () => compressedBy((text) => gzipSync(text)));
describe('xz', needs('xz'), () => compressedBy(by('xz', '-c')));
describe('zstd', needs('zstd'), () => compressedBy(by('zstd', '-cq')));
describe('bzip2', needs('bzip2'), () => compressedBy(by('bzip2', '-c')));

test('gzip of several parts, and with other data after it', async () => {
  const { text, truth } = log(3000);
  const half = text.indexOf('\n', text.length / 2) - 10;
  const parts = Buffer.concat([gzipSync(text.slice(0, half)), gzipSync(text.slice(half))]);
  assert.deepEqual(sent(await readText(parts, NOW)), truth);
  assert.deepEqual(users(await readText(Buffer.concat([gzipSync(line('a')), Buffer.from('\0\0\0\0rest')]))), ['a']);
});

test('gzip cut off anywhere: the lines before the cut count, the cut line does not', async () => {
  const { text, truth } = log(600);
  const bytes = gzipSync(text, { level: 1 });
  let most = 0;
  for (let end = 11; end < bytes.length; end += Math.floor(bytes.length / 20)) {
    const read = await readText(bytes.subarray(0, end), NOW);
    assert.match(read.hints.join(), /unexpected end of file/, `at ${end}`);
    assert.deepEqual(sent(read), truth.slice(0, read.found.length), `at ${end}`);
    most = Math.max(most, read.found.length);
  }
  assert.ok(most > 500, `${most} of 600 read`);
});

test('gzip with a damaged middle', async () => {
  const { text, truth } = log(8000);
  const bytes = gzipSync(text, { level: 1 });
  const middle = Math.floor(bytes.length / 2);
  bytes.fill(0x55, middle, middle + 100);
  const read = await readText(bytes, NOW);
  assert.notDeepEqual(read.hints, []);
  assert.deepEqual(sent(read).slice(0, 1000), truth.slice(0, 1000));
});

test('lines of any length, and where a block ends', async () => {
  for (const length of [1, 65_000, 70_000, 1 << 20, (1 << 20) + 1, 3 << 20]) {
    const long = 'x'.repeat(length);
    const read = await readText(`${line('a')}${long}\n${line('b')}${long} ${line('c')}${line('d')}`);
    assert.deepEqual(users(read), ['a', 'b', 'd'], `${length}`);
    assert.ok(read.unread >= 1, `${length}`);
  }
  for (const end of ['', '\n']) {
    const read = await readText(`${line('a')}${'x'.repeat(2 << 20)}${end}`);
    assert.deepEqual([users(read), read.unread], [['a'], 1]);
  }
});

test('every line counts once, wherever a block ends', async () => {
  const { text, truth } = log(4000);
  for (const shift of [0, 1, 13, 50, 99]) {
    const read = await readText(`${'#'.repeat(shift)}\n${text}`, NOW);
    assert.deepEqual([sent(read), read.unread], [truth, 0]);
  }
});

test('NUL bytes, as a power failure and a sparse file leave them', async () => {
  const text = `${line('a')}${'\0'.repeat(5000)}${line('b')}${line('c').replace('192', '1\u00002')}\0\n${line('d')}`;
  const read = await readText(text);
  assert.deepEqual([users(read), read.hints.length], [['a', 'd'], 1]);
  assert.match(read.hints.join(), /mail\.log: left out 3 broken lines with NUL bytes$/);
  const inMark = await readText(line('a').replace('_username', '_user\0ame').repeat(2) + line('b'));
  assert.deepEqual([users(inMark), inMark.unread], [['b'], 2]);
  const sparse = await readText(`${'\0'.repeat(5 << 20)}\n${line('a')}`);
  assert.deepEqual([users(sparse), sparse.unread], [['a'], 1]);
});

test('an empty file, and files that are not logs', async () => {
  for (const text of ['', '\n', '\n\n\n', 'x', '\x1f', '\r\n']) {
    assert.deepEqual(await readText(text), { found: [], unread: 0, hints: [] }, JSON.stringify(text));
  }
});

test('noise of all kinds does no harm', async () => {
  const { text } = log(200);
  const change = fc.tuple(fc.nat(Buffer.byteLength(text) - 1), fc.nat(255));
  for (const changes of fc.sample(fc.array(change, { minLength: 300, maxLength: 300 }), { numRuns: 40, seed: 1 })) {
    const bytes = Buffer.from(text);
    for (const [at, byte] of changes) bytes[at] = byte;
    const { found } = await readText(bytes, NOW);
    assert.ok(found.length < 200, `${found.length}`);
  }
});
