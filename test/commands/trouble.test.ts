// Commands in trouble with the machine: permissions, a full disk, an output that cannot be written, a strange database.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { needs } from '../requires';
import { change, newDatabase } from '../rig/database';
import { type Disk, mountDisk } from '../rig/disk';
import { mustRun, type Outcome, PROGRAM, type RunOptions, run, shell } from '../rig/run';
import { makeFolder, newFile, newPath } from '../rig/scratch';

const ALICE = [{ name: 'alice', network: '10.0.0.0/8' }];

const refused = (problem: string, hint: string, status = 1): Outcome => ({
  status,
  stdout: '',
  stderr: `allow-nets: error: ${problem}\nallow-nets: hint: ${hint}\n`,
});

/** Runs command lines on the database, and expects the same outcome of each. */
function expectOf(db: string, lines: readonly string[], outcome: Outcome, options: RunOptions = {}): void {
  for (const line of lines) assert.deepEqual(run([...line.split(' '), '--db', db], options), outcome, line);
}

const restore = (db: string, folderStep = '') =>
  `cp COPY ${db}.new && ${folderStep}mv ${db}.new ${db} && allow-nets init --db ${db}`;
const clone = (db: string) =>
  `sqlite3 ${db} '.clone "${db}.recovered"' && sqlite3 ${db}.recovered 'pragma user_version = 1'`;
const broken = (db: string, folderStep = '') =>
  `put a good copy in its place:\n  ${restore(db, folderStep)}\nallow-nets: hint: without a copy, save what can be read:\n  ${clone(db)}`;

test('a file that is not a database is reported, with the way back to one', async (t) => {
  const missing = newPath();
  const folder = makeFolder();
  const trapped = newDatabase(ALICE);
  const linked = newDatabase(ALICE);
  const empty = newFile('');
  const text = newFile('this is no database, but long enough to be taken for one at the first look: '.repeat(20));
  const fifo = path.join(folder, 'fifo');
  execFileSync('mkfifo', [fifo, `${trapped}-journal`]);
  fs.symlinkSync('/etc/passwd', `${linked}-wal`);
  // biome-ignore format: a case a line
  const cases: [db: string, problem: string, hint: string][] = [
    [missing, `there is no database ${missing}`, `put the file back from a copy:\n  ${restore(missing)}\nallow-nets: hint: for a new installation, where every user is refused at first, run as root:\n  allow-nets init --db ${missing}`],
    [folder, `database ${folder} cannot be used (it is not a regular file)`, broken(folder, `rmdir ${folder} && `)],
    [fifo, `database ${fifo} cannot be used (it is not a regular file)`, broken(fifo)],
    [trapped, `${trapped}-journal is not a regular file`, `find out who put it there, and remove it as root:\n  rm -r ${trapped}-journal`],
    [linked, `${linked}-wal is not a regular file`, `find out who put it there, and remove it as root:\n  rm -r ${linked}-wal`],
    [empty, `${empty} is not a database of allow-nets (schema version 0)`, `name the right file with --db, or put a good copy in its place:\n  ${restore(empty)}\nallow-nets: hint: or, if it is empty, make it a new one, where every user is refused at first, as root:\n  allow-nets init --db ${empty}`],
    [text, `database ${text} cannot be used (file is not a database)`, broken(text)],
  ];
  for (const [db, problem, hint] of cases) {
    await t.test(problem, () =>
      expectOf(db, ['list', 'add alice 10.0.0.1', 'export', 'check alice 10.0.0.1'], refused(problem, hint)),
    );
  }
  assert.equal(fs.existsSync(missing), false);
});

