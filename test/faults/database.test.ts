// Faults of the database while a persistent program answers: never a pass that neither the old nor the new database allows, otherwise
// the right verdict or no reply; and right again with the first request after the fault has gone.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, test } from 'node:test';
import Database from 'better-sqlite3';
import { change, type TestRow, writeDatabase } from '../policy/database';
import { PolicyProgram, PROGRAM, request, run } from '../policy/program';
import { makeScratch } from '../policy/scratch';

const scratch = makeScratch();
const NOBODY = 65534;
const asRoot = process.getuid?.() === 0;
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
async function started(file: string): Promise<PolicyProgram> {
  const program = await PolicyProgram.start(['--persistent', '--db', file]);
  assert.equal(await program.ask(ASK), DUNNO);
  return program;
}

async function rightAgain(file: string, answer: string): Promise<void> {
  const { bytes, status, log } = await run(['--persistent', '--db', file], ASK + ASK);
  assert.deepEqual([bytes, status], [answer + answer, 0], log.join('\n'));
}

interface Fault {
  readonly name: string;
  readonly make: (file: string) => void;
  /** The answer from the first request on; null: none, with a status and a warning. */
  readonly answer: string | null;
  readonly status?: number;
  readonly warning?: RegExp;
  /** The repair; without: a new database is renamed over. */
  readonly repair?: (file: string) => void;
}

const FAULTS: Fault[] = [
  {
    name: 'an entry added',
    make: (f) => change(f, "insert into access (user, network) values ('BOB', '::1')"),
    answer: DUNNO,
  },
  { name: 'the entry deleted', make: (f) => change(f, 'delete from access'), answer: REJECT },
  {
    name: 'the entry changed by hand, its key left as it was',
    make: (f) => change(f, "update access set network = '192.0.2.0/24'"),
    answer: REJECT,
  },
  {
    name: 'the user changed by hand, the key left as it was',
    make: (f) => change(f, "update access set user = 'eve'"),
    answer: REJECT,
  },
  {
    name: 'the entry expired by hand',
    make: (f) => change(f, "update access set expires = '2020-01-01'"),
    answer: REJECT,
  },
  { name: 'vacuum', make: (f) => change(f, 'vacuum'), answer: DUNNO },
  { name: 'another database renamed over', make: (f) => writeDatabase(f, NEW), answer: REJECT },
  {
    name: 'another database copied into the file',
    make: (f) => fs.copyFileSync(fresh(NEW), f),
    answer: REJECT,
  },
  {
    name: 'another database copied into the file, the time set back',
    make: (f) => {
      const { atime, mtime } = fs.statSync(f);
      // One change more, so that the counter of the header differs.
      const other = fresh(OLD);
      change(other, 'delete from access');
      fs.copyFileSync(other, f);
      fs.utimesSync(f, atime, mtime);
    },
    answer: REJECT,
  },
  {
    name: 'the folder renamed, and another one in its place',
    make: (f) => {
      const folder = path.dirname(f);
      fs.renameSync(folder, `${folder}-away`);
      fs.mkdirSync(folder);
      writeDatabase(f, NEW);
    },
    answer: REJECT,
  },
  {
    name: 'a symbolic link in its place',
    make: (f) => {
      fs.rmSync(f);
      fs.symlinkSync(fresh(NEW), f);
    },
    answer: REJECT,
  },
  { name: 'the file removed', make: (f) => fs.rmSync(f), answer: null, warning: /there is no database/ },
  {
    name: 'the folder removed',
    make: (f) => fs.rmSync(path.dirname(f), { recursive: true }),
    answer: null,
    warning: /there is no database/,
    repair: (f) => {
      fs.mkdirSync(path.dirname(f));
      writeDatabase(f, NEW);
    },
  },
  {
    name: 'truncated to half',
    make: (f) => fs.truncateSync(f, Math.floor(fs.statSync(f).size / 2)),
    answer: null,
    warning: /malformed/,
  },
  {
    name: 'truncated to a half page',
    make: (f) => fs.truncateSync(f, 2000),
    answer: null,
    warning: /malformed|not a database/,
  },
  {
    name: 'truncated to nothing',
    make: (f) => fs.truncateSync(f),
    answer: null,
    warning: /not a database of allow-nets/,
  },
  {
    name: 'filled with noise',
    make: (f) => fs.writeFileSync(f, Buffer.alloc(fs.statSync(f).size, 'noise')),
    answer: null,
    warning: /not a database/,
  },
  {
    name: 'filled with noise but for the header',
    make: (f) => {
      const descriptor = fs.openSync(f, 'r+');
      fs.writeSync(descriptor, Buffer.alloc(fs.fstatSync(descriptor).size - 100, 0xa5), 0, null, 100);
      fs.closeSync(descriptor);
    },
    answer: null,
    warning: /malformed/,
  },
  {
    name: 'a folder in its place',
    make: (f) => {
      fs.rmSync(f);
      fs.mkdirSync(f);
    },
    answer: null,
    warning: /cannot be used/,
    repair: (f) => {
      fs.rmdirSync(f);
      writeDatabase(f, NEW);
    },
  },
  {
    name: 'a link to itself in its place',
    make: (f) => {
      fs.rmSync(f);
      fs.symlinkSync(f, f);
    },
    answer: null,
    warning: /cannot be used/,
  },
  {
    name: 'write-ahead mode',
    make: (f) => change(f, 'pragma journal_mode = wal'),
    answer: null,
    warning: /write-ahead mode/,
    repair: (f) => change(f, 'pragma journal_mode = delete; delete from access'),
  },
  {
    name: 'another schema version',
    make: (f) => change(f, 'pragma user_version = 7'),
    answer: null,
    warning: /schema version 7/,
  },
  {
    name: 'a table dropped',
    make: (f) => change(f, 'drop table network_set; drop table access'),
    answer: null,
    warning: /no such table/,
  },
  {
    name: 'locked for long, just after another change',
    make: (f) => {
      fs.chmodSync(f, 0o644);
      const writer = new Database(f);
      writer.exec('begin exclusive; delete from access');
      writers.set(f, writer);
    },
    answer: null,
    status: 75,
    warning: /is locked/,
    repair: (f) => {
      writers.get(f)?.exec('commit');
      writers.get(f)?.close();
    },
  },
];
const replace = (file: string) => writeDatabase(file, NEW);
const writers = new Map<string, Database.Database>();

