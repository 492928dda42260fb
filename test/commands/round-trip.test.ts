// What export writes, import --replace reads back to the same rows: random rows, all formats, an empty and another database.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isSubject } from '../../src/cli/input';
import { foldName } from '../../src/rules/meaning';
import { newDatabase, query, type TestRow } from '../rig/database';
import { mustRun, run } from '../rig/run';
import { newFile } from '../rig/scratch';

const RUNS = process.env['SOAK'] === '1' ? 300 : 6;

/** What the formats give a meaning to, and what people paste. */
// biome-ignore format: a list of words
const PIECES = [
  '"', "'", ',', ';', '|', '\t', '\n', '\r', '\r\n', '\\', '\\N', '\\n', 'NULL', ' ', '  ', '\0', '{', '}', '[', ']',
  'user', 'network', '(2 rows)', '@', '/', '*', '=', ':', 'É', 'e\u0301', 'İ', 'ß', 'ﬀ', '日本', '😀', '\u202e', '\ufeff',
  '\u00a0', '\u2028', '\x7f', '\x1b[31m', '\x1e', '\x1f', '\x02', 'alice', 'example.com', '0', '1', '# ', "'; --",
];

const text = fc
  .array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ unit: 'binary', maxLength: 4 })), {
    minLength: 1,
    maxLength: 6,
  })
  .map((parts) => parts.join('') || '-');

// biome-ignore lint/suspicious/noControlCharactersInRegex: no name may hold one
const CONTROL = /[\x00-\x1f\x7f-\x9f\ufffd]/g;
/** Without names like a domain, of which import warns. */
const user = fc
  .tuple(fc.constantFrom('', '@'), text, fc.constantFrom('', '@example.com'))
  .map((parts) => foldName(parts.join('').replace(CONTROL, '')).trim())
  .filter((name) => isSubject(name) && !/^[^@]+\.com$/.test(name));
const setName = text
  .map((name) => foldName(name.replace(CONTROL, '').replace(/[\s@/,;"'=]/g, '')))
  .filter((name) => name.trim() !== '');

const moment = fc
  .date({ min: new Date('1970-01-01T00:00:00Z'), max: new Date('9999-12-31T00:00:00Z'), noInvalidDate: true })
  .map((date) => date.toISOString().replace(/\.\d+Z$/, 'Z'));

const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });
const network = fc.constantFrom('any', '0.0.0.0/0', '10.0.0.0/8', '192.0.2.7/32', '::/0', '2001:db8::/32', '::1/128');
const more = {
  local: fc.constantFrom(...([0, 0, 0, 1] as const)),
  note: optional(text),
  added_at: optional(fc.oneof(moment, text)),
  added_by: optional(text),
};
const set = fc.record({ table: fc.constant('network_set' as const), name: setName, network, ...more });
const entry = fc.record({
  table: fc.constant('access' as const),
  name: user,
  network: fc.oneof(network, fc.constantFrom('@office', 'inherit', 'none')),
  expires: optional(moment),
  ...more,
});

/** The rows of a whole database, with a set that entries name. */
const someRows: fc.Arbitrary<TestRow[]> = fc
  .uniqueArray(fc.oneof(set, entry), {
    maxLength: 80,
    selector: ({ table, name, network }) => [table, name, network].join('\n'),
  })
  .map((rows) => [
    { table: 'network_set', name: 'office', network: '203.0.113.0/24' },
    { name: 'bob@example.net', network: '@office' },
    ...rows,
  ]);

/** All rows of both tables in a fixed order. */
function dump(db: string): unknown[] {
  const columns = 'network, canonical, note, added_at, added_by, local';
  const sql = `select 'access' as "table", user as name, ${columns}, expires from access
    union all select 'network_set', name, ${columns}, null from network_set`;
  return query(db, `select * from (${sql}) order by 1, 2, 3`);
}

function replace(db: string, ...words: string[]): string {
  const { status, stdout, stderr } = run(['import', '--replace', ...words], { db });
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
  return stdout;
}

for (const format of ['csv', 'tsv', 'json']) {
  const exported = (db: string) => mustRun(['export', '--format', format], { db });
  test(`export --format ${format} and import --replace give the same rows again`, () => {
    fc.assert(
      fc.property(someRows, someRows, (rows, others) => {
        const source = newDatabase(rows);
        const text = exported(source);
        const path = newFile(text, `rows.${format}`);
        // Rows with a local mark are of that server alone: a replacement leaves them.
        const byHand = others.length % 2 === 0;
        const other = newDatabase(others.map((row) => ({ ...row, local: 0, byHand })));
        for (const target of [newDatabase(), other]) {
          replace(target, path, '--force');
          assert.deepEqual(dump(target), dump(source));
          assert.equal(exported(target), text);
        }
        assert.equal(replace(other, path), `added 0, changed 0, removed 0, unchanged ${rows.length}\n`);
      }),
      { numRuns: RUNS, endOnFailure: true },
    );
  });
}
