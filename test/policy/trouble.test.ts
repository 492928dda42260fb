// Every kind of trouble through the shipped program: no byte on the socket, one warning in the mail log that says what to do, the exit
// status of the design; by hand the same warning on standard error. And right again as soon as the trouble is over.
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { databaseFailureOf } from '../../src/rules/database-failure';
import { change, writeDatabase } from '../rig/database';
import { addonForAnotherNode } from '../rig/other-addon';
import { converse, PolicyProgram, request, runByHand, type ServiceOptions } from '../rig/policy-program';
import { makeFolder } from '../rig/scratch';
import { copyProgram } from '../rig/service-program';

const scratch = makeFolder();
const isRoot = process.getuid?.() === 0;
const good = path.join(scratch, 'good.db');
writeDatabase(good, [{ name: 'test1', network: '127.0.0.0/8' }]);
const GOOD = request('test1', '127.0.0.1');

interface Trouble {
  readonly name: string;
  readonly words?: readonly string[];
  readonly input?: string;
  readonly surroundings?: ServiceOptions;
  /** Default: 78. */
  readonly status?: number;
  readonly problem: string | RegExp;
  readonly hint: string | RegExp;
  /** The hint to whoever runs the program by hand, where it is another one. */
  readonly byHand?: string;
}

/** A file made from a good database. */
function file(name: string, make: (file: string) => void): string {
  const made = path.join(scratch, name);
  writeDatabase(made, [{ name: 'test1', network: '127.0.0.0/8' }]);
  make(made);
  return made;
}

/** The program beside an addon of ours, or none. */
function installedWith(name: string, addon: Buffer | null): ServiceOptions {
  const folder = path.join(scratch, name);
  const script = copyProgram(folder);
  const modules = path.join(folder, 'node_modules');
  if (addon === null) fs.rmSync(modules, { recursive: true });
  else {
    const release = path.join(modules, 'better-sqlite3/build/Release');
    fs.mkdirSync(release, { recursive: true });
    fs.writeFileSync(path.join(release, 'better_sqlite3.node'), addon);
  }
  return { command: [process.execPath, script] };
}

const db = (name: string) => path.join(scratch, name);
const npm = (name: string, words: string) =>
  `cd ${db(name)} && PATH=${path.dirname(process.execPath)}:$PATH npm ${words}`;
const install = (name: string, major: number) => npm(name, `install --omit=dev --no-save better-sqlite3@${major}`);

const restore = (file: string, folderStep = '') =>
  `cp COPY ${file}.new && ${folderStep}mv ${file}.new ${file} && allow-nets init --db ${file}`;
const missingHint = (file: string, folderStep = '') =>
  `put the file back from a copy: ${folderStep}${restore(file)}; for a new installation, where every user is refused at first, run as root: allow-nets init --db ${file}`;
const brokenHint = (file: string, folderStep = '') =>
  `put a good copy in its place: ${restore(file, folderStep)}; without a copy, save what can be read: sqlite3 ${file} '.clone "${file}.recovered"' && sqlite3 ${file}.recovered 'pragma user_version = 1'`;

const FORBIDDEN = {
  name: 'a file that may not be read',
  words: ['--db', file('forbidden.db', (f) => fs.chmodSync(f, 0o600))],
  surroundings: { as: 'nobody' },
  problem: `no permission to read database ${db('forbidden.db')}`,
  hint: /^let the service user's group read it, as root: allow-nets init --db .*forbidden\.db; or by hand: chgrp GROUP .*forbidden\.db \S+ && chmod 640 /,
};

const DATABASE = [
  {
    name: 'a database, or its folder, that is missing',
    words: ['--db', db('no/such.db')],
    problem: `there is no database ${db('no/such.db')}`,
    hint: missingHint(db('no/such.db'), `mkdir -p ${db('no')} && `),
  },
  {
    name: 'a file where a folder should be',
    words: ['--db', `${good}/access.db`],
    problem: `there is no database ${good}/access.db`,
    hint: missingHint(`${good}/access.db`),
  },
  {
    name: 'a folder in place of a database',
    words: ['--db', scratch],
    problem: `database ${scratch} cannot be used (it is not a regular file)`,
    hint: brokenHint(scratch, `rmdir ${scratch} && `),
  },
  ...(
    [
      ['noise', 'file is not a database', (f) => fs.writeFileSync(f, Buffer.alloc(32768, 'noise'))],
      ['header', 'database disk image is malformed', (f) => overwrite(f, 100, Buffer.alloc(32768, 0xa5))],
      ['half', 'database disk image is malformed', (f) => fs.truncateSync(f, fs.statSync(f).size / 2)],
      ['table', 'no such table: access', (f) => change(f, 'drop table access')],
      ['format', 'unsupported file format', (f) => overwrite(f, 47, Buffer.of(5))],
    ] as [name: string, problem: string, make: (file: string) => void][]
  ).map(([name, problem, make]) => ({
    name: `a broken database: ${name}`,
    words: ['--db', file(`${name}.db`, make)],
    problem: `database ${db(`${name}.db`)} cannot be used (${problem})`,
    hint: brokenHint(db(`${name}.db`)),
  })),
  {
    name: 'an empty file',
    words: ['--db', file('empty.db', (f) => fs.truncateSync(f))],
    problem: `${db('empty.db')} is not a database of allow-nets (schema version 0)`,
    hint: `name the right file with --db, or put a good copy in its place: ${restore(db('empty.db'))}; or, if it is empty, make it a new one, where every user is refused at first, as root: allow-nets init --db ${db('empty.db')}`,
  },
  {
    name: 'a newer schema',
    words: ['--db', file('newer.db', (f) => change(f, 'pragma user_version = 99'))],
    problem: `database ${db('newer.db')} has schema version 99, this program knows 1`,
    hint: 'install the version of postfix-allow-nets that made it, or a newer one',
  },
  {
    name: 'write-ahead mode',
    words: ['--db', file('wal.db', (f) => change(f, 'pragma journal_mode = wal'))],
    problem: `database ${db('wal.db')} is in write-ahead mode, which the service user cannot read reliably`,
    hint: `set it back by running as root: allow-nets tidy --db ${db('wal.db')}`,
  },
  ...(isRoot ? [FORBIDDEN] : []),
];

