// Faults of the database while a persistent program answers: never a pass that neither the old nor the new database allows, otherwise
// the right verdict or no reply; and right again with the first request after the fault. policy/trouble.test.ts has the exact warnings.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, test } from 'node:test';
import Database from 'better-sqlite3';
import { needs } from '../requires';
import { change, type TestRow, writeDatabase } from '../rig/database';
import { converse, PolicyProgram, request } from '../rig/policy-program';
import { PROGRAM, run } from '../rig/run';
import { makeFolder } from '../rig/scratch';

const scratch = makeFolder();
const NOBODY = { as: 'nobody' };
const DUNNO = 'action=dunno\n\n';
const REJECT = 'action=reject 5.7.1 bob may not send mail from 10.1.1.1\n\n';
const ASK = request('bob', '10.1.1.1');
const OLD: TestRow[] = [{ name: 'bob', network: '10.0.0.0/8' }];
const NEW: TestRow[] = [{ name: 'bob', network: '192.0.2.0/24' }];

let count = 0;
function fresh(rows: readonly TestRow[]): string {
  const folder = path.join(scratch, `${count++}`);
  fs.mkdirSync(folder);
  const file = path.join(folder, 'access.db');
  writeDatabase(file, rows);
  return file;
}

/** A persistent program that has answered once from the old database. */
async function started(file: string, surroundings = {}): Promise<PolicyProgram> {
  const program = await PolicyProgram.start(['--persistent', '--db', file], surroundings);
  assert.equal(await program.ask(ASK), DUNNO);
  return program;
}

async function rightAgain(file: string, answer: string): Promise<void> {
  const { bytes, status, log } = await converse(['--persistent', '--db', file], ASK + ASK);
  assert.deepEqual([bytes, status], [answer + answer, 0], log.join('\n'));
}

type Harm = (file: string) => void;

/** Changes after which the program goes on, with this answer from the first request on. */
const CHANGES: [name: string, harm: Harm, answer: string][] = [
  ['an entry added', (f) => change(f, "insert into access (user, network) values ('BOB', '::1')"), DUNNO],
  ['the entry deleted', (f) => change(f, 'delete from access'), REJECT],
  ['the network changed by hand, not its key', (f) => change(f, "update access set network = '192.0.2.0/24'"), REJECT],
  ['the user changed by hand, not its key', (f) => change(f, "update access set user = 'eve'"), REJECT],
  ['the entry expired by hand', (f) => change(f, "update access set expires = '2020-01-01'"), REJECT],
  ['vacuum', (f) => change(f, 'vacuum'), DUNNO],
  ['another database renamed over it', (f) => writeDatabase(f, NEW), REJECT],
  ['another database copied into the file', (f) => fs.copyFileSync(fresh(NEW), f), REJECT],
  ['another database copied into the file, the time set back', copyWithOldTime, REJECT],
  ['the folder renamed, and another one in its place', replaceFolder, REJECT],
  ['a symbolic link in its place', (f) => replaceByLink(f, fresh(NEW)), REJECT],
];

function copyWithOldTime(file: string): void {
  const { atime, mtime } = fs.statSync(file);
  const other = fresh(OLD);
  // One change more, so that the change counter in the header differs.
  change(other, 'delete from access');
  fs.copyFileSync(other, file);
  fs.utimesSync(file, atime, mtime);
}

function replaceFolder(file: string): void {
  const folder = path.dirname(file);
  fs.renameSync(folder, `${folder}-away`);
  fs.mkdirSync(folder);
  writeDatabase(file, NEW);
}

function replaceByLink(file: string, target: string): void {
  fs.rmSync(file);
  fs.symlinkSync(target, file);
}

