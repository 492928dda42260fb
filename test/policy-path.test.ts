// What one answer of the policy program costs, by its causes and not by time: the modules of Node.js that it loads before the answer, the
// code that Node compiles for it, and the query plans. test/bench measures the time.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import Database from 'better-sqlite3';
import { lookupSql } from '../src/rules/lookup';
import { SCHEMA } from '../src/rules/schema';
import { newDatabase } from './rig/database';
import { request } from './rig/policy-program';
import { PROGRAM, run } from './rig/run';
import { newFile, newPath } from './rig/scratch';

test('no module of Node is loaded before the answer that an empty script does not load', () => {
  const list = newPath('modules');
  const empty = newFile('', 'empty.js');
  // Taken at the answer: what is loaded later keeps nobody waiting.
  const probe = newFile(
    `const fs = require('node:fs');
     const { writeSync } = fs;
     const note = () => writeSync(fs.openSync(${JSON.stringify(list)}, 'w'), process.moduleLoadList.join('\\n'));
     fs.writeSync = (fd, ...rest) => { if (fd === 1) note(); return writeSync(fd, ...rest); };
     if (process.argv[1] === ${JSON.stringify(empty)}) process.once('exit', note);`,
    'probe.js',
  );
  const db = newDatabase([{ name: 'test1', network: '127.0.0.1/32' }]);
  const loaded = (script: readonly string[], address: string) => {
    const command = [process.execPath, '--require', probe, ...script];
    assert.equal(run([], { command, input: request('test1', address) }).status, 0);
    return readFileSync(list, 'utf8').split('\n');
  };
  for (const address of ['127.0.0.1', '2001:db8::1']) {
    const nothing = loaded([empty], address);
    assert.deepEqual(
      loaded([PROGRAM, '--db', db], address).filter((name) => !nothing.includes(name)),
      [],
    );
  }
});

test('the commands, yargs and ip-cidr are not in the code that Node compiles for an answer', () => {
  const parts: string[] = [];
  const code = readFileSync(PROGRAM, 'utf8').replace(/"[A-Za-z0-9+/=]{1000,}"/g, (part) => {
    parts.push(part);
    return '""';
  });
  assert.equal(parts.length, 2, 'ip-cidr and the commands');
  assert.match(code, /smtpd_access_policy/);
  assert.doesNotMatch(code, /yargs|Address6|who may send mail from where/);
});

describe('each query uses an index', () => {
  for (const state of ['empty', 'full and analysed']) {
    test(`of a database that is ${state}`, () => {
      const connection = new Database(':memory:');
      connection.exec(SCHEMA);
      if (state !== 'empty') {
        const insert = connection.prepare('insert into access (user, network, canonical) values (?, ?, ?)');
        for (let i = 0; i < 1000; i++) {
          const network = `10.0.${i >> 8}.${i & 255}`;
          insert.run(i % 2 ? 'one' : `user${i}`, network, i % 3 ? null : `one ${network}`);
        }
        connection.exec('analyze');
      }
      const plan = (sql: string): string => {
        const steps = connection.prepare(`explain query plan ${sql}`).all({ name: '', networks: '[]' });
        return (steps as { detail: string }[]).map(({ detail }) => detail).join('; ');
      };
      for (const sql of (['access', 'network_set'] as const).flatMap((table) => Object.values(lookupSql(table)))) {
        assert.match(plan(sql), / USING .*INDEX /, sql);
        assert.doesNotMatch(plan(sql), /\bSCAN\b(?! CONSTANT ROW| wanted VIRTUAL TABLE)/, sql);
      }
      assert.match(
        plan('select note from access where note = @name'),
        /\bSCAN\b/,
        'a plan without an index is noticed',
      );
      connection.close();
    });
  }
});
