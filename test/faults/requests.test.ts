// Random and mutated requests: through the protocol reader and the decision in this process, and through whole programs. The oracle
// agrees on each verdict; every output is whole, well-formed answers and nothing more; no run ends with a bug (status 70).
import assert from 'node:assert/strict';
import fs from 'node:fs';
import * as path from 'node:path';
import { describe, test } from 'node:test';
import { Trouble } from '../../src/failure';
import { decide } from '../../src/policy/decide';
import { logLine } from '../../src/policy/log-line';
import { actionOf, DEFAULT_REJECT_TEXT } from '../../src/policy/reply';
import { RequestReader } from '../../src/policy/request';
import { RuleStore } from '../../src/rules/store';
import { type TestRow, writeDatabase } from '../policy/database';
import { run } from '../policy/program';
import { makeScratch } from '../policy/scratch';
import type { Pick } from '../rules/spellings';
import { randomStream } from './grammar';
import { type OracleRules, oracleRequests, oracleVerdict } from './oracle';
import { forSeeds, pickFrom } from './random';

const SOAK = process.env['SOAK'] === '1';
const scratch = makeScratch();
const db = path.join(scratch, 'access.db');
const ROWS: TestRow[] = [
  { name: 'bob', network: '10.0.0.0/8' },
  { name: 'bob', network: '2001:db8::/32' },
  { name: 'alice@example.com', network: '192.0.2.1/32' },
  { name: '@example.com', network: '10.1.0.0/16' },
  { name: 'josé@example.com', network: 'any' },
  { name: '*', network: '192.0.2.0/24' },
];
writeDatabase(db, ROWS);
const RULES: OracleRules = {
  access: ROWS.map(({ name, network }) => ({ name, network, expires: null })),
  sets: [],
};

/** The answers that the oracle expects to a connection's bytes. */
function expectedAnswers(bytes: Buffer): { answers: ('dunno' | 'reject')[]; broken: boolean } {
  const { requests, broken } = oracleRequests(bytes);
  const answers = requests.map(({ user, address }) => oracleVerdict(RULES, user, address, Date.now()));
  return { answers, broken };
}

const ANSWER = /^action=(dunno|reject)( 5\.7\.1[ -~]{0,382})?$/;

function checkAnswers(text: string, expected: readonly string[]): void {
  const answers = text.split('\n\n');
  assert.equal(answers.pop(), '', 'an answer that is not whole');
  for (const answer of answers) assert.match(answer, ANSWER);
  assert.deepEqual(
    answers.map((answer) => ANSWER.exec(answer)?.[1]),
    expected,
  );
}

/** In pieces, with the errors that a system call may give: what comes is the same. */
function readInPieces(pick: Pick): void {
  fs.readSync = ((descriptor: number, into: Buffer, at: number, length: number, position: null) => {
    if (position !== null) return READ(descriptor, into, at, length, position);
    const kind = pick(20);
    if (kind < 2) throw Object.assign(new Error('EINTR'), { code: kind === 0 ? 'EINTR' : 'EAGAIN' });
    const most = kind < 6 ? 1 + pick(20) : kind < 12 ? 1 + pick(2000) : length;
    return READ(descriptor, into, at, Math.min(most, length), position);
  }) as typeof fs.readSync;
}
const READ = fs.readSync;

test('through the reader and the decision', { timeout: 3_600_000 }, () => {
  const store = new RuleStore(db);
  const file = path.join(scratch, 'input');
  const seen = { dunno: 0, reject: 0, broken: 0, whole: 0 };
  const memory: number[] = [];
  const wanted = SOAK ? 1_000_000 : 10_000;
  for (let requests = 0; requests < wanted; ) {
    forSeeds(200, (pick) => {
      const bytes = randomStream(pick, 12);
      fs.writeFileSync(file, bytes);
      const descriptor = fs.openSync(file, 'r');
      const { answers, broken } = expectedAnswers(bytes);
      let output = '';
      let found = false;
      // Every system call in pieces would be slow: the long waits of EAGAIN are in some of the streams.
      if (pick(SOAK ? 400 : 20) === 0) readInPieces(pick);
      try {
        const reader = new RequestReader(descriptor);
        for (let next = reader.next(); next !== null; next = reader.next()) {
          const query = next;
          const verdict = store.read((rules) => decide(query, rules, Date.now()));
          output += `${actionOf(verdict, next, DEFAULT_REJECT_TEXT)}\n\n`;
          assert.match(logLine(verdict, next, true), /^[ -~]{1,1900}$/);
        }
      } catch (error) {
        if (!(error instanceof Trouble) || error.failure.kind !== 'request') throw error;
        found = true;
      } finally {
        fs.readSync = READ;
        fs.closeSync(descriptor);
      }
      checkAnswers(output, answers);
      assert.equal(found, broken, bytes.toString('latin1').slice(-500));
      for (const answer of answers) seen[answer]++;
      seen[broken ? 'broken' : 'whole']++;
      requests += answers.length + 1;
    });
    if (requests > wanted / 4) memory.push(process.memoryUsage().rss);
  }
  store.close();
  for (const count of Object.values(seen)) assert.ok(count > 100, JSON.stringify(seen));
  const [first = 0] = memory;
  const most = Math.max(...memory);
  assert.ok(most < first * 1.3 + 50e6, `memory grew from ${first} to ${most}`);
});

describe('through whole programs', () => {
  const runs = SOAK ? 1000 : 30;
  for (const mode of [[], ['--persistent']]) {
    test(`${runs} ${mode}`, { timeout: 3_600_000 }, async () => {
      const first = Math.floor(Math.random() * 2 ** 31);
      for (let done = 0; done < runs; done += 6) {
        await Promise.all(Array.from({ length: 6 }, (_, i) => throughProgram(mode, first + done + i)));
      }
    });
  }
});

async function throughProgram(mode: readonly string[], seed: number): Promise<void> {
  const pick = pickFrom(seed);
  const bytes = randomStream(pick, 4);
  const { answers, broken } = expectedAnswers(bytes);
  const ended = await run([...mode, '--db', db], bytes);
  const one = mode.length === 0;
  const expected = one ? answers.slice(0, 1) : answers;
  try {
    checkAnswers(ended.bytes, expected);
    assert.equal(ended.status, broken && (!one || answers.length === 0) ? 65 : 0);
    for (const line of ended.log) assert.match(line, /^(warn|info): [ -~]+$/);
  } catch (error) {
    throw new Error(`${mode} SEED=${seed}: ${(error as Error).message}\n${ended.log.join('\n')}`, {
      cause: error,
    });
  }
}
