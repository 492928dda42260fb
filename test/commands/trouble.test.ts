// Commands in trouble with the machine: permissions, a full disk, an output that cannot be written, a strange database.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { before, describe, test } from 'node:test';
import { needs } from '../requires';
import { change, newDatabase, writeDatabase } from '../rig/database';
import { mountDisk } from '../rig/disk';
import { type Outcome, PROGRAM, run, shell } from '../rig/run';
import { newFile, newPath } from '../rig/scratch';

const refused = (problem: string, hint: string): Outcome => ({
  status: 1,
  stdout: '',
  stderr: `allow-nets: error: ${problem}\nallow-nets: hint: ${hint}\n`,
});

test('a database that is none', async (t) => {
  const missing = newPath();
  const folder = path.join(path.dirname(missing), 'folder');
  fs.mkdirSync(folder);
  const empty = newFile('');
  const text = newFile('this is no database, but long enough to be taken for one at the first look: '.repeat(20));
  const [fifo, trapped, linked] = [path.join(folder, 'fifo'), newPath(), newPath()];
  for (const db of [trapped, linked]) writeDatabase(db, [{ name: 'alice', network: '10.0.0.0/8' }]);
  execFileSync('mkfifo', [fifo, `${trapped}-journal`]);
  fs.symlinkSync('/etc/passwd', `${linked}-wal`);
  const cases: [what: string, db: string, problem: string, hint: string][] = [
    ['missing', missing, `there is no database ${missing}`, `put the file back from a copy; for a new installation run as root: allow-nets init --db ${missing}`],
    ['a folder', folder, `database ${folder} cannot be used (it is not a regular file)`, `put a good copy in its place, or move it away and run as root: allow-nets init --db ${folder}`],
    ['a FIFO', fifo, `database ${fifo} cannot be used (it is not a regular file)`, `put a good copy in its place, or move it away and run as root: allow-nets init --db ${fifo}`],
    ['with a FIFO for a journal', trapped, `${trapped}-journal is not a regular file`, `find out who put it there, and remove it as root: rm -r ${trapped}-journal`],
    ['with a symbolic link for a -wal', linked, `${linked}-wal is not a regular file`, `find out who put it there, and remove it as root: rm -r ${linked}-wal`],
    ['empty', empty, `${empty} is not a database of allow-nets (schema version 0)`, `check --db, or run as root: allow-nets init --db ${empty}`],
    ['text', text, `database ${text} cannot be used (file is not a database)`, `put a good copy in its place, or move it away and run as root: allow-nets init --db ${text}`],
  ]; // biome-ignore format: a table
  for (const [what, db, problem, hint] of cases) {
    await t.test(what, () => {
      for (const words of [['list'], ['add', 'alice', '10.0.0.1'], ['export'], ['check', 'alice', '10.0.0.1']]) {
        assert.deepEqual(run([...words, '--db', db]), refused(problem, hint));
      }
      assert.equal(fs.existsSync(missing), false);
    });
  }
});

test('an empty -wal, which SQLite ignores and no command removes, is no hindrance', () => {
  const db = newPath();
  writeDatabase(db, [{ name: 'alice', network: '10.0.0.0/8' }]);
  fs.writeFileSync(`${db}-wal`, '');
  assert.equal(run(['check', 'alice', '10.0.0.1', '--db', db]).status, 0);
});

test('a schema that is not ours is named, and not called a bug', () => {
  for (const [sql, problem] of [
    [
      'alter table access rename to own; create view access as select rowid, * from own',
      'cannot modify access because it is a view',
    ],
    ["create trigger t before insert on access begin select raise(abort, 'ask Bob'); end", 'ask Bob'],
    ['create trigger t before insert on access begin select missing(); end', 'no such function: missing'],
  ] as const) {
    const db = newPath();
    writeDatabase(db, []);
    change(db, sql);
    const hint = `put a good copy in its place, or move it away and run as root: allow-nets init --db ${db}`;
    assert.deepEqual(
      run(['add', 'bob', 'any', '--db', db]),
      refused(`database ${db} cannot be used (${problem})`, hint),
    );
  }
});

test('an output that cannot be written is an error, and the input too', () => {
  const db = newPath();
  writeDatabase(db, [{ name: 'alice', network: '10.0.0.0/8' }]);
  const full = refused(
    'the answer cannot be written (ENOSPC: no space left on device, write)',
    'free the space or correct the redirection',
  );
  assert.deepEqual(shell('allow-nets export > /dev/full', { db }), full);
  assert.deepEqual(shell('allow-nets list > /dev/full', { db }), full);
  for (const words of ['--help', 'add --help', '--version']) {
    assert.deepEqual(shell(`allow-nets ${words} > /dev/full`, { db }), full, words);
  }
  assert.deepEqual(shell('allow-nets list | :', { db }), { status: 0, stdout: '', stderr: '' });
  assert.deepEqual(
    shell('allow-nets import /proc/self/mem', { db }),
    refused(
      'the input cannot be read (EIO: i/o error, read)',
      'nothing was changed; copy the input elsewhere and read that',
    ),
  );
});