const ADDON = [
  {
    name: 'no addon',
    surroundings: installedWith('no-addon', null),
    problem: `better-sqlite3, or its native addon, is missing in ${db('no-addon')}/node_modules`,
    hint: `install it as the owner of the folder: ${install('no-addon', Number(process.versions['napi']) < 10 ? 12 : 13)}`,
  },
  {
    name: 'an addon for another Node.js',
    surroundings: installedWith('other-addon', fs.readFileSync(addonForAnotherNode())),
    problem: `better-sqlite3 was built for another Node.js than ${process.version}`,
    hint: `rebuild it as the owner of the folder: ${npm('other-addon', 'rebuild better-sqlite3')}`,
  },
  {
    name: 'a broken addon',
    surroundings: installedWith('broken-addon', Buffer.from('no addon\n')),
    problem: /^better-sqlite3's native addon cannot be loaded \(.*\)$/,
    hint: `rebuild it as the owner of the folder: ${npm('broken-addon', 'rebuild better-sqlite3')}`,
  },
];

for (const [version, node, napi, wanted] of [
  ['12.11.1', '24.19.0', '10', 13],
  ['12.11.1', '26.0.0', '10', 13],
  ['13.2.0', '20.20.2', '9', 12],
] as const) {
  const name = `crash-${version}-${node}`;
  const surroundings = installedWith(name, Buffer.from('never loaded\n'));
  const manifest = path.join(scratch, name, 'node_modules/better-sqlite3/package.json');
  fs.writeFileSync(manifest, JSON.stringify({ name: 'better-sqlite3', version }));
  const versions = path.join(scratch, name, 'versions.js');
  fs.writeFileSync(
    versions,
    `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${node}', napi: '${napi}' } });`,
  );
  ADDON.push({
    name: `better-sqlite3 ${version} under Node.js ${node}, which it would crash`,
    surroundings: {
      command: [process.execPath, '--require', versions, ...(surroundings.command ?? []).slice(1)],
    },
    problem: `better-sqlite3 ${version} crashes Node.js v${node}, so it was not loaded`,
    hint: `run as the owner of the folder: ${install(name, wanted)}`,
  });
}

const tooLong = `sasl_username=test1\n${'a=b\n'.repeat(16384)}\n`;
const requestHint =
  'let only check_policy_service talk to this program, one "name=value" a line and an empty line at the end';
const REQUEST = (
  [
    ['a line without "="', `sasl_username=test1\nnonsense\n\n`, 'a line without "="'],
    ['an unknown request', GOOD.replace('smtpd_access_policy', 'junk'), '"request" is not smtpd_access_policy'],
    ['a request of more than 64 KiB', tooLong, 'a request of more than 65536 bytes'],
    ['the end of input before the empty line', GOOD.slice(0, -1), 'the input ended inside a request'],
  ] as const
).map(([name, input, problem]) => ({
  name,
  input,
  status: 65,
  problem: `policy request not understood: ${problem}`,
  hint: requestHint,
}));

const optionUsage = 'allow-nets [--db FILE] [--persistent] [--reject-text TEXT] [--log none|reject|all]';
const optionHint = `correct the argv= of the master.cf entry: ${optionUsage}`;
const OPTION = (
  [
    [['--persistant'], 'unknown option --persistant'],
    [['--persistent=yes'], 'unknown option --persistent=yes'],
    [['-p'], 'unknown option -p'],
    [['-'], 'unknown option -'],
    [['--'], 'unknown option --'],
    [['--db='], '--db requires a value'],
    [['--db', ''], '--db requires a value'],
    [['--reject-text'], '--reject-text requires a value'],
    [['--log', 'some'], '--log is none, reject or all, not some'],
  ] as const
).map(([words, problem]) => ({
  name: words.join(' '),
  words,
  status: 64,
  problem,
  hint: optionHint,
  byHand: `see allow-nets --help; the policy program is: ${optionUsage}`,
}));

