// What only reads writes nothing, even as root: neither beside the database nor behind a symbolic link to it. SQLite would make the
// files of write-ahead mode, or delete those that it takes for left over.
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, test } from 'node:test';
import { change, interruptChange, newDatabase } from '../rig/database';
import { run } from '../rig/run';
import { newPath } from '../rig/scratch';

const log = newPath('mail.log');
const LINE = 'Nov  4 05:47:54 h postfix/smtpd[1]: 4F6C: client=a[127.0.0.1], sasl_method=PLAIN, sasl_username=bob';
fs.writeFileSync(log, `${LINE}\n`);

const READERS = ['list', '--log none'].map((words) => words.split(' '));
/** Tried where SQLite would write most. */
const OTHER_READERS = [
  'list --status',
  'check bob 127.0.0.1',
  'export',
  'set list',
  `replay ${log}`,
  `refused ${log}`,
].map((words) => words.split(' '));

const beside = (end: string, text: string) => (db: string) => fs.writeFileSync(`${db}${end}`, text);

const STATES: [name: string, make: (db: string) => void, problem: RegExp][] = [
  ['in write-ahead mode', (db) => change(db, 'pragma journal_mode = wal'), /is in write-ahead mode/],
  ['with a -wal file left over', beside('-wal', 'left over'), /is in write-ahead mode/],
  ['with a hot journal', interruptChange, /holds an interrupted change/],
  ['that is empty', beside('', ''), /is not a database of allow-nets/],
  ['that is empty, with a journal', (db) => ['', '-journal'].map((end) => beside(end, end)(db)), /is not a database/],
  [
    'that is empty, with a -wal file',
    (db) => ['', '-wal'].map((end) => beside(end, end)(db)),
    /is in write-ahead mode/,
  ],
  ['that is gone', (db) => fs.rmSync(db), /there is no database/],
];

function listing(folder: string): unknown {
  const names = ['.', ...fs.readdirSync(folder)];
  return names.map((name) => [name, fs.lstatSync(path.join(folder, name)).mtimeMs]);
}

describe('a database', () => {
  for (const [name, make, problem] of STATES) {
    test(`${name}: refused, and nothing is written`, () => {
      const db = newDatabase();
      make(db);
      const link = newPath('link.db');
      fs.symlinkSync(db, link);
      const before = [path.dirname(db), path.dirname(link)].map(listing);
      const readers = name === 'with a hot journal' ? [...READERS, ...OTHER_READERS] : READERS;
      for (const [words, file] of [...readers.map((words) => [words, db] as const), [['list'], link] as const]) {
        const { stdout, stderr } = run(words, { db: file, input: 'sasl_username=bob\nclient_address=127.0.0.1\n\n' });
        if (!/refused|--status/.test(words.join())) assert.match(stderr, problem, words.join(' '));
        assert.doesNotMatch(stdout, /dunno/);
      }
      assert.deepEqual([path.dirname(db), path.dirname(link)].map(listing), before);
    });
  }
});
