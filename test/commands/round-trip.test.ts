// What export writes, import --replace reads back to the same rows: random rows, all formats, an empty and another database.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { newDatabase } from '../rig/database';
import { run } from '../rig/run';
import { newFile } from '../rig/scratch';
import { dump, type StoredRow, someRows } from './random-rows';

const RUNS = process.env['SOAK'] === '1' ? 300 : 6;
const FORMATS = ['csv', 'tsv', 'json'] as const;

function exported(db: string, format: string): string {
  const { status, stdout, stderr } = run(['export', '--format', format, '--db', db]);
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
  return stdout;
}

function replaced(db: string, path: string, ...more: string[]): string {
  const { status, stdout, stderr } = run(['import', '--replace', ...more, path, '--db', db]);
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
  return stdout;
}

/** `byHand`: as any SQLite client writes the rows. */
function databaseOf(rows: readonly StoredRow[], byHand = false): string {
  return newDatabase(rows.map((row) => ({ ...row, byHand })));
}

for (const format of FORMATS) {
  test(`export --format ${format} and import --replace give the same rows again`, () => {
    fc.assert(
      fc.property(someRows, someRows, (rows, others) => {
        const source = databaseOf(rows);
        const text = exported(source, format);
        const path = newFile(text, `rows.${format}`);
        // Rows with a local mark are of that server alone: a replacement leaves them.
        const foreign = others.map((row) => ({ ...row, local: 0 as const }));
        const other = databaseOf(foreign, others.length % 2 === 0);
        for (const target of [databaseOf([]), other]) {
          replaced(target, path, '--force');
          assert.deepEqual(dump(target), dump(source));
          assert.equal(exported(target, format), text);
        }
        const again = replaced(other, path);
        assert.equal(again, `added 0, changed 0, removed 0, unchanged ${rows.length}\n`);
      }),
      { numRuns: RUNS, endOnFailure: true },
    );
  });
}
