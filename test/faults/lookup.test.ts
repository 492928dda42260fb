// Random databases and random users and addresses, asked through real SQLite and held against the oracle: once a database that stands still,
// once one that changes under a persistent program.
import assert from 'node:assert/strict';
import * as path from 'node:path';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { decide } from '../../src/policy/decide';
import { LiveRules } from '../../src/rules/live';
import { rulesOf } from '../../src/rules/lookup';
import { SCHEMA } from '../../src/rules/schema';
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
      const { user, wellFormed } = randomUser(pick);
      const address = randomAddress(pick, anchors);
      const verdict = decide({ user, wellFormed, address }, () => rules, NOW);
      const expected = oracleVerdict(world, user, wellFormed, address, NOW);
      const actual = verdict.kind === 'refused' ? 'reject' : 'dunno';
      assert.equal(actual, expected, `${JSON.stringify([user, wellFormed, address])} ${told(world)}`);
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
    let live = new LiveRules(file);
    let now = NOW - 2000;
    let world: OracleRules = { access: [], sets: [] };
    // Few questions, asked again and again: most answers come from memory.
    const questions = Array.from({ length: 8 }, () => ({
      ...randomUser(pick),
      address: randomAddress(pick, anchors),
    }));
    for (let round = 0; round < 40; round++) {
      try {
        changeSomething(pick, file, anchors);
      } catch (error) {
        // After a while without a change live keeps a transaction open, whose lock is one for this process alone.
        if ((error as { code?: string }).code !== 'SQLITE_BUSY') throw error;
        live.close();
        live = new LiveRules(file);
        changeSomething(pick, file, anchors);
      }
      now += pick(3) * 500;
      const reader = new Database(file, { readonly: true });
      world = rowsOf(reader);
      reader.close();
      for (const { user, wellFormed, address } of [...questions, ...questions]) {
        const verdict = live.decide({ user, wellFormed, address }, now);
        live.rest();
        const expected = oracleVerdict(world, user, wellFormed, address, now);
        const actual = verdict.kind === 'refused' ? 'reject' : 'dunno';
        assert.equal(
          actual,
          expected,
          `round ${round}: ${JSON.stringify([user, wellFormed, address])} ${told(world)}`,
        );
      }
    }
    live.close();
  });
});
