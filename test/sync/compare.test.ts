// Comparing the rows of an input while they are read (known-rows.ts) against the long way, in which every row goes into a table and SQL finds
// the difference: for random databases and inputs both must write the same rows and count the same.
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { load } from '../../src/formats/load';
import { Overtaken } from '../../src/rules/bring-in';
import { SCHEMA } from '../../src/rules/schema';

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'allow-nets-compare-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** Columns of a row, null for an empty field. */
type Row = Record<string, string | null>;

const few = <T>(...values: T[]) => fc.constantFrom(...values);
const network = few(
  '10.0.0.0/8',
  '10.1.0.0/16',
  '192.0.2.1',
  '192.0.2.1/32',
  '2001:DB8::/32',
  'any',
  '@office',
);
const note = few(null, 'x', 'a,"b"\n', '\x1f', 'ü');
const expires = few(null, '2030-01-01T00:00:00Z', '2031-01-01 00:00', '2029-12-24');
const access = fc.record({ user: few('alice', 'Bob@Example.com', '*', 'Ünal'), network, note, expires });
const inSet = fc.record({ set: few('office', 'lan'), network: few('10.0.0.0/8', '192.0.2.1', 'any'), note });
const columns = fc.subarray(['note', 'expires', 'added_at', 'added_by', 'local']);
const content = fc.record({
  rows: fc.array(fc.oneof({ weight: 4, arbitrary: access }, { weight: 1, arbitrary: inSet }), {
    maxLength: 12,
  }),
  columns,
});
/** Rows put in by hand: with a local mark, or spelled oddly. */
const byHand = fc.array(
  fc.record({ user: few('alice', 'ALICE', 'eve'), network, local: few(0, 1), keyless: fc.boolean() }),
  { maxLength: 3 },
);

function jsonOf(rows: readonly Row[], kept: readonly string[]): string {
  return JSON.stringify(
    rows.map((row) => {
      const all: Row = { ...row, added_at: null, added_by: 'x', local: '0' };
      return Object.fromEntries(
        Object.entries(all).filter(([name]) => ['user', 'set', 'network', ...kept].includes(name)),
      );
    }),
  );
}

function bring(db: string, json: string, compare: boolean) {
  const input = {
    chunks: [Buffer.from(json)],
    name: '-',
    format: 'json' as const,
    leaveOutLocal: true,
    compare,
  };
  const loaded = load(db, input, { replace: true, dryRun: false, force: true });
  assert.equal(loaded.kind, 'done');
  return loaded.kind === 'done' ? loaded.outcome : null;
}

function rowsOf(db: string): unknown[] {
  const connection = new Database(db, { readonly: true });
  const rows = ['access', 'network_set'].flatMap((table) =>
    connection
      .prepare(`select * from ${table} order by 1, 2, key`)
      .all()
      // The moment of the change is another one.
      .map((row) => ({ ...(row as object), added_at: (row as Row)['added_at'] === null ? null : 'then' })),
  );
  connection.close();
  return rows;
}

describe('an input compared while it is read', () => {
  test('changes and counts what the long way does', () => {
    let runs = 0;
    fc.assert(
      fc.property(content, content, byHand, fc.boolean(), (first, second, hand, shared) => {
        const base = join(folder, `${runs}.db`);
        const other = join(folder, `${runs++}.other.db`);
        const connection = new Database(base);
        connection.exec(SCHEMA);
        connection.close();
        bring(base, jsonOf(first.rows, first.columns), false);
        const put = new Database(base);
        for (const { user, network, local, keyless } of hand) {
          if (local === 0 && !keyless) continue;
          const key = keyless ? null : Buffer.from([4, 10, 0, 0, 0, 8]);
          put
            .prepare('insert or ignore into access (user, network, key, local) values (?, ?, ?, ?)')
            .run(user.toLowerCase(), keyless ? network : '10.0.0.0/8', key, local);
        }
        put.close();
        copyFileSync(base, other);
        // Mostly what is there already, with a few differences: the case that the comparing is for.
        const rows = shared ? [...first.rows, ...second.rows.slice(0, 3)] : second.rows;
        const json = jsonOf(rows, shared ? first.columns : second.columns);
        const counts = [bring(base, json, true), bring(other, json, false)];
        assert.deepEqual(counts[0], counts[1]);
        assert.deepEqual(rowsOf(base), rowsOf(other));
        const again = bring(base, json, true);
        assert.deepEqual(
          [again?.access, again?.network_set].map((count) => Object.values(count ?? {})),
          [
            [0, 0, 0],
            [0, 0, 0],
          ],
        );
        rmSync(base);
        rmSync(other);
      }),
      { numRuns: 60 },
    );
  });

  test('finds rows in any order, and after more misses than are looked for one by one', () => {
    const db = join(folder, 'many.db');
    const connection = new Database(db);
    connection.exec(SCHEMA);
    connection.close();
    const row = (i: number): Row => ({ user: `user${i}`, network: `10.${i >> 8}.${i & 255}.0/24` });
    const rows = Array.from({ length: 5000 }, (_, i) => row(i));
    bring(db, jsonOf(rows, []), true);
    const shuffled = rows.map((one, i) => ({ one, place: (i * 2654435761) % 4294967296 }));
    shuffled.sort((a, b) => a.place - b.place);
    const mixed = shuffled.map(({ one }) => one);
    const none = { added: 0, changed: 0, removed: 0 };
    assert.deepEqual(bring(db, jsonOf(mixed, []), true)?.access, none);
    const fewer = [...mixed.slice(1000), ...Array.from({ length: 700 }, (_, i) => row(5000 + i))];
    assert.deepEqual(bring(db, jsonOf(fewer, []), true)?.access, { added: 700, changed: 0, removed: 1000 });
    assert.equal(rowsOf(db).length, 4700);
  });

  test('is overtaken when another program changes the database meanwhile', () => {
    const db = join(folder, 'overtaken.db');
    const connection = new Database(db);
    connection.exec(SCHEMA);
    const text = 'user,network\nalice,10.0.0.0/8\nbob,10.1.0.0/16\n';
    function* chunks(): Iterable<Buffer> {
      yield Buffer.from(text);
      connection.exec("insert into access (user, network) values ('carol', '10.2.0.0/16')");
      yield Buffer.from('dave,10.3.0.0/16\n');
    }
    const read = () =>
      load(
        db,
        { chunks: chunks(), name: '-', format: 'csv', compare: true },
        { replace: true, dryRun: false, force: true },
      );
    // Without rows there is nothing to compare with.
    bring(db, JSON.stringify([{ user: 'alice', network: '10.0.0.0/8' }]), true);
    assert.throws(read, Overtaken);
    assert.equal(rowsOf(db).length, 2);
    connection.close();
  });
});
