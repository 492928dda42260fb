// Random databases and random users and addresses, looked up in SQLite and compared with the oracle: in databases that stay as they are,
// and in one that changes between the questions. In this process: a start of the program for each database would be slow.

import assert from 'node:assert/strict';
import * as path from 'node:path';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { decide } from '../../src/policy/decide';
import { RuleStore } from '../../src/rules/database';
import { rulesOf } from '../../src/rules/lookup';
import { SCHEMA } from '../../src/rules/schema';
import { insertRows, writeDatabase } from '../rig/database';
import { forRandom } from '../rig/random';
import { makeFolder } from '../rig/scratch';
import { type OracleRules, oracleVerdict } from './oracle';
import { changeSomething, NOW, randomAnchors, randomQuestion, randomRows, storedRules } from './random-database';

const SOAK = process.env['SOAK'] === '1';

type Decision = ReturnType<typeof decide>;

/** @returns what the oracle says */
function compare(actual: Decision, stored: OracleRules, user: string, address: string, now: number) {
  const expected = oracleVerdict(stored, user, address, now);
  const context = () => `${JSON.stringify([user, address])} ${JSON.stringify(stored, null, 1).slice(0, 3000)}`;
  assert.ok((actual.kind === 'refused') === (expected === 'reject'), `not ${actual.kind}: ${context()}`);
  return expected;
}

test('random databases agree with the oracle', { timeout: 3_600_000 }, () => {
  const seen = { dunno: 0, reject: 0 };
  forRandom(SOAK ? 5000 : 60, (pick) => {
    const connection = new Database(':memory:');
    connection.exec(SCHEMA);
    const anchors = randomAnchors(pick);
    insertRows(connection, randomRows(pick, anchors));
    const stored = storedRules(connection);
    const rules = rulesOf(connection);
    for (let i = 0; i < 200; i++) {
      const { user, address } = randomQuestion(pick, anchors);
      seen[compare(decide({ user, address }, rules, NOW), stored, user, address, NOW)]++;
    }
    connection.close();
  });
  assert.ok(Math.min(seen.dunno, seen.reject) > (seen.dunno + seen.reject) / 20, JSON.stringify(seen));
});

test('a database that changes all the time agrees with the oracle', { timeout: 3_600_000 }, () => {
  const file = path.join(makeFolder(), 'access.db');
  forRandom(SOAK ? 300 : 6, (pick) => {
    const anchors = randomAnchors(pick);
    writeDatabase(file, randomRows(pick, anchors));
    const store = new RuleStore(file);
    let now = NOW - 2000;
    const questions = Array.from({ length: 8 }, () => randomQuestion(pick, anchors));
    for (let round = 0; round < 40; round++) {
      changeSomething(pick, file, anchors);
      now += pick(3) * 500;
      const reader = new Database(file, { readonly: true });
      const stored = storedRules(reader);
      reader.close();
      for (const { user, address } of [...questions, ...questions]) {
        const verdict = store.read((rules) => decide({ user, address }, rules, now));
        compare(verdict, stored, user, address, now);
      }
    }
    store.close();
  });
});