/** Faults at which the program ends without a reply; they are over when a new database is renamed over the file. */
const TROUBLE: [name: string, harm: Harm, warning: RegExp][] = [
  ['the file removed', (f) => fs.rmSync(f), /there is no database/],
  ['the folder removed', (f) => fs.rmSync(path.dirname(f), { recursive: true }), /there is no database/],
  ['truncated to half', (f) => fs.truncateSync(f, Math.floor(fs.statSync(f).size / 2)), /malformed/],
  ['truncated to a half page', (f) => fs.truncateSync(f, 2000), /malformed|not a database/],
  ['truncated to nothing', (f) => fs.truncateSync(f), /not a database of allow-nets/],
  ['filled with noise', (f) => fs.writeFileSync(f, Buffer.alloc(fs.statSync(f).size, 'noise')), /not a database/],
  ['filled with noise but for the header', fillBehindHeader, /malformed/],
  ['a folder in its place', replaceByFolder, /cannot be used/],
  ['a link to itself in its place', (f) => replaceByLink(f, f), /cannot be used/],
  ['write-ahead mode', (f) => change(f, 'pragma journal_mode = wal'), /write-ahead mode/],
  ['another schema version', (f) => change(f, 'pragma user_version = 7'), /schema version 7/],
  ['tables dropped', (f) => change(f, 'drop table network_set; drop table access'), /no such table/],
];

function fillBehindHeader(file: string): void {
  const descriptor = fs.openSync(file, 'r+');
  fs.writeSync(descriptor, Buffer.alloc(fs.fstatSync(descriptor).size - 100, 0xa5), 0, null, 100);
  fs.closeSync(descriptor);
}

function replaceByFolder(file: string): void {
  fs.rmSync(file);
  fs.mkdirSync(file);
}

describe('a change of the database', { concurrency: 4 }, () => {
  for (const [name, harm, answer] of CHANGES) {
    test(name, async () => {
      const file = fresh(OLD);
      const program = await started(file);
      harm(file);
      assert.equal(await program.ask(ASK), answer);
      program.end();
      assert.equal((await program.ended).status, 0);
      await rightAgain(file, answer);
    });
  }
});

describe('a fault of the database', { concurrency: 4 }, () => {
  async function checkNoReply(program: PolicyProgram, status: number, warning: RegExp): Promise<void> {
    assert.equal(await program.ask(ASK), '');
    const ended = await program.ended;
    assert.equal(ended.status, status);
    const last = ended.log.at(-1) ?? '';
    assert.ok(last.startsWith('warn: '), last);
    assert.match(last, warning);
  }

  for (const [name, harm, warning] of TROUBLE) {
    test(name, async () => {
      const file = fresh(OLD);
      const program = await started(file);
      harm(file);
      await checkNoReply(program, 78, warning);
      // The files that SQLite keeps beside one in write-ahead mode go with it.
      fs.rmSync(path.dirname(file), { recursive: true, force: true });
      fs.mkdirSync(path.dirname(file));
      writeDatabase(file, NEW);
      await rightAgain(file, REJECT);
    });
  }

  test('locked for long, just after another change', async () => {
    const file = fresh(OLD);
    const program = await started(file);
    const writer = new Database(file);
    writer.exec('begin exclusive; delete from access');
    await checkNoReply(program, 75, /is locked/);
    writer.exec('commit');
    writer.close();
    await rightAgain(file, REJECT);
  });

  test('copied over again and again while it is asked: never a pass that neither of the two gives', async () => {
    const file = fresh(OLD);
    const [one, two] = [fresh([...OLD, ...manyRows('a')]), fresh([...manyRows('b'), ...OLD])];
    const outside = request('bob', '192.0.2.1');
    const copier = spawn('sh', ['-c', `while :; do cp ${one} ${file}; cp ${two} ${file}; done`], { stdio: 'ignore' });
    try {
      let asked = 0;
      for (const end = Date.now() + 3000; Date.now() < end || asked === 0; asked++) {
        const { bytes, status } = await converse(['--persistent', '--log', 'none', '--db', file], outside.repeat(50));
        assert.match(bytes, /^(action=reject 5\.7\.1 bob may not send mail from 192\.0\.2\.1\n\n)*$/);
        assert.ok(status === 0 || status === 78 || status === 75, `${status}`);
      }
    } finally {
      copier.kill('SIGKILL');
      await new Promise((done) => copier.once('exit', done));
    }
    fs.copyFileSync(one, file);
    await rightAgain(file, DUNNO);
  });
});

function manyRows(prefix: string): TestRow[] {
  const row = (_: unknown, i: number) => ({ name: `${prefix}${i}@example.com`, network: `10.${i % 256}.0.0/16` });
  return Array.from({ length: 500 }, row);
}

