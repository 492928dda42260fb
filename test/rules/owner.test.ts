// Root's commands on a database in a folder of another account: they work as that account, and follow nothing that it has planted.
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, test } from 'node:test';
import { needs } from '../requires';
import { userIds } from '../rig/accounts';
import { entries, newDatabase } from '../rig/database';
import { run, shell } from '../rig/run';
import { newPath } from '../rig/scratch';

/** A database in a folder, each with its owner. */
function site(folderOwner: string, fileOwner: string) {
  const db = newDatabase();
  const folder = path.dirname(db);
  const give = (file: string, user: string) => {
    const { uid, gid } = userIds(user);
    fs.lchownSync(file, uid, gid);
  };
  give(db, fileOwner);
  give(folder, folderOwner);
  return {
    folder,
    db,
    give,
    run: (...words: string[]) => run(words, { db }),
  };
}

/** Debian 13's Node.js lets no process change its account. */
const canSwitch = run([], { command: [process.execPath, '-e', 'process.setgroups([0])'] }).status === 0;

describe('as root', needs('root'), () => {
  test('new files belong to the owner of the folder', { skip: !canSwitch && 'this Node.js cannot switch' }, () => {
    const { db, run } = site('nobody', 'nobody');
    assert.equal(run('add', 'alice', '10.0.0.0/8').status, 0);
    assert.equal(run('sync', '--force', '--', 'echo', 'bob,10.0.0.0/8').status, 0);
    assert.equal(fs.statSync(`${db}.sync.json`).uid, userIds('nobody').uid);
  });

  test('a Node.js that cannot switch: the command that works as that account', needs('setpriv'), () => {
    const { db } = site('nobody', 'nobody');
    const words = ['add', 'alice', '10.0.0.0/8', '--db', db];
    const { status, stdout, stderr } = run(words, { env: { UV_USE_IO_URING: '1' } });
    assert.deepEqual([status, stdout], [1, '']);
    const [, command = ''] =
      /^allow-nets: error: this Node\.js cannot work as the account \d+, which controls .*\nallow-nets: hint: run the command as that account:\n {2}(setpriv .*)\n$/.exec(
        stderr,
      ) ?? [];
    assert.deepEqual(entries(db), []);
    assert.equal(shell(command).status, 0, command);
    assert.deepEqual(entries(db), ['alice 10.0.0.0/8']);
  });

  test('a file of another account in a folder of root is written as root', () => {
    const { run } = site('root', 'nobody');
    const { status, stderr } = run('add', 'alice', '10.0.0.0/8');
    assert.deepEqual([status, stderr], [0, '']);
  });

  test('a link to a database of root is not followed with the rights of root', () => {
    const victim = site('root', 'root');
    const planted = site('nobody', 'nobody');
    fs.rmSync(planted.db);
    fs.symlinkSync(victim.db, planted.db);
    planted.give(planted.db, 'nobody');
    const before = fs.readFileSync(victim.db);
    assert.equal(planted.run('add', 'mallory', 'any').status, 1);
    assert.deepEqual(fs.readFileSync(victim.db), before);
  });

  test('a forged journal that names a super-journal deletes no file of root', () => {
    const { folder, db, give, run } = site('nobody', 'nobody');
    const victim = newPath('victim');
    fs.writeFileSync(victim, 'keep');
    fs.writeFileSync(`${db}-journal`, journalNaming(victim));
    give(`${db}-journal`, 'nobody');
    run('tidy');
    assert.equal(fs.existsSync(victim), true, fs.readdirSync(folder).join(' '));
  });

  test('a folder that everybody can write is refused', () => {
    const { folder, run } = site('root', 'root');
    fs.chmodSync(folder, 0o1777);
    const { status, stderr } = run('add', 'alice', '10.0.0.0/8');
    assert.equal(status, 1);
    assert.match(stderr, /can be written by more than its owner/);
  });
});

/** A rollback journal without pages that ends with the name of a super-journal (SQLite's file format, 3). */
function journalNaming(file: string): Buffer {
  const header = Buffer.alloc(512);
  Buffer.from('d9d505f920a163d7', 'hex').copy(header);
  header.writeUInt32BE(1, 16);
  header.writeUInt32BE(512, 20);
  header.writeUInt32BE(4096, 24);
  const name = Buffer.from(file);
  const tail = Buffer.alloc(16);
  tail.writeUInt32BE(name.length, 0);
  tail.writeUInt32BE(name.reduce((sum, byte) => sum + ((byte << 24) >> 24), 0) >>> 0, 4);
  Buffer.from('d9d505f920a163d7', 'hex').copy(tail, 8);
  const page = Buffer.alloc(4);
  page.writeUInt32BE(262_145);
  return Buffer.concat([header, page, name, tail]);
}
