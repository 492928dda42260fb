// Random databases and random users and addresses, asked through real SQLite and held against the oracle: once a database that stands still,
// once one that changes under a persistent program.
import assert from 'node:assert/strict';
import * as path from 'node:path';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { decide } from '../../src/policy/decide';
import { rulesOf } from '../../src/rules/lookup';
import { SCHEMA } from '../../src/rules/schema';
import { RuleStore } from '../../src/rules/store';
import { insertRows, writeDatabase } from '../policy/database';
import { makeScratch } from '../policy/scratch';
import { randomBits } from '../rules/spellings';
import { type OracleRules, oracleVerdict } from './oracle';
import { forSeeds } from './random';
import { changeSomething, NOW, randomAddress, randomRows, randomUser, rowsOf, told } from './random-database';

const SOAK = process.env['SOAK'] === '1';

test('random databases agree with the oracle', { timeout: 3_600_000 }, () => {
  const seen = { dunno: 0, reject: 0 };
  forSeeds(SOAK ? 5000 : 60, (pick) => {
    const connection = new Database(':memory:');
    connection.exec(SCHEMA);
    const anchors = Array.from({ length: 3 }, () => randomBits(pick));
    insertRows(connection, randomRows(pick, anchors));
    const world = rowsOf(connection);
    const rules = rulesOf(connection);
    for (let i = 0; i < 200; i++) {
      const user = randomUser(pick);
      const address = randomAddress(pick, anchors);
      const verdict = decide({ user, address }, rules, NOW);
      const expected = oracleVerdict(world, user, address, NOW);
      const actual = verdict.kind === 'refused' ? 'reject' : 'dunno';
      assert.equal(actual, expected, `${JSON.stringify([user, address])} ${told(world)}`);
      seen[expected]++;
    }
    connection.close();
  });
  assert.ok(Math.min(seen.dunno, seen.reject) > (seen.dunno + seen.reject) / 20, JSON.stringify(seen));
});

test('a database that changes all the time agrees with the oracle', { timeout: 3_600_000 }, () => {
  const file = path.join(makeScratch(), 'access.db');
  forSeeds(SOAK ? 300 : 6, (pick) => {
    const anchors = Array.from({ length: 3 }, () => randomBits(pick));
    writeDatabase(file, randomRows(pick, anchors));
    const store = new RuleStore(file);
    let now = NOW - 2000;
    let world: OracleRules = { access: [], sets: [] };
    const questions = Array.from({ length: 8 }, () => ({
      user: randomUser(pick),
      address: randomAddress(pick, anchors),
    }));
    for (let round = 0; round < 40; round++) {
      changeSomething(pick, file, anchors);
      now += pick(3) * 500;
      const reader = new Database(file, { readonly: true });
      world = rowsOf(reader);
      reader.close();
      for (const { user, address } of [...questions, ...questions]) {
        const verdict = store.read((rules) => decide({ user, address }, rules, now));
        const expected = oracleVerdict(world, user, address, now);
        const actual = verdict.kind === 'refused' ? 'reject' : 'dunno';
        assert.equal(actual, expected, `round ${round}: ${JSON.stringify([user, address])} ${told(world)}`);
      }
    }
    store.close();
  });
});