describe('a fault of the database', { concurrency: 4 }, () => {
  for (const { name, make, answer, status = 78, warning = /^$/, repair = replace } of FAULTS) {
    test(name, async () => {
      const file = fresh(OLD);
      const program = await started(file);
      make(file);
      assert.equal(await program.ask(ASK), answer ?? '');
      if (answer !== null) program.end();
      const ended = await program.ended;
      assert.equal(ended.status, answer === null ? status : 0);
      if (answer === null) {
        assert.match(ended.log.at(-1) ?? '', /^warn: /);
        assert.match(ended.log.at(-1) ?? '', warning);
        repair(file);
        await rightAgain(file, REJECT);
      } else await rightAgain(file, answer);
    });
  }

  test('copied over again and again while it is asked: never a pass that neither of the two gives', async () => {
    const file = fresh(OLD);
    const [one, two] = [fresh([...OLD, ...manyRows('a')]), fresh([...manyRows('b'), ...OLD])];
    const outside = request('bob', '192.0.2.1');
    const copier = spawn('sh', ['-c', `while :; do cp ${one} ${file}; cp ${two} ${file}; done`], {
      stdio: 'ignore',
    });
    try {
      let asked = 0;
      for (const end = Date.now() + 3000; Date.now() < end || asked === 0; asked++) {
        const { bytes, status } = await run(['--persistent', '--log', 'none', '--db', file], outside.repeat(50));
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
  return Array.from({ length: 500 }, (_, i) => ({
    name: `${prefix}${i}@example.com`,
    network: `10.${i % 256}.0.0/16`,
  }));
}

describe('an interrupted change', { skip: asRoot ? false : 'needs root, to read as nobody' }, () => {
  test('of a killed writer: no reply and the remedy; a command repairs it', async () => {
    const file = fresh([...OLD, ...manyRows('a')]);
    const program = await started(file);
    killWriter(file);
    assert.ok(fs.existsSync(`${file}-journal`), 'there should be a hot journal');
    assert.equal(await program.ask(ASK), '');
    assert.equal((await program.ended).status, 78);
    for (const surroundings of [{ uid: NOBODY }, {}]) {
      const { bytes, status, log } = await run(['--db', file], ASK, surroundings);
      assert.deepEqual([bytes, status], ['', 78]);
      assert.deepEqual(log, [
        `warn: database ${file} holds an interrupted change, which only a program with write permission can roll back; roll it back by running as root: allow-nets tidy --db ${file}`,
      ]);
    }
    const list = spawnSync(process.execPath, [PROGRAM, 'list', 'bob', '--db', file], { encoding: 'utf8' });
    assert.deepEqual([list.status, list.stdout], [1, '']);
    assert.match(list.stderr, /holds an interrupted change.*\n.*allow-nets tidy --db/);
    assert.ok(fs.existsSync(`${file}-journal`), 'a command that reads writes nothing');
    const tidy = spawnSync(process.execPath, [PROGRAM, 'tidy', '--db', file], { encoding: 'utf8' });
    assert.equal(tidy.status, 0, tidy.stderr);
    assert.ok(!fs.existsSync(`${file}-journal`));
    await rightAgain(file, DUNNO);
  });

  test('whose journal the service user may not read: no reply', async () => {
    const file = fresh([...OLD, ...manyRows('a')]);
    killWriter(file);
    fs.chmodSync(`${file}-journal`, 0o600);
    const { bytes, status, log } = await run(['--db', file], ASK, { uid: NOBODY });
    assert.deepEqual([bytes, status], ['', 78]);
    assert.match(
      log.join('\n'),
      /^warn: database .* holds an interrupted change, .*; roll it back by running as root: allow-nets tidy/,
    );
  });

  test('a journal that is not hot does no harm', async () => {
    const file = fresh(OLD);
    fs.writeFileSync(`${file}-journal`, '');
    const { bytes } = await run(['--db', file], ASK, { uid: NOBODY });
    assert.equal(bytes, DUNNO);
  });
});

/** A writer that is killed after its first pages have reached the file and before its commit. */
function killWriter(file: string, update = "network = '0.0.0.0/0', note = hex(randomblob(2000))"): void {
  const script = `
    const connection = new (require('better-sqlite3'))(process.argv[1]);
    connection.pragma('cache_size = 1');
    connection.pragma('cache_spill = 1');
    connection.exec('begin; update access set ' + process.argv[2]);
    process.kill(process.pid, 'SIGKILL');`;
  const { signal, stderr } = spawnSync(process.execPath, ['-e', script, file, update], { encoding: 'utf8' });
  assert.equal(signal, 'SIGKILL', stderr);
}

describe('permissions', { skip: asRoot ? false : 'needs root, to read as nobody' }, () => {
  test('a file that becomes unreadable: no reply, also from who had it open, and right again after chmod', async () => {
    const file = fresh(OLD);
    const program = await PolicyProgram.start(['--persistent', '--db', file], { uid: NOBODY });
    assert.equal(await program.ask(ASK), DUNNO);
    fs.chmodSync(file, 0o600);
    assert.equal(await program.ask(ASK), '');
    assert.equal((await program.ended).status, 78);
    const { bytes, status, log } = await run(['--persistent', '--db', file], ASK, { uid: NOBODY });
    assert.deepEqual([bytes, status], ['', 78]);
    assert.match(log.join('\n'), /no permission to read database .*; let the service user's group read it, as root: /);
    fs.chmodSync(file, 0o644);
    assert.equal((await run(['--db', file], ASK, { uid: NOBODY })).bytes, DUNNO);
  });

  test('a folder above it that may not be entered', async () => {
    const file = fresh(OLD);
    fs.chmodSync(path.dirname(file), 0o700);
    const { bytes, status, log } = await run(['--db', file], ASK, { uid: NOBODY });
    assert.deepEqual([bytes, status], ['', 78]);
    assert.match(log.join('\n'), /no permission to read database/);
  });

  test('no more open files: no reply, and no bug', async () => {
    const file = fresh(OLD);
    const { bytes, status, log } = await run(['--db', file], ASK, {
      command: ['/bin/sh', '-c', `ulimit -n 19; exec "$@"`, 'sh', process.execPath, PROGRAM],
    });
    assert.ok(status === 0 ? bytes === DUNNO : status === 78 && bytes === '', `${status} ${log}`);
  });
});