describe('an interrupted change', needs('root'), () => {
  /** A writer that is killed after its first pages have reached the file and before its commit. */
  function killWriter(file: string): void {
    const script = `
      const connection = new (require('better-sqlite3'))(process.argv[1]);
      connection.pragma('cache_size = 1');
      connection.pragma('cache_spill = 1');
      connection.exec("begin; update access set network = '0.0.0.0/0', note = hex(randomblob(2000))");
      process.kill(process.pid, 'SIGKILL');`;
    const { signal, stderr } = spawnSync(process.execPath, ['-e', script, file], { encoding: 'utf8' });
    assert.equal(signal, 'SIGKILL', stderr);
    assert.ok(fs.existsSync(`${file}-journal`), 'there should be a hot journal');
  }
  const allowNets = (...words: string[]) => run(words);
  const REMEDY = /^warn: database .* holds an interrupted change, .*; roll it back by running as root: allow-nets tidy/;

  test('of a killed writer: no reply and the remedy, which rolls it back', async () => {
    const file = fresh([...OLD, ...manyRows('a')]);
    const program = await started(file);
    killWriter(file);
    assert.equal(await program.ask(ASK), '');
    assert.equal((await program.ended).status, 78);
    for (const surroundings of [NOBODY, {}]) {
      const { bytes, status, log } = await converse(['--db', file], ASK, surroundings);
      assert.deepEqual([bytes, status], ['', 78]);
      assert.match(log.join('\n'), REMEDY);
    }
    const list = allowNets('list', 'bob', '--db', file);
    assert.deepEqual([list.status, list.stdout], [1, '']);
    assert.match(list.stderr, /holds an interrupted change.*\n.*allow-nets tidy --db/);
    assert.ok(fs.existsSync(`${file}-journal`), 'a command that reads writes nothing');
    const tidy = allowNets('tidy', '--db', file);
    assert.equal(tidy.status, 0, tidy.stderr);
    assert.ok(!fs.existsSync(`${file}-journal`));
    await rightAgain(file, DUNNO);
  });

  test('whose journal the service user may not read: no reply', async () => {
    const file = fresh([...OLD, ...manyRows('a')]);
    killWriter(file);
    fs.chmodSync(`${file}-journal`, 0o600);
    const { bytes, status, log } = await converse(['--db', file], ASK, NOBODY);
    assert.deepEqual([bytes, status], ['', 78]);
    assert.match(log.join('\n'), REMEDY);
  });

  test('a journal that is not hot does no harm', async () => {
    const file = fresh(OLD);
    fs.writeFileSync(`${file}-journal`, '');
    assert.equal((await converse(['--db', file], ASK, NOBODY)).bytes, DUNNO);
  });
});

describe('permissions', needs('root'), () => {
  async function checkForbidden(file: string): Promise<void> {
    const { bytes, status, log } = await converse(['--persistent', '--db', file], ASK, NOBODY);
    assert.deepEqual([bytes, status], ['', 78]);
    assert.match(log.join('\n'), /no permission to read database .*; let the service user's group read it, as root: /);
  }

  test('a file that becomes unreadable: no reply, also from who had it open, and right again after chmod', async () => {
    const file = fresh(OLD);
    const program = await started(file, NOBODY);
    fs.chmodSync(file, 0o600);
    assert.equal(await program.ask(ASK), '');
    assert.equal((await program.ended).status, 78);
    await checkForbidden(file);
    fs.chmodSync(file, 0o644);
    assert.equal((await converse(['--db', file], ASK, NOBODY)).bytes, DUNNO);
  });

  test('a folder above it that may not be entered', async () => {
    const file = fresh(OLD);
    fs.chmodSync(path.dirname(file), 0o700);
    await checkForbidden(file);
  });

  test('no more open files: no reply, and no bug', async () => {
    const { bytes, status, log } = await converse(['--db', fresh(OLD)], ASK, {
      command: ['/bin/sh', '-c', `ulimit -n 19; exec "$@"`, 'sh', process.execPath, PROGRAM],
    });
    assert.ok(status === 0 ? bytes === DUNNO : status === 78 && bytes === '', `${status} ${log}`);
  });
});
