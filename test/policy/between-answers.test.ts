// A persistent program keeps no lock on the database between two answers: no change waits for it, and each change counts at once.
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { writeDatabase } from '../rig/database';
import { PolicyProgram, request } from '../rig/policy-program';
import { makeFolder } from '../rig/scratch';

const scratch = makeFolder();
const OLD = [
  { name: 'test1', network: '192.0.2.0/24' },
  { name: 'test1', network: '2001:db8::/32' },
];
const DUNNO = 'action=dunno\n\n';

const ask = (address: string) => request('test1', address);
const refused = (address: string) => `action=reject 5.7.1 test1 may not send mail from ${address}\n\n`;

/** The locks of a process on a file (proc_locks(5)). */
function locks(pid: number | undefined, file: string): string[] {
  const inode = `:${fs.statSync(file).ino}`;
  const lines = fs.readFileSync('/proc/locks', 'utf8').split('\n');
  return lines.filter((line) => {
    const [, , , , holder, where] = line.split(/\s+/);
    return holder === `${pid}` && where?.endsWith(inode);
  });
}

async function settled(t: TestContext, name: string) {
  const file = path.join(scratch, name);
  writeDatabase(file, OLD);
  const program = await PolicyProgram.start(['--persistent', '--db', file]);
  t.after(() => program.child.kill('SIGKILL'));
  assert.equal(await program.ask(ask('192.0.2.1')), DUNNO);
  await setTimeout(100);
  assert.equal(await program.ask(ask('192.0.2.2')), DUNNO);
  return { file, program };
}

describe('between two answers', { concurrency: true }, () => {
  const skip = fs.existsSync('/proc/locks') ? false : 'needs /proc/locks';

  test('no lock is left on it', { skip }, async (t) => {
    const { file, program } = await settled(t, 'no-lock.db');
    const own = new Database(file);
    own.exec('begin immediate');
    assert.notDeepEqual(locks(process.pid, file), [], 'a lock would be seen');
    own.close();
    assert.deepEqual(locks(program.child.pid, file), []);
    for (const address of ['192.0.2.3', '2001:db8::1', '203.0.113.1']) {
      assert.equal(await program.ask(ask(address)), address === '203.0.113.1' ? refused(address) : DUNNO);
      assert.deepEqual(locks(program.child.pid, file), []);
    }
    program.end();
    assert.equal((await program.ended).status, 0);
  });

  test('no lock is left while a slow log program takes a refusal', { skip }, async (t) => {
    const file = path.join(scratch, 'slow-log.db');
    writeDatabase(file, OLD);
    const program = await PolicyProgram.start(['--db', file], { postlog: 'exec sleep 5' });
    t.after(() => program.child.kill('SIGKILL'));
    assert.equal(await program.ask(ask('203.0.113.1')), refused('203.0.113.1'));
    assert.deepEqual([program.child.exitCode, locks(program.child.pid, file)], [null, []]);
  });

  test('no answer comes from a half-done change', async (t) => {
    const { file, program } = await settled(t, 'half-done.db');
    const writer = new Database(file);
    writer.pragma('cache_size = 1');
    writer.pragma('cache_spill = 1');
    const { size, mtimeMs } = fs.statSync(file);
    writer.exec(
      "begin; update access set network = '0.0.0.0/0', note = hex(randomblob(20000)) where network like '192%'",
    );
    const half = fs.statSync(file);
    assert.ok(half.mtimeMs !== mtimeMs || half.size !== size, 'pages have reached the file');
    assert.equal(await program.ask(ask('203.0.113.9')), '');
    const { status, log } = await program.ended;
    assert.equal(status, 75);
    assert.match(log.join(), /is locked by another program/);
    writer.close();
  });

  test('a file renamed over it, and its removal, count at once', async (t) => {
    const { file, program } = await settled(t, 'replaced.db');
    const other = `${file}.other`;
    writeDatabase(other, [{ name: 'test1', network: '203.0.113.0/24' }]);
    fs.copyFileSync(other, `${file}.copy`);
    fs.renameSync(`${file}.copy`, file);
    assert.equal(await program.ask(ask('203.0.113.1')), DUNNO);
    assert.equal(await program.ask(ask('192.0.2.1')), refused('192.0.2.1'));
    await setTimeout(100);
    assert.equal(await program.ask(ask('203.0.113.2')), DUNNO);
    fs.rmSync(file);
    assert.equal(await program.ask(ask('192.0.2.1')), '');
    const { status, log } = await program.ended;
    assert.equal(status, 78);
    assert.match(log.at(-1) ?? '', /^warn: there is no database .*; put the file back from a copy/);
  });
});
