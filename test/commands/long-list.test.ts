// Lists and exports of many rows are written row by row: they need no more memory than those of a few.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as path from 'node:path';
import { test } from 'node:test';
import { PROGRAM } from '../rig/run';
import { makeFolder } from '../rig/scratch';
import { writeManyRows } from './many-rows';

const ROWS = 250_000;
/** Enough for V8 and for SQLite's cache to take all the room that they like to have. */
const FEW = 100_000;
/** MB. Kept as objects, the rows between would need 40 MB and more. */
const BOUND = 30;

/** Runs a command. @returns how many lines it printed, and the most memory that it had (MB) */
function ran(words: readonly string[]): { lines: number; peak: number } {
  const measured = `process.on('exit', () => require('fs').writeSync(3, String(process.resourceUsage().maxRSS)));
    process.argv.splice(1, 1, ${JSON.stringify(PROGRAM)}); require(${JSON.stringify(PROGRAM)});`;
  const { status, stdout, stderr, output } = spawnSync(process.execPath, ['-e', measured, 'program', ...words], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] },
  });
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
  return { lines: stdout.split('\n').length - 1, peak: Number(output[3]) / 1024 };
}

test('a long list needs little more memory than a short one', async (t) => {
  const scratch = makeFolder();
  const few = path.join(scratch, 'few.db');
  const many = path.join(scratch, 'many.db');
  writeManyRows(few, 10, FEW);
  writeManyRows(many, 10, ROWS);
  for (const words of [['list'], ['list', '--json'], ['export']]) {
    await t.test(words.join(' '), (t) => {
      const short = ran([...words, '--db', few]);
      const long = ran([...words, '--db', many]);
      t.diagnostic(`${short.peak.toFixed(1)} MB for ${FEW} rows, ${long.peak.toFixed(1)} MB for ${ROWS}`);
      assert.equal(long.lines - short.lines, ROWS - FEW);
      assert.ok(long.peak < short.peak + BOUND, `${long.peak} MB against ${short.peak} MB`);
    });
  }
});
