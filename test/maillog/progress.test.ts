// The progress line: how far, how much, how long still.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { progressLine } from '../../src/cli/progress';

test('the progress line', async (t) => {
  const bar = (filled: number) => `[${'#'.repeat(filled)}${'.'.repeat(30 - filled)}]`;
  const rows: [bytes: number, total: number | null, seconds: number, line: string][] = [
    [0, 1000, 0, `${bar(0)}   0 %  0 bytes of 1.0 kB`],
    [500, 1000, 10, `${bar(15)}  50 %  500 bytes of 1.0 kB, 0:10 left`],
    [2.5e9, 10e9, 61, `${bar(8)}  25 %  2.5 GB of 10.0 GB, 3:03 left`],
    [1e9, 1e12, 60, `${bar(0)}   0 %  1.0 GB of 1.0 TB, 16:39:00 left`],
    [999_999, 1_000_000, 5, `${bar(30)}  99 %  1000.0 kB of 1.0 MB, 0:01 left`],
    [1100, 1000, 5, `${bar(30)} 100 %  1.1 kB of 1.0 kB, 0:00 left`],
    [1_234_567, null, 5, 'read 1.2 MB'],
    [0, 0, 0, 'read 0 bytes'],
  ];
  for (const [bytes, total, seconds, line] of rows) {
    await t.test(line, () => {
      assert.equal(progressLine(bytes, total, seconds), line);
      assert.ok(line.length < 80);
    });
  }
});
