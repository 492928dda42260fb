// The difference between an input and the database is found while everybody else can go on: what they change meanwhile counts, however often.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import Database from 'better-sqlite3';
import { readRows } from '../../src/formats/read';
import { bringIn } from '../../src/rules/bring-in';
import { SCHEMA } from '../../src/rules/schema';
import { Staging } from '../../src/rules/staging';

const INPUT = 'user,network\nalice,10.0.0.0/8\nbob,10.1.0.0/16\n';

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'allow-nets-without-lock-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** Calls `meanwhile` each time that the search for the difference begins. */
class Interrupted extends Staging {
  meanwhile = () => {};

  override forgetDifference(): void {
    super.forgetDifference();
    this.meanwhile();
  }
}

describe('while the difference is being found', () => {
  // Others change the database so often; and so often it is let to them.
  const cases: [changes: number, written: number][] = [
    [0, 0],
    [1, 1],
    [2, 2],
    [1000, 3],
  ];
  for (const [changes, written] of cases) {
    test(`${changes} changes of another program`, () => {
      const db = join(folder, `${changes}.db`);
      const [ours, theirs] = [new Database(db, { timeout: 0 }), new Database(db, { timeout: 0 })];
      ours.exec(SCHEMA);
      const staging = new Interrupted(ours);
      let done = 0;
      let refused = 0;
      staging.meanwhile = () => {
        if (done + refused === changes) return;
        try {
          theirs.prepare('insert into access (user, network) values (?, ?)').run(`user${done}`, '192.0.2.1');
          done++;
        } catch (error) {
          assert.equal((error as { code: string }).code, 'SQLITE_BUSY');
          refused++;
        }
      };
      readRows({ chunks: [Buffer.from(INPUT)], name: '-', format: 'csv' }, staging);
      const manner = { replace: true, dryRun: false, force: true, hasSets: false, addedBy: 'x', now: 0 };
      const { access } = bringIn(ours, staging, manner);
      assert.deepEqual([done, access], [written, { added: 2, changed: 0, removed: written }]);
      assert.equal(refused, written < changes ? 1 : 0, 'the last search is done under the lock');
      assert.deepEqual(theirs.prepare('select user from access order by user').pluck().all(), [
        'alice',
        'bob',
      ]);
      ours.close();
      theirs.close();
    });
  }

  test('a dry run and a run without a difference take no write lock at all', () => {
    const db = join(folder, 'locked.db');
    const theirs = new Database(db, { timeout: 0 });
    theirs.exec(SCHEMA);
    const bring = (dryRun: boolean) => {
      const ours = new Database(db, { timeout: 0 });
      const staging = new Staging(ours);
      readRows({ chunks: [Buffer.from(INPUT)], name: '-', format: 'csv' }, staging);
      const manner = { replace: true, dryRun, force: false, hasSets: false, addedBy: 'x', now: 0 };
      try {
        return bringIn(ours, staging, manner).access.added;
      } finally {
        ours.close();
      }
    };
    theirs.exec('begin immediate');
    assert.equal(bring(true), 2);
    assert.throws(() => bring(false), { code: 'SQLITE_BUSY' });
    theirs.exec('rollback');
    assert.equal(bring(false), 2);
    theirs.exec('begin immediate');
    assert.equal(bring(false), 0);
    theirs.exec('rollback');
    theirs.close();
  });
});
