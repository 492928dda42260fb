// What one answer of the policy program costs, by its causes and not by time: the files it opens, the modules it loads and the query
// plans it runs. test/bench/notes.md lists them with the reasons; test/bench measures the time.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { after, describe, test } from 'node:test';
import Database from 'better-sqlite3';
import { lookupSql } from '../src/rules/lookup';
import { SCHEMA } from '../src/rules/schema';
import { needs, program } from './requires';
import { writeDatabase } from './rig/database';
import { request } from './rig/policy-program';
import { PROGRAM } from './rig/run';
import { makeFolder } from './rig/scratch';

const ROOT = resolve('.');
const folder = makeFolder();
const database = join(folder, 'access.db');
// Beside the program, so that Node looks for package.json in the same folders.
const empty = join(ROOT, 'bin', `empty-${process.pid}.js`);
after(() => rmSync(empty, { force: true }));
writeFileSync(empty, '');

writeDatabase(database, [{ name: 'test1', network: '127.0.0.1/32' }]);

const REQUESTS = [
  { address: '127.0.0.1', answer: 'action=dunno\n\n' },
  { address: '2001:db8::1', answer: 'action=reject 5.7.1 test1 may not send mail from 2001:db8::1\n\n' },
];

/** The first column of the table under a heading of the notes. */
function listed(heading: string): string[] {
  const notes = readFileSync(join(ROOT, 'test/bench/notes.md'), 'utf8');
  const [, section = ''] = notes.split(`## ${heading}`);
  return [...(section.split('\n## ')[0] ?? '').matchAll(/^\| `(.+?)` +\|/gm)].map(([, name]) => name ?? '');
}

function run(argv: string[], input: string): string {
  const [file = '', ...rest] = argv;
  const { status, stdout, stderr } = spawnSync(file, rest, { input, env: {}, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return stdout;
}

/** The names of files that a program asks the kernel for, up to its answer: what comes later keeps nobody waiting. */
function touchedFiles(script: string[], address: string): { files: string[]; answer: string } {
  const log = join(folder, 'strace');
  const trace = [program('strace'), '-f', '-s', '4096', '-e', 'trace=file,write', '-o', log];
  const answer = run([...trace, process.execPath, ...script], request('test1', address));
  const [before = ''] = readFileSync(log, 'utf8').split(/^\d+ +write\(1, "action=/m);
  return {
    files: [...before.matchAll(/^\d+ +\w+\((?:AT_FDCWD, )?"([^"]+)"/gm)].map(([, name]) => name ?? ''),
    answer,
  };
}

/** A name as the notes have it. */
function asListed(file: string): string {
  if (file.startsWith(database)) return file.replace(database, 'DATABASE');
  if (`${dirname(database)}/`.startsWith(`${file}/`)) return 'FOLDERS';
  if (file.includes('node_modules')) return 'node_modules';
  return file.startsWith(`${ROOT}/`) ? file.slice(ROOT.length + 1) : file;
}

describe('files', needs('strace'), () => {
  for (const { address, answer } of REQUESTS) {
    test(`before ${answer.trim()} no more than the notes list`, () => {
      const ours = touchedFiles([PROGRAM, '--db', database, '--log', 'none'], address);
      assert.equal(ours.answer, answer);
      const nothing = touchedFiles([empty], address).files.map((file) => file.replace(empty, PROGRAM));
      const more = [...new Set(ours.files.filter((file) => !nothing.includes(file)).map(asListed))];
      assert.ok(more.includes('DATABASE'), 'the trace shows the database');
      const list = listed('Files touched');
      assert.deepEqual(
        more.filter((file) => !list.includes(file)),
        [],
      );
      // The commands stand in the same file: to load them is to open it again.
      const opened = (files: string[]) => files.filter((file) => file === PROGRAM).length;
      assert.equal(opened(ours.files), opened(nothing), 'times that the program is opened');
    });
  }
});

describe('modules', () => {
  const list = join(folder, 'modules');
  const probe = join(folder, 'probe.js');
  // Taken at the answer: what is loaded later keeps nobody waiting.
  writeFileSync(
    probe,
    `const fs = require('node:fs');
     const { writeSync } = fs;
     const note = () => writeSync(fs.openSync(${JSON.stringify(list)}, 'w'), process.moduleLoadList.join('\\n'));
     fs.writeSync = (fd, ...rest) => { if (fd === 1) note(); return writeSync(fd, ...rest); };
     if (process.argv[1] === ${JSON.stringify(empty)}) process.once('exit', note);`,
  );
  const loaded = (script: string[], address: string) => {
    rmSync(list, { force: true });
    run([process.execPath, '--require', probe, ...script], request('test1', address));
    return readFileSync(list, 'utf8').split('\n');
  };
  for (const { address, answer } of REQUESTS) {
    test(`before ${answer.trim()} no more than the notes list`, () => {
      const nothing = loaded([empty], address);
      const more = loaded([PROGRAM, '--db', database], address).filter((name) => !nothing.includes(name));
      const list = listed('Modules of Node');
      assert.deepEqual(
        more.filter((name) => !list.includes(name)),
        [],
      );
    });
  }

  test('the commands, yargs and ip-cidr are not in the code that Node compiles for an answer', () => {
    const code = readFileSync(PROGRAM, 'utf8').replace(/"[A-Za-z0-9+/=]{1000,}"/g, (part) => {
      parts.push(part);
      return '""';
    });
    assert.equal(parts.length, 2, 'ip-cidr and the commands');
    assert.match(code, /smtpd_access_policy/);
    assert.doesNotMatch(code, /yargs|Address6|who may send mail from where/);
  });
  const parts: string[] = [];
});

describe('query plans', () => {
  const connection = new Database(':memory:');
  connection.exec(SCHEMA);
  after(() => connection.close());
  const plans = (sql: string): string[] => {
    const statement = connection.prepare(`explain query plan ${sql}`);
    const parameters = sql.includes('@name') ? [{ name: '' }] : Array(sql.split('?').length - 1).fill('');
    return (statement.all(...parameters) as { detail: string }[]).map(({ detail }) => detail);
  };
  const fill = () => {
    const insert = connection.prepare('insert into access (user, network, key) values (?, ?, ?)');
    for (let i = 0; i < 1000; i++)
      insert.run(i % 2 ? 'one' : `user${i}`, `10.0.${i >> 8}.${i & 255}`, Buffer.from([2, i]));
    connection.exec('analyze');
  };
  for (const state of ['empty', 'full and analysed']) {
    test(`of a database that is ${state}: each uses an index`, () => {
      if (state !== 'empty') fill();
      for (const table of ['access', 'network_set'] as const) {
        for (const [name, sql] of Object.entries(lookupSql(table))) {
          const plan = plans(sql);
          assert.ok(
            plan.some((step) => / USING .*INDEX /.test(step)),
            `${table} ${name}: ${plan.join('; ')}`,
          );
          const scans = plan.filter((step) => /\bSCAN\b/.test(step) && step !== 'SCAN CONSTANT ROW');
          assert.deepEqual(
            scans.filter((step) => !listed('Scans').includes(step)),
            [],
            `${table} ${name}`,
          );
        }
      }
    });
  }

  test('a plan without an index is noticed', () => {
    assert.match(plans('select note from access where note = ?').join(), /\bSCAN\b/);
  });
});
