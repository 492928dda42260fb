// A log so large that threads read it: what is found, in which order, and what is left out, is what one thread finds in a stream of it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { file, noDatabase, PROGRAM, run } from './command';
import { generateLog } from './generator';
import { randomFrom } from './random';
import { taken } from './small-log';
import { STYLES } from './styles';
import { assertLearned, type Learned } from './truth';

const SIZE = 36 << 20;
const UNTIL = Date.UTC(2026, 10, 24) / 1000;

/** Good mail of all sorts, over and over, and among it what is left out: lines too long, broken, with NUL bytes. */
function largeLog(): { bytes: Buffer; times: number; truth: ReturnType<typeof generateLog>['truth'] } {
  const [style] = STYLES.filter(({ name }) => name === 'RFC 3339, Z');
  if (style === undefined) throw new Error('no style');
  const { text, truth } = generateLog(randomFrom(11), {
    style,
    messages: 1500,
    from: UNTIL - 86_400,
    until: UNTIL,
  });
  const broken = taken('x', '192.0.2.300', '2026-11-04T05:47:54Z');
  const long = `${'x'.repeat(200_000)}, sasl_method=PLAIN, sasl_username=x\n`;
  const justLong = `${'y'.repeat(65_537)}\n`;
  const withNul = taken('nul\0', '192.0.2.7', '2026-11-04T05:47:54Z');
  const part = Buffer.from(`${text}${broken}${long}${justLong}${withNul}${'z'.repeat(777)}\n`);
  const times = Math.ceil(SIZE / part.length);
  return { bytes: Buffer.concat(Array.from({ length: times }, () => part)), times, truth };
}

/** How a thread may end that has told some blocks, and was asked for more. */
const ENDS = {
  fails: "setImmediate(() => { throw new Error('made to fail'); })",
  exits: 'process.exit(3)',
};

describe('a log of 36 MB', () => {
  const { bytes, times, truth } = largeLog();
  const log = file(bytes);

  test('gives the same, byte for byte, as it does from a pipe', () => {
    const [threads, stream] = [
      ['learn', log],
      ['learn', '-'],
    ].map((words) =>
      run([...words, '--json', '--db', noDatabase()], { input: words[1] === '-' ? bytes : '' }),
    );
    assert.equal(threads?.status, 0);
    assert.equal(threads?.stdout, stream?.stdout);
    assert.equal(threads?.stderr.replaceAll(log, 'standard input'), stream?.stderr);
    assert.match(
      threads?.stderr ?? '',
      new RegExp(
        `left out ${times} broken lines, ${2 * times} overlong lines, ${times} lines with NUL bytes, as: 2026-11-04T05:47:54Z mx1 .*192\\.0\\.2\\.300`,
      ),
    );
    const rows = JSON.parse(threads?.stdout ?? '') as Learned[];
    assertLearned(rows, Array.from({ length: times }, () => truth.map((sent) => ({ ...sent }))).flat());
  });

  test('is read where no thread can be had, too', () => {
    const permission =
      Number(process.versions.node.split('.')[0]) < 24 ? '--experimental-permission' : '--permission';
    // All is permitted but to start a thread.
    const flags = [permission, '--allow-fs-read=*', '--allow-fs-write=*', '--allow-addons'];
    const denied = spawnSync(process.execPath, [
      ...flags,
      '-e',
      'new (require("worker_threads").Worker)("", { eval: true })',
    ]);
    assert.match(denied.stderr.toString(), /ERR_ACCESS_DENIED/);
    const words = [...flags, PROGRAM, 'learn', log, '--json', '--db', noDatabase()];
    const { status, stdout } = spawnSync(process.execPath, words, { encoding: 'utf8', maxBuffer: 1 << 28 });
    assert.equal(status, 0);
    assert.equal(stdout, run(['learn', '--json', '--db', noDatabase(), log]).stdout);
  });

  for (const [how, end] of Object.entries(ENDS)) {
    test(`is read whole when a thread ${how}`, () => {
      const preloaded = file(
        `const { isMainThread } = require('node:worker_threads');
const fs = require('node:fs');
const { readSync } = fs;
let reads = 0;
fs.readSync = (...words) => {
  if (!isMainThread && ++reads === 8) ${end};
  return readSync(...words);
};`,
        'ends.js',
      );
      const [ended, whole] = ['', `--require=${preloaded}`].map((NODE_OPTIONS) =>
        run(['learn', '--json', '--db', noDatabase(), log], { env: { NODE_OPTIONS } }),
      );
      assert.equal(ended?.status, 0);
      assert.deepEqual(ended, whole);
    });
  }
});
