// A persistent program keeps no lock on the database between two answers, so no change waits for it.
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { newDatabase } from '../rig/database';
import { PolicyProgram, request } from '../rig/policy-program';

const ask = (address: string) => request('test1', address);
const DUNNO = 'action=dunno\n\n';
const REFUSED = 'action=reject 5.7.1 test1 may not send mail from 203.0.113.1\n\n';
const skip = fs.existsSync('/proc/locks') ? false : 'needs /proc/locks';

/** The locks of a process on a file (proc_locks(5)). */
function locks(pid: number | undefined, file: string): string[] {
  const inode = `:${fs.statSync(file).ino}`;
  const lines = fs.readFileSync('/proc/locks', 'utf8').split('\n');
  return lines.filter((line) => {
    const [, , , , holder, where] = line.split(/\s+/);
    return holder === `${pid}` && where?.endsWith(inode);
  });
}

test('no lock is left after an answer', { skip }, async () => {
  const file = newDatabase([{ name: 'test1', network: '192.0.2.0/24' }]);
  const own = new Database(file);
  own.exec('begin immediate');
  assert.notDeepEqual(locks(process.pid, file), [], 'a lock would be seen');
  own.close();
  const program = await PolicyProgram.start(['--persistent', '--db', file]);
  for (const [address, answer] of [
    ['192.0.2.1', DUNNO],
    ['203.0.113.1', REFUSED],
    ['192.0.2.2', DUNNO],
  ] as const) {
    assert.equal(await program.ask(ask(address)), answer);
    assert.deepEqual(locks(program.child.pid, file), []);
  }
  program.end();
  assert.equal((await program.ended).status, 0);
});

test('no lock is left while a slow log program takes a refusal', { skip }, async (t) => {
  const file = newDatabase();
  const program = await PolicyProgram.start(['--db', file], { postlog: 'exec sleep 5' });
  t.after(() => program.child.kill('SIGKILL'));
  assert.equal(await program.ask(ask('203.0.113.1')), REFUSED);
  assert.deepEqual([program.child.exitCode, locks(program.child.pid, file)], [null, []]);
});