function overwrite(target: string, at: number, bytes: Buffer): void {
  const descriptor = fs.openSync(target, 'r+');
  fs.writeSync(descriptor, bytes, 0, Math.min(bytes.length, fs.fstatSync(descriptor).size - at), at);
  fs.closeSync(descriptor);
}

function matches(actual: string, expected: string | RegExp, what: string): void {
  if (typeof expected === 'string') assert.equal(actual, expected, what);
  else assert.match(actual, expected, what);
}

function checkWords(log: readonly string[], { problem, hint }: Trouble): void {
  assert.equal(log.length, 1, log.join('\n'));
  const line = log[0] ?? '';
  assert.ok(line.startsWith('warn: '), line);
  const middle = line.indexOf('; ', 6);
  matches(line.slice(6, middle), problem, 'problem');
  matches(line.slice(middle + 2), hint, 'hint');
}

describe('trouble', { concurrency: 4 }, () => {
  const all: Trouble[] = [...DATABASE, ...ADDON, ...REQUEST, ...OPTION];
  for (const trouble of all) {
    const { name, words = [], input = GOOD, surroundings = {}, status = 78 } = trouble;
    const withDatabase = words.includes('--db') ? words : ['--db', good, ...words];
    test(`${name}, on the socket of a persistent program`, async () => {
      const { bytes, log, ...how } = await converse(['--persistent', ...withDatabase], input, surroundings);
      assert.deepEqual([bytes, how], ['', { status, signal: null }]);
      checkWords(log, trouble);
    });

    test(`${name}, by hand`, () => {
      const { stdout, stderr, log, ...how } = runByHand(withDatabase, input, surroundings);
      assert.deepEqual([stdout, how], ['', { status }]);
      const shown = { ...trouble, hint: trouble.byHand ?? trouble.hint };
      checkWords(log, shown);
      const [, problem, hints = ''] = /^allow-nets: error: ([^\n]*)\nallow-nets: hint: (.*)\n$/s.exec(stderr) ?? [];
      const hint = hints.replaceAll('\n  ', ' ').replaceAll('\nallow-nets: hint: ', '; ');
      matches(problem ?? '', trouble.problem, stderr);
      matches(hint ?? '', shown.hint, stderr);
    });
  }

  for (const [words, problem] of [
    [['persistent'], 'unknown word persistent'],
    [['--persistent', 'nonsense'], 'unknown word nonsense'],
    [['--db', good, 'serve'], 'unknown word serve'],
    ...['--database', '--help', '--version'].map((option) => [['--persistent', option], `unknown option ${option}`]),
  ] as [words: string[], problem: string][]) {
    test(`${problem}: no message goes to the socket`, async () => {
      const log = [`warn: ${problem}; ${optionHint}`];
      assert.deepEqual(await converse(words, GOOD), { bytes: '', status: 64, signal: null, log });
    });
  }

  test('a command that is run over one socket prints all its messages', async () => {
    const { bytes, status } = await converse(['list', '--db', '/no/such.db'], '');
    assert.equal(status, 1);
    assert.match(bytes, /^allow-nets: error: there is no database \/no\/such\.db\nallow-nets: hint: /);
  });
});

test('when the disk, the memory or the open files are at fault, the database is not to be replaced', () => {
  for (const code of ['SQLITE_IOERR_READ', 'SQLITE_NOMEM', 'EMFILE']) {
    const failure = databaseFailureOf('/x.db', Object.assign(new Error('disk I/O error'), { code }));
    assert.equal(failure?.problem, 'the system fails to read or write database /x.db (disk I/O error)');
    assert.match(failure.hint ?? '', /^the file may be good/);
  }
});

describe('a database that another program has locked', { concurrency: 2 }, () => {
  test('for longer than 2 s: status 75', async () => {
    const locked = file('locked.db', () => {});
    const writer = new Database(locked);
    writer.exec('begin exclusive');
    const begun = Date.now();
    const ended = await converse(['--db', locked], GOOD);
    const took = Date.now() - begun;
    writer.close();
    const warning = `warn: database ${locked} is locked by another program for more than 2 seconds; try again; to see who holds it, run as root: fuser -v ${locked}`;
    assert.deepEqual(ended, { bytes: '', status: 75, signal: null, log: [warning] });
    assert.ok(took >= 1900, `it waited only ${took} ms`);
  });

  test('for 1 s: answered when it is free', async () => {
    const locked = file('short.db', () => {});
    const writer = new Database(locked);
    writer.exec(
      "begin exclusive; delete from access; insert into access (user, network) values ('test1', '127.0.0.1')",
    );
    const program = await PolicyProgram.start(['--persistent', '--db', locked]);
    program.write(GOOD);
    await sleep(1000);
    assert.equal(program.bytes, '');
    writer.exec('commit');
    writer.close();
    program.end();
    assert.deepEqual(await program.ended, { bytes: 'action=dunno\n\n', status: 0, signal: null, log: [] });
  });
});
