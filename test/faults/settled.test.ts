// As lookup.test.ts, a database that changes, under a program that takes a change for settled after 10 ms and goes on without a lock. It is
// another process, since SQLite's locks are between processes.
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import * as path from 'node:path';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import Database from 'better-sqlite3';
import type { Asked } from '../../src/policy/decide';
import { LiveRules } from '../../src/rules/live';
import { writeDatabase } from '../policy/database';
import { makeScratch } from '../policy/scratch';
import { randomBits } from '../rules/spellings';
import { oracleVerdict } from './oracle';
import { pickFrom } from './random';
import { changeSomething, NOW, randomAddress, randomRows, randomUser, rowsOf, told } from './random-database';

const SOAK = process.env['SOAK'] === '1';
const SOON = 10;

const [, , role, database = ''] = process.argv;
if (role === 'answer') {
  const live = new LiveRules(database, SOON);
  process.on('message', (questions: Asked[]) => {
    const answers = questions.map((asked) => {
      const verdict = live.decide(asked, NOW);
      live.rest();
      return verdict.kind === 'refused' ? 'reject' : 'dunno';
    });
    process.send?.(answers);
  });
} else {
  test('a database that changes, asked without a lock', { timeout: 3_600_000 }, async (t) => {
    const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
    const pick = pickFrom(seed);
    const file = path.join(makeScratch(), 'access.db');
    const anchors = Array.from({ length: 3 }, () => randomBits(pick));
    writeDatabase(file, randomRows(pick, anchors));
    const program = fork(__filename, ['answer', file], { execArgv: [] });
    t.after(() => program.kill('SIGKILL'));
    const seen = { dunno: 0, reject: 0 };
    for (let round = 0; round < (SOAK ? 20_000 : 150); round++) {
      const questions = Array.from({ length: 12 }, () => ({
        ...randomUser(pick),
        address: randomAddress(pick, anchors),
      }));
      // Now and then before the change has settled, and twice: from memory.
      if (pick(4) > 0) await setTimeout(2 * SOON);
      program.send([...questions, ...questions]);
      const [answers] = (await once(program, 'message')) as [string[]];
      const reader = new Database(file, { readonly: true });
      const world = rowsOf(reader);
      reader.close();
      for (const [i, { user, wellFormed, address }] of [...questions, ...questions].entries()) {
        const expected = oracleVerdict(world, user, wellFormed, address, NOW);
        const asked = JSON.stringify([user, wellFormed, address]);
        assert.equal(answers[i], expected, `SEED=${seed} round ${round}: ${asked} ${told(world)}`);
        seen[expected]++;
      }
      changeSomething(pick, file, anchors);
    }
    assert.ok(Math.min(seen.dunno, seen.reject) > (seen.dunno + seen.reject) / 50, JSON.stringify(seen));
  });
}
