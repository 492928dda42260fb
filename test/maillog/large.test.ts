// A log of many blocks: what is found in it, and what is left out, wherever a block ends.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { file, noDatabase, run } from './command';
import { generateLog } from './generator';
import { randomFrom } from './random';
import { taken } from './small-log';
import { STYLES } from './styles';
import { assertLearned, type Learned } from './truth';

const SIZE = 8 << 20;
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

test('a log of 8 MB, as a file and from a pipe', () => {
  const { bytes, times, truth } = largeLog();
  const log = file(bytes);
  const [fromFile, fromPipe] = [log, '-'].map((name) =>
    run(['learn', '--json', '--db', noDatabase(), name], { input: name === '-' ? bytes : '' }),
  );
  assert.equal(fromFile?.status, 0);
  assert.equal(fromFile?.stdout, fromPipe?.stdout);
  assert.equal(fromFile?.stderr.replaceAll(log, 'standard input'), fromPipe?.stderr);
  assert.match(
    fromFile?.stderr ?? '',
    new RegExp(
      `left out ${times} broken lines, ${2 * times} overlong lines, ${times} lines with NUL bytes, for example: 2026-11-04T05:47:54Z mx1 .*192\\.0\\.2\\.300`,
    ),
  );
  const rows = JSON.parse(fromFile?.stdout ?? '') as Learned[];
  assertLearned(rows, Array.from({ length: times }, () => truth.map((sent) => ({ ...sent }))).flat());
});
