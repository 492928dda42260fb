// An import finds the rows that it compares by an index: it takes as long as its input is, not as long as input and database multiplied.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { importRow, RowImport } from '../../src/rules/import';
import { SCHEMA } from '../../src/rules/schema';

for (const replace of [false, true]) {
  test(`an import${replace ? ' --replace' : ''} finds the rows of both tables by an index`, () => {
    const statements: string[] = [];
    const connection = new Database(':memory:', { verbose: (sql) => void statements.push(`${sql}`) });
    connection.exec(SCHEMA);
    const rows = new RowImport(connection);
    const tables = ['network_set', 'access'] as const;
    for (const table of tables) rows.add(importRow(table, 'office', { kind: 'any' }));
    assert.equal(rows.apply({ replace, tables, dryRun: false, force: true, addedBy: '', now: 0 }).added, 2);
    const writing = statements.filter((sql) => /^insert into (access|network_set)\b.*incoming/s.test(sql));
    assert.equal(writing.length, 2);
    for (const sql of writing) {
      const steps = connection.prepare(`explain query plan ${sql}`).all() as { detail: string }[];
      const plan = steps.map(({ detail }) => detail);
      assert.ok(plan.length >= 2, 'two tables are looked at');
      assert.doesNotMatch(plan.join('\n'), /\bSCAN\b/);
    }
  });
}