test('the command of the hint saves what can be read of a damaged database', needs('sqlite3'), () => {
  const users = Array.from({ length: 2000 }, (_, n) => ({ name: `user${n}@example.com`, network: '10.0.0.0/8' }));
  const db = newDatabase(users);
  const content = fs.readFileSync(db);
  const middle = Math.floor(content.length / 8192) * 4096;
  fs.writeFileSync(db, content.fill(0xa5, middle, middle + 4096));
  expectOf(db, ['tidy'], refused(`database ${db} cannot be used (database disk image is malformed)`, broken(db)));
  assert.equal(shell(clone(db)).status, 0);
  mustRun(['check', 'user0@example.com', '10.0.0.1'], { db: `${db}.recovered` });
});

test('an empty -wal, which SQLite ignores and no command removes, does no harm', () => {
  const db = newDatabase(ALICE);
  fs.writeFileSync(`${db}-wal`, '');
  mustRun(['check', 'alice', '10.0.0.1'], { db });
});

test('a schema that is not ours is reported as that, and not as a bug', () => {
  // biome-ignore format: a case a line
  const cases: [sql: string, problem: string][] = [
    ['alter table access rename to own; create view access as select rowid, * from own', 'cannot modify access because it is a view'],
    ["create trigger t before insert on access begin select raise(abort, 'ask Bob'); end", 'ask Bob'],
    ['create trigger t before insert on access begin select missing(); end', 'no such function: missing'],
  ];
  for (const [sql, problem] of cases) {
    const db = newDatabase();
    change(db, sql);
    expectOf(db, ['add bob any'], refused(`database ${db} cannot be used (${problem})`, broken(db)));
  }
});

test('output that cannot be written is an error, and so is input that cannot be read', () => {
  const db = newDatabase(ALICE);
  const full = 'the answer cannot be written (ENOSPC: no space left on device, write)';
  for (const words of ['export', 'list', '--help', 'add --help', '--version']) {
    assert.deepEqual(
      shell(`allow-nets ${words} > /dev/full`, { db }),
      refused(full, 'free the space or correct the redirection'),
      words,
    );
  }
  assert.deepEqual(shell('allow-nets list | :', { db }), { status: 0, stdout: '', stderr: '' });
  const broken = 'the input cannot be read (EIO: i/o error, read)';
  const elsewhere = 'nothing was changed; copy the input elsewhere and read that';
  assert.deepEqual(shell('allow-nets import /proc/self/mem', { db }), refused(broken, elsewhere));
});

test('an ordinary user may read; the error of a change says who may write', needs('root'), () => {
  const db = newDatabase(ALICE);
  const options = { as: 'nobody', cwd: '/' };
  assert.equal(run(['check', 'alice', '10.0.0.1'], { db, ...options }).status, 0);
  const denied = refused(`no permission to write database ${db}`, 'run the command as root');
  expectOf(db, ['add bob 10.0.0.1', 'remove alice --all', 'set add office 10.0.0.1'], denied, options);
  fs.chmodSync(db, 0o600);
  const hint = `let the service user's group read it, as root:\n  allow-nets init --db ${db}\nallow-nets: hint: or by hand:\n  chgrp GROUP ${db} ${path.dirname(db)} && chmod 640 ${db} && chmod g+x ${path.dirname(db)}`;
  expectOf(db, ['list'], refused(`no permission to read database ${db}`, hint), options);
});

function makeDatabaseOn({ folder }: Disk): string {
  const db = path.join(folder, 'access.db');
  mustRun(['init', '--db', db]);
  mustRun(['add', 'alice', '10.0.0.0/8', '--db', db]);
  return db;
}

