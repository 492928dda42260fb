// Random and mutated requests. The oracle agrees on each verdict; every output is whole, well-formed answers and nothing else; no run
// ends with a bug (status 70). Most of them run through the program's modules in this process, because each broken request
// would cost a start of the program; the rest through the program itself.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { Trouble } from '../../src/failure';
import { decide } from '../../src/policy/decide';
import { logLine } from '../../src/policy/log-line';
import { actionOf, DEFAULT_REJECT_TEXT, RequestReader } from '../../src/policy/protocol';
import { RuleStore } from '../../src/rules/database';
import { newDatabase, type TestRow } from '../rig/database';
import { converse } from '../rig/policy-program';
import { forRandom, type Pick, picks, runs } from '../rig/random';
import { newFile } from '../rig/scratch';
import { oracleRequests, oracleVerdict } from './oracle';
import { randomStream } from './random-requests';

const SOAK = process.env['SOAK'] === '1';
const ROWS: TestRow[] = [
  { name: 'bob', network: '10.0.0.0/8' },
  { name: 'bob', network: '2001:db8::/32' },
  { name: 'alice@example.com', network: '192.0.2.1/32' },
  { name: '@example.com', network: '10.1.0.0/16' },
  { name: 'josé@example.com', network: 'any' },
  { name: '*', network: '192.0.2.0/24' },
];
const db = newDatabase(ROWS);
const RULES = { access: ROWS.map(({ name, network }) => ({ name, network, expires: null })), sets: [] };

/** The answers that the oracle expects to the bytes of a connection. */
function expectedAnswers(bytes: Buffer): { answers: ('dunno' | 'reject')[]; broken: boolean } {
  const { requests, broken } = oracleRequests(bytes);
  return { answers: requests.map(({ user, address }) => oracleVerdict(RULES, user, address, Date.now())), broken };
}

function checkAnswers(text: string, expected: readonly string[]): void {
  const answers = text.split('\n\n');
  assert.equal(answers.pop(), '', 'an answer that is not whole');
  const verdicts = answers.map(
    (answer) => /^action=(dunno|reject)( 5\.7\.1[ -~]{0,382})?$/.exec(answer)?.[1] ?? answer,
  );
  assert.deepEqual(verdicts, expected);
}

const READ = fs.readSync;

/** Makes `fs.readSync` return less than there is, or throw as a system call may. */
function readInPieces(pick: Pick): void {
  fs.readSync = ((descriptor: number, into: Buffer, at: number, length: number, position: null) => {
    if (position !== null) return READ(descriptor, into, at, length, position);
    const kind = pick(20);
    if (kind < 2) throw Object.assign(new Error('EINTR'), { code: kind === 0 ? 'EINTR' : 'EAGAIN' });
    const most = kind < 6 ? 1 + pick(20) : kind < 12 ? 1 + pick(2000) : length;
    return READ(descriptor, into, at, Math.min(most, length), position);
  }) as typeof fs.readSync;
}

/** What a persistent program writes for this input, and whether it finds a broken request at its end. */
function answerInProcess(store: RuleStore, descriptor: number): { output: string; broken: boolean } {
  let output = '';
  try {
    const reader = new RequestReader(descriptor);
    for (let next = reader.next(); next !== null; next = reader.next()) {
      const query = next;
      const verdict = store.read((rules) => decide(query, rules, Date.now()));
      output += `${actionOf(verdict, query, DEFAULT_REJECT_TEXT)}\n\n`;
      assert.match(logLine(verdict, query, true), /^[ -~]{1,1900}$/);
    }
  } catch (error) {
    if (!(error instanceof Trouble) || error.failure.kind !== 'request') throw error;
    return { output, broken: true };
  }
  return { output, broken: false };
}

test('through the reader and the decision', { timeout: 3_600_000 }, () => {
  const store = new RuleStore(db);
  const file = newFile('', 'input');
  const seen = { dunno: 0, reject: 0, broken: 0, whole: 0 };
  const wanted = SOAK ? 1_000_000 : 10_000;
  for (let requests = 0; requests < wanted; ) {
    forRandom(200, (pick) => {
      const bytes = randomStream(pick, 12);
      fs.writeFileSync(file, bytes);
      const descriptor = fs.openSync(file, 'r');
      // Only some of the streams: the reader waits a while after EAGAIN.
      if (pick(SOAK ? 400 : 20) === 0) readInPieces(pick);
      try {
        const expected = expectedAnswers(bytes);
        const { output, broken } = answerInProcess(store, descriptor);
        checkAnswers(output, expected.answers);
        assert.equal(broken, expected.broken, bytes.toString('latin1').slice(-500));
        for (const answer of expected.answers) seen[answer]++;
        seen[broken ? 'broken' : 'whole']++;
        requests += expected.answers.length + 1;
      } finally {
        fs.readSync = READ;
        fs.closeSync(descriptor);
      }
    });
  }
  store.close();
  for (const count of Object.values(seen)) assert.ok(count > 100, JSON.stringify(seen));
});

for (const mode of [[], ['--persistent']]) {
  test(`through whole programs ${mode}`, { timeout: 3_600_000 }, () => {
    const several = fc.array(picks, { minLength: 6, maxLength: 6 });
    const property = fc.asyncProperty(several, async (all) => {
      await Promise.all(all.map((pick) => throughProgram(mode, randomStream(pick, 4))));
    });
    return fc.assert(property, runs(SOAK ? 160 : 5));
  });
}

async function throughProgram(mode: readonly string[], bytes: Buffer): Promise<void> {
  const { answers, broken } = expectedAnswers(bytes);
  const ended = await converse([...mode, '--db', db], bytes);
  const one = mode.length === 0;
  const log = ended.log.join('\n');
  checkAnswers(ended.bytes, one ? answers.slice(0, 1) : answers);
  assert.equal(ended.status, broken && (!one || answers.length === 0) ? 65 : 0, log);
  assert.match(log, /^((warn|info): [ -~]+(\n|$))*$/);
}
