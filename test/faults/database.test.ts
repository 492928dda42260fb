// What happens to the database while a persistent program answers: never a pass that neither the old nor the new database gives;
// otherwise the right verdict, or no reply and the remedy. policy/trouble has the exact warnings.
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { dirname } from 'node:path';
import { describe, test } from 'node:test';
import { needs } from '../requires';
import { change, interruptChange, newDatabase, type TestRow, writeDatabase } from '../rig/database';
import { converse, PolicyProgram, request } from '../rig/policy-program';
import { PROGRAM } from '../rig/run';

const NOBODY = { as: 'nobody' };
const DUNNO = 'action=dunno\n\n';
const REJECT = 'action=reject 5.7.1 bob may not send mail from 10.1.1.1\n\n';
const ASK = request('bob', '10.1.1.1');
const OLD: TestRow[] = [{ name: 'bob', network: '10.0.0.0/8' }];
const NEW: TestRow[] = [{ name: 'bob', network: '192.0.2.0/24' }];

async function checkNow(file: string, answer: string): Promise<void> {
  const { bytes, status, log } = await converse(['--persistent', '--db', file], ASK + ASK);
  assert.deepEqual([bytes, status], [answer + answer, 0], log.join('\n'));
}

type Harm = (file: string) => void;

const REMEDY = /holds an interrupted change, .*; roll it back by running as root: allow-nets tidy/;

/** What is done to the database, and the next answer: none where a warning is given, and right again with a new database. */
const CASES: [name: string, harm: Harm, answer: string, warning?: RegExp][] = [
  ['the entry deleted', (f) => change(f, 'delete from access'), REJECT],
  ['the network changed by hand', (f) => change(f, "update access set network = '192.0.2.0/24'"), REJECT],
  ['the entry expired by hand', (f) => change(f, "update access set expires = '2020-01-01'"), REJECT],
  ['another database renamed over it', (f) => writeDatabase(f, NEW), REJECT],
  ['another database copied into the file', (f) => fs.copyFileSync(newDatabase(NEW), f), REJECT],
  ['a symbolic link in its place', (f) => replaceByLink(f, newDatabase(NEW)), REJECT],
  ['the file removed', (f) => fs.rmSync(f), '', /there is no database/],
  ['truncated to half', (f) => fs.truncateSync(f, Math.floor(fs.statSync(f).size / 2)), '', /malformed/],
  ['truncated to nothing', (f) => fs.truncateSync(f), '', /not a database of allow-nets/],
  ['filled with noise', (f) => fs.writeFileSync(f, Buffer.alloc(fs.statSync(f).size, 'noise')), '', /not a database/],
  ['write-ahead mode', (f) => change(f, 'pragma journal_mode = wal'), '', /write-ahead mode/],
  ['made unreadable', (f) => fs.chmodSync(f, 0o600), '', /no permission to read database .*group read it, as root: /],
  ['an empty journal', (f) => fs.writeFileSync(`${f}-journal`, ''), DUNNO],
  ['an interrupted change', interruptChange, '', REMEDY],
  ['an interrupted change whose journal may not be read', interruptUnreadably, '', REMEDY],
  ['the folder closed', (f) => fs.chmodSync(dirname(f), 0o700), '', /no permission to read database/],
];

function interruptUnreadably(file: string): void {
  interruptChange(file);
  fs.chmodSync(`${file}-journal`, 0o600);
}

function replaceByLink(file: string, target: string): void {
  fs.rmSync(file);
  fs.symlinkSync(target, file);
}

describe('while a program runs', { concurrency: 4, ...needs('root') }, () => {
  for (const [name, harm, answer, warning] of CASES) {
    test(name, async () => {
      const file = newDatabase(OLD);
      const program = await PolicyProgram.start(['--persistent', '--db', file], NOBODY);
      assert.equal(await program.ask(ASK), DUNNO);
      harm(file);
      assert.equal(await program.ask(ASK), answer);
      program.end();
      const { status, log } = await program.ended;
      assert.equal(status, warning ? 78 : 0);
      assert.match(log.at(-1) ?? '', warning ?? (answer === REJECT ? /^info: verdict=reject/ : /^$/));
      if (!warning) return checkNow(file, answer);
      // What SQLite keeps beside the file goes with it.
      fs.rmSync(dirname(file), { recursive: true, force: true });
      fs.mkdirSync(dirname(file));
      writeDatabase(file, NEW);
      return checkNow(file, REJECT);
    });
  }
});

test('no more open files: no reply, and no bug', async () => {
  const command = ['/bin/sh', '-c', `ulimit -n 19; exec "$@"`, 'sh', process.execPath, PROGRAM];
  const { bytes, status, log } = await converse(['--db', newDatabase(OLD)], ASK, { command });
  assert.ok(status === 0 ? bytes === DUNNO : status === 78 && bytes === '', `${status} ${log}`);
});