const full = mountDisk('256k');
test('a full disk is reported, and nothing is changed', { skip: full.lacking }, () => {
  const { folder } = full;
  const db = makeDatabaseOn(full);
  const other = path.join(folder, 'other.db');
  const rest = path.join(folder, 'rest');
  const descriptor = fs.openSync(rest, 'w');
  assert.throws(() => {
    for (;;) fs.writeSync(descriptor, Buffer.alloc(4096));
  }, /ENOSPC/);
  fs.closeSync(descriptor);
  const hint = `nothing was changed; free some space, there and in /var/tmp:\n  df -h ${folder} /var/tmp`;
  const noRoom = (of: string) => refused(`there is no room on the disk to change database ${of}`, hint);
  const rows = Array.from({ length: 500 }, (_, i) => `user${i}@example.com,10.0.${i >> 8}.${i & 255}\n`);
  expectOf(db, ['add bob 10.0.0.1', `import ${newFile(rows.join(''), 'rows.csv')}`], noRoom(db));
  expectOf(other, ['init'], noRoom(other));
  assert.equal(mustRun(['export'], { db }).split('\n').length, 3);
  fs.rmSync(rest);
  assert.equal(mustRun(['init', '--db', other]), `made ${other}\n`);
  mustRun(['add', 'bob', '10.0.0.1'], { db });
});

const readOnly = mountDisk('256k');
test('a read-only file system is reported by every change, and does not affect commands that only read', {
  skip: readOnly.lacking,
}, () => {
  const { folder } = readOnly;
  const db = makeDatabaseOn(readOnly);
  const other = path.join(folder, 'other.db');
  const below = path.join(folder, 'below');
  assert.equal(spawnSync('mount', ['-o', 'remount,ro', folder]).status, 0);
  const hint = (of: string) => `find out why, and mount it for writing:\n  findmnt -T ${of}`;
  const isReadOnly = (of: string) => refused(`database ${of} is on a read-only file system`, hint(of));
  const writing = ['add bob any', 'block bob', 'remove alice --all', 'set add office any', 'import -'];
  expectOf(db, writing, isReadOnly(db), { input: 'bob,any\n' });
  expectOf(other, ['init'], isReadOnly(other));
  const why = `EROFS: read-only file system, mkdir '${below}'`;
  const where = `find out why:\n  ls -ld ${folder}; findmnt -T ${folder}`;
  expectOf(path.join(below, 'access.db'), ['init'], refused(`the folder ${below} cannot be made (${why})`, where));
  for (const words of ['list', 'check alice 10.0.0.1', 'export', 'tidy', 'init']) {
    const { status, stderr } = run([...words.split(' '), '--db', db]);
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' }, words);
  }
});

test('a Node.js that is too old ends every command with the remedy', () => {
  const preload = newFile(`Object.defineProperty(process.versions, 'node', { value: '18.20.4' });`, 'old.js');
  const command = [process.execPath, '--require', preload, PROGRAM];
  const hint = 'install Node.js 20 or newer; then run as root:\n  allow-nets install';
  for (const words of [[], ['list'], ['--help'], ['doctor'], ['--version']]) {
    assert.deepEqual(run(words, { command }), refused('Node.js 18.20.4 is too old', hint, 78), words.join(' '));
  }
});

test('a command that is typed in a folder that was removed says so', () => {
  const { status, stderr } = shell('folder=$(mktemp -d) && cd "$folder" && rmdir "$folder" && allow-nets list');
  const message =
    'allow-nets: error: the current folder does not exist any more\nallow-nets: hint: leave it:\n  cd /\n';
  assert.notEqual(status, 0);
  // The shell says it first.
  assert.ok(stderr.endsWith(message), stderr);
});

test('init gives both folder and file to the group, or neither', { skip: readOnly.lacking }, () => {
  const db = path.join(makeFolder(), 'site/access.db');
  const folder = path.dirname(db);
  mustRun(['init', '--db', db]);
  fs.chmodSync(folder, 0o755);
  const mount = `mount --bind ${db} ${db} && mount -o remount,bind,ro ${db}`;
  const { status, stderr } = shell(`unshare -m sh -c '${mount} && allow-nets init --db ${db} --user daemon'`);
  const problem = `group and mode of ${db} cannot be changed (EROFS: read-only file system, fchown)`;
  const hint = `see whether it is immutable, or its file system read-only:\n  lsattr -d ${db}; findmnt -T ${db}`;
  assert.deepEqual({ status, stdout: '', stderr }, refused(problem, hint));
  assert.equal(fs.statSync(folder).mode & 0o777, 0o755);
});
