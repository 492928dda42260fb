// An import finds the rows that it compares by an index: it takes as long as its input is, not as long as input and database multiplied.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { importRow, RowImport } from '../../src/rules/import';
import { SCHEMA } from '../../src/rules/schema';

/** The plans of the statements that write `table` in an import. */
function plansOf(table: 'access' | 'network_set', replace: boolean): string[][] {
  const connection = new Database(':memory:');
  connection.exec(SCHEMA);
  const plans: string[][] = [];
  const watched = Object.create(connection, {
    inTransaction: { get: () => connection.inTransaction },
    prepare: {
      value(sql: string) {
        if (sql.includes('incoming') && new RegExp(`^insert into ${table}\\b`).test(sql)) {
          const steps = connection.prepare(`explain query plan ${sql}`).all({ now: '', addedBy: '', last: 0 });
          plans.push((steps as { detail: string }[]).map(({ detail }) => detail));
        }
        return connection.prepare(sql);
      },
    },
  }) as Database.Database;
  const rows = new RowImport(watched);
  rows.add(importRow(table, 'office', { kind: 'any' }));
  const options = {
    replace,
    dryRun: false,
    force: true,
    tables: ['network_set', 'access'],
    addedBy: '',
    now: 0,
  } as const;
  assert.equal(rows.apply(options).added, 1);
  return plans;
}

for (const table of ['access', 'network_set'] as const) {
  for (const replace of [false, true]) {
    test(`an import${replace ? ' --replace' : ''} finds the rows of ${table} by an index`, () => {
      const plans = plansOf(table, replace);
      assert.equal(plans.length, 1);
      for (const plan of plans) {
        assert.ok(plan.length >= 2, 'two tables are looked at');
        assert.deepEqual(
          plan.filter((step) => /\bSCAN\b/.test(step)),
          [],
        );
      }
    });
  }
}
