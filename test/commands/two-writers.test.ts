// Two writers at once: one waits for the other, or says that it could not; what was acknowledged is in the database in the end.
import assert from 'node:assert/strict';
import * as path from 'node:path';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { entries, newDatabase } from '../rig/database';
import { type Running, run, start as startCommand } from '../rig/run';
import { makeFolder } from '../rig/scratch';
import { address, userName, writeInput } from './many-rows';

const scratch = makeFolder();

const start = (db: string, ...words: string[]): Running => startCommand(words, { db });

const busy = (db: string) => ({
  status: 1,
  stdout: '',
  stderr:
    `allow-nets: error: database ${db} is locked by another program for more than 2 seconds\n` +
    `allow-nets: hint: try again; to see who holds it, run as root:\n  fuser -v ${db}\n`,
});

/** Adds entries one after the other. @returns those that were acknowledged */
async function addUntil(db: string, prefix: string, isOver: (added: number) => boolean): Promise<string[]> {
  const acknowledged: string[] = [];
  for (let i = 0; !isOver(i); i++) {
    const { signal: _, ...outcome } = await start(db, 'add', `${prefix}${i}`, '192.0.2.1').ended;
    const stdout = `${prefix}${i} may now send mail from 192.0.2.1/32\n`;
    assert.deepEqual(outcome, outcome.status === 0 ? { status: 0, stdout, stderr: '' } : busy(db));
    if (outcome.status === 0) acknowledged.push(`${prefix}${i} 192.0.2.1/32`);
  }
  return acknowledged;
}

test('a command that waits for longer than 2 seconds reports it, changes nothing, and works later', async () => {
  const db = newDatabase();
  const input = writeInput(path.join(scratch, 'few.csv'), 10, 3);
  const other = new Database(db);
  other.exec('begin immediate');
  const waiting = [
    start(db, 'add', 'alice', '10.0.0.1'),
    start(db, 'import', input),
    start(db, 'import', '--replace', '--force', input),
    start(db, 'set', 'add', 'office', '10.0.0.1'),
  ];
  for (const { ended } of waiting) assert.deepEqual(await ended, { ...busy(db), signal: null });
  // Whoever only asks need not wait.
  assert.equal(run(['list', '--db', db]).status, 0);
  other.exec('rollback');
  other.close();
  assert.deepEqual(entries(db), []);
  assert.equal(run(['import', input, '--db', db]).stdout, 'added 3, changed 0, removed 0, unchanged 0\n');
});

test('a long import, and a loop of add meanwhile: each is done as a whole, or says that the database is locked', async () => {
  const rows = 60_000;
  const db = newDatabase();
  const long = start(db, 'import', writeInput(path.join(scratch, 'many.csv'), 10, rows));
  let over = false;
  void long.ended.then(() => {
    over = true;
  });
  const added = await addUntil(db, 'a', (n) => over && n > 0);
  const { signal: _, ...outcome } = await long.ended;
  assert.ok(added.length > 0, 'the import let nobody in');
  const imported = Array.from({ length: rows }, (_, i) => `${userName(i)} ${address(10, i)}/32`);
  // Where an add held the lock for too long, the import fails and has changed nothing.
  const done = { status: 0, stdout: `added ${rows}, changed 0, removed 0, unchanged 0\n`, stderr: '' };
  assert.deepEqual(outcome, outcome.status === 0 ? done : busy(db));
  assert.deepEqual(entries(db), [...added, ...(outcome.status === 0 ? imported : [])].sort());
});