describe('for an ordinary user', needs('root'), () => {
  test('reading works, writing says what to do', () => {
    const db = newDatabase([{ name: 'alice', network: '10.0.0.0/8' }]);
    const asNobody = (...words: string[]) => run([...words, '--db', db], { as: 'nobody', cwd: '/' });
    assert.deepEqual(asNobody('check', 'alice', '10.0.0.1').status, 0);
    for (const words of [
      ['add', 'bob', '10.0.0.1'],
      ['remove', 'alice', '--all'],
      ['set', 'add', 'office', '10.0.0.1'],
    ]) {
      assert.deepEqual(asNobody(...words), refused(`no permission to write database ${db}`, 'run the command as root'));
    }
    fs.chmodSync(db, 0o600);
    assert.deepEqual(
      asNobody('list'),
      refused(
        `no permission to read database ${db}`,
        `let the service user's group read it, as root: allow-nets init --db ${db}, or: chgrp GROUP ${db} && chmod 640 ${db}, and chmod g+x on each folder above it`,
      ),
    );
  });
});

const full = mountDisk('256k');
describe('a full disk', { skip: full.lacking }, () => {
  const { folder } = full;
  const db = path.join(folder, 'access.db');
  before(() => {
    assert.equal(run(['init', '--db', db]).status, 0);
    assert.equal(run(['add', 'alice', '10.0.0.0/8', '--db', db]).status, 0);
    const rest = fs.openSync(path.join(folder, 'rest'), 'w');
    assert.throws(() => {
      for (;;) fs.writeSync(rest, Buffer.alloc(4096));
    }, /ENOSPC/);
    fs.closeSync(rest);
  });

  test('is told as such, and changes nothing', () => {
    const told = (of: string) =>
      refused(
        `there is no room on the disk to change database ${of}`,
        `nothing was changed; free some space, there and in /var/tmp: df -h ${folder} /var/tmp`,
      );
    const rows = Array.from({ length: 500 }, (_, i) => `user${i}@example.com,10.0.${i >> 8}.${i & 255}\n`);
    assert.deepEqual(run(['add', 'bob', '10.0.0.1', '--db', db]), told(db));
    assert.deepEqual(run(['import', newFile(rows.join(''), 'rows.csv'), '--db', db]), told(db));
    const other = path.join(folder, 'other.db');
    assert.deepEqual(run(['init', '--db', other]), told(other));
    assert.deepEqual(run(['export', '--db', db]).stdout.split('\n').length, 3);
    fs.rmSync(path.join(folder, 'rest'));
    assert.equal(run(['init', '--db', other]).stdout, `made ${other}\n`);
    assert.equal(run(['add', 'bob', '10.0.0.1', '--db', db]).status, 0);
  });
});

const readOnly = mountDisk('256k');
describe('a read-only file system', { skip: readOnly.lacking }, () => {
  const { folder } = readOnly;
  const db = path.join(folder, 'access.db');
  before(() => {
    assert.equal(run(['init', '--db', db]).status, 0);
    assert.equal(run(['add', 'alice', '10.0.0.0/8', '--db', db]).status, 0);
    assert.equal(spawnSync('mount', ['-o', 'remount,ro', folder]).status, 0);
  });

  const isReadOnly = (of: string) =>
    refused(`database ${of} is on a read-only file system`, `find out why, and mount it for writing: findmnt -T ${of}`);

  test('is named, whatever would be written', () => {
    for (const words of ['add bob any', 'block bob', 'remove alice --all', 'set add office any', 'import -']) {
      assert.deepEqual(run([...words.split(' '), '--db', db], { input: 'bob,any\n' }), isReadOnly(db), words);
    }
    const other = path.join(folder, 'other.db');
    assert.deepEqual(run(['init', '--db', other]), isReadOnly(other));
    const below = path.join(folder, 'below');
    assert.deepEqual(
      run(['init', '--db', path.join(below, 'access.db')]),
      refused(
        `the folder ${below} cannot be made (it would be on a read-only file system)`,
        `find out why, and mount it for writing: findmnt -T ${folder}`,
      ),
    );
  });

  test('does not stop what only reads', () => {
    for (const words of ['list', 'check alice 10.0.0.1', 'export', 'tidy', 'init']) {
      const { status, stderr } = run([...words.split(' '), '--db', db]);
      assert.deepEqual({ status, stderr }, { status: 0, stderr: '' }, words);
    }
  });
});

test('a Node.js that is too old', () => {
  const preload = newFile(`Object.defineProperty(process.versions, 'node', { value: '18.20.4' });`, 'old.js');
  for (const words of [[], ['list'], ['--help'], ['doctor'], ['--version']]) {
    const command = [process.execPath, '--require', preload, PROGRAM];
    const told = refused(
      'Node.js 18.20.4 is too old',
      'install Node.js 20 or newer; then run as root: allow-nets install',
    );
    assert.deepEqual(run(words, { command }), { ...told, status: 78 }, words.join(' '));
  }
});
