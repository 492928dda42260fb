// The tables of test/README.md name test files and folders that exist.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

test('every test that test/README.md names is there', () => {
  const rows = readFileSync('test/README.md', 'utf8').match(/^\|.*\|$/gm) ?? [];
  const named = rows.flatMap((row) => row.match(/(?<=`)(?!examples)[\w-]+\/[\w-]+(?=`)/g) ?? []);
  const files = new Set(readdirSync('test', { recursive: true, encoding: 'utf8' }));
  assert.ok(named.length > 40, `only ${named.length} names are found`);
  const missing = named.filter((name) => !files.has(`${name}.test.ts`));
  assert.deepEqual(missing, []);
});
