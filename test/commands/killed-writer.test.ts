// A writer that is killed in the middle of a large import, at many moments: what the policy program answers is all of the old state or
// all of the new one, or nothing where the file must be repaired first; and the next command repairs it without being asked to.
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { query } from '../rig/database';
import { converse, request } from '../rig/policy-program';
import { run as command, start } from '../rig/run';
import { makeFolder } from '../rig/scratch';
import { address, userName, writeInput, writeManyRows } from './many-rows';

const SOAK = process.env['SOAK'] === '1';
const ROWS = SOAK ? 400_000 : 100_000;
const OLD = 10;
const NEW = 11;
/** Who may not write, as in Postfix; where this is not root, we ourselves. */
const SERVICE = process.getuid?.() === 0 ? { as: 'nobody' } : {};

/** When to kill: while the change is made, or while it is written into the database file. */
type Phase = 'changing' | 'writing';
const KILLS = SOAK ? 150 : 14;

const scratch = makeFolder();
const old = path.join(scratch, 'old.db');
const db = path.join(scratch, 'access.db');
const journal = `${db}-journal`;
const input = path.join(scratch, 'new.csv');

/** SQLite writes the first bytes of its journal last: from then on the journal counts, and the database file is being written. */
function hasBegun(phase: Phase): boolean {
  try {
    const bytes = Buffer.alloc(1);
    const file = fs.openSync(journal, 'r');
    fs.readSync(file, bytes, 0, 1, 0);
    fs.closeSync(file);
    return phase === 'changing' || bytes[0] !== 0;
  } catch {
    return false;
  }
}

/** Starts the import and kills it `delay` ms after the phase has begun. @returns whether it had not ended before */
async function killIn(phase: Phase, delay: number): Promise<boolean> {
  fs.rmSync(journal, { force: true });
  fs.copyFileSync(old, db);
  const writer = start(['import', '--replace', '--force', input], { db });
  let over = false;
  void writer.ended.then(() => {
    over = true;
  });
  while (!over && !hasBegun(phase)) await sleep(1);
  if (delay > 0) await sleep(delay);
  writer.child.kill('SIGKILL');
  const { signal, stderr } = await writer.ended;
  assert.equal(stderr, '');
  return signal === 'SIGKILL';
}

const ASKED = Array.from({ length: 12 }, (_, i) => Math.floor((i * (ROWS - 1)) / 11));

/** What the policy program says now: the state that all answers are of, or `repair`. */
async function answers(): Promise<'old' | 'new' | 'repair'> {
  const requests = ASKED.flatMap((i) => [OLD, NEW].map((state) => request(userName(i), address(state, i))));
  const { bytes, status, log } = await converse(
    ['--db', db, '--persistent', '--log', 'none'],
    requests.join(''),
    SERVICE,
  );
  if (status !== 0) {
    const problem = `database ${db} holds an interrupted change, which only a program with write permission can roll back`;
    const hint = `roll it back by running as root: allow-nets tidy --db ${db}`;
    assert.deepEqual({ bytes, status, log }, { bytes: '', status: 78, log: [`warn: ${problem}; ${hint}`] });
    return 'repair';
  }
  assert.deepEqual(log, []);
  const words = bytes
    .trimEnd()
    .split('\n\n')
    .map((reply) => reply.split(/[= ]/)[1] ?? '');
  const [first] = words;
  assert.deepEqual(
    words,
    ASKED.flatMap(() => (first === 'dunno' ? ['dunno', 'reject'] : ['reject', 'dunno'])),
  );
  return first === 'dunno' ? 'old' : 'new';
}

/** Each is another one of those that write. All of them roll the change back before they do their work. */
const NEXT_COMMANDS = [['add', 'somebody@example.com', '192.0.2.1'], ['set', 'add', 'office', '192.0.2.1'], ['tidy']];

test('a killed import leaves the old state or the new one', async (t) => {
  writeManyRows(old, OLD, ROWS);
  writeInput(input, NEW, ROWS);
  let repairs = 0;
  let kills = 0;
  const attempt = async (phase: Phase, delay: number) => {
    const next = NEXT_COMMANDS[kills % NEXT_COMMANDS.length] ?? [];
    await t.test(`${phase}, after ${delay} ms, then ${next[0]}`, async () => {
      const killed = await killIn(phase, delay);
      kills++;
      const before = await answers();
      if (before === 'repair') repairs++;
      if (!killed) assert.equal(before, 'new');
      const { status, stderr } = command([...next, '--db', db]);
      assert.equal(stderr, '');
      assert.equal(hasBegun('writing'), false, 'a journal that counts is left');
      const now = await answers();
      if (before !== 'repair') assert.equal(now, before);
      assert.equal(status, 0);
      const sql = `select substr(network, 1, 3) || count(*) from access where network <> '192.0.2.1/32' group by substr(network, 1, 3)`;
      assert.deepEqual(query(db, sql), [`${now === 'old' ? OLD : NEW}.${ROWS}`]);
      assert.deepEqual(query(db, 'pragma integrity_check'), ['ok']);
    });
  };
  // The first ones as soon as the phase has begun, the others later by and by.
  for (let i = 0; i < KILLS; i++) await attempt(i % 4 === 0 ? 'changing' : 'writing', Math.floor(i / 6) * 20);
  // On a machine that has other things to do, each of them may have come too late.
  for (let i = 0; i < 20 && repairs === 0 && process.getuid?.() === 0; i++) await attempt('writing', 0);
  t.diagnostic(`${kills} kills, of which ${repairs} left a file to be repaired`);
  assert.ok(process.getuid?.() !== 0 || repairs > 0, 'no kill came while the file was written');
});
