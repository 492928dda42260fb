// What is remembered of sync: list --status, the doctor's line, and a state file that cannot be used.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type SyncState, stateFile, writeState } from '../../src/sync/state';
import { syncCheck } from '../../src/sync/status';
import { needs } from '../requires';
import { userIds } from '../rig/accounts';
import { makeSite } from './site';

const NOW = Date.parse('2026-11-24T12:00:00Z');

const GOOD: SyncState = {
  source: ['mysql', '--batch', '-e', "select user from access where x = 'y'"],
  every: 30,
  last_attempt: '2026-11-24T11:59:30Z',
  last_success: '2026-11-24T11:59:30Z',
  last_change: '2026-11-20T08:00:00Z',
  rows: 1234,
  last_error: null,
  failing_since: null,
};

const FAILING: SyncState = {
  ...GOOD,
  last_attempt: '2026-11-24T11:59:30Z',
  last_success: '2026-11-24T11:50:00Z',
  last_error: 'mysql ended with status 1: no\x1b[31m route; nothing was changed',
  failing_since: '2026-11-24T11:50:30Z',
};

describe('list --status', () => {
  test('a database that was never synced', () => {
    const site = makeSite();
    const stderr = `allow-nets: error: ${site.db} was never synced\nallow-nets: hint: allow-nets sync -- COMMAND, see allow-nets sync --help\n`;
    assert.deepEqual(site.run('list', '--status'), { status: 1, stdout: '', stderr });
  });

  test('a database whose sync has failed since, and one whose sync never worked, as text and as JSON', () => {
    const site = makeSite();
    const never = { ...FAILING, every: null, last_success: null, last_change: null, rows: null };
    const assertStatus = (state: SyncState, ...lines: string[]) => {
      writeState(site.db, state);
      const json = JSON.parse(site.run('list', '--status', '--json').stdout);
      assert.deepEqual(json, { ...state, age: json.age });
      const text = site.run('list', '--status').stdout.replace(/, \d+ (?:h|days) ago/, ', T ago');
      const source = "source         mysql --batch -e 'select user from access where x = '\\''y'\\'''";
      assert.deepEqual(text.split('\n'), [source, ...lines, '']);
    };
    const failure = 'last error     mysql ended with status 1: no?[31m route; nothing was changed';
    const attempt = 'last attempt   2026-11-24T11:59:30Z';
    const since = 'failing since  2026-11-24T11:50:30Z';
    const success = 'last success   2026-11-24T11:50:00Z, T ago';
    const change = 'last change    2026-11-20T08:00:00Z';
    assertStatus(FAILING, 'runs           every 30 s', success, attempt, change, 'rows           1234', failure, since);
    const none = ['last change    none', 'rows           none'];
    assertStatus(never, 'runs           when it is started', 'last success   never', attempt, ...none, failure, since);
  });

  test('a run writes the state: source, success, change and error', () => {
    const site = makeSite();
    site.run('sync', '--', 'echo', 'alice,10.0.0.0/8');
    const read = () => JSON.parse(site.run('list', '--status', '--json').stdout);
    const first = read();
    assert.deepEqual(first.source, ['echo', 'alice,10.0.0.0/8']);
    assert.deepEqual([first.every, first.rows, first.last_error], [null, 1, null]);
    assert.equal(first.last_success, first.last_change);
    site.run('sync', '--', 'sh', '-c', 'echo why >&2; exit 7');
    const second = read();
    assert.equal(second.last_error, 'sh ended with status 7: why; nothing was changed');
    assert.deepEqual([second.last_success, second.rows], [first.last_success, 1]);
    assert.equal(second.failing_since, second.last_attempt);
    site.run('sync', '--', 'false');
    assert.equal(read().failing_since, second.failing_since);
  });
});

describe('the state file', () => {
  test('a damaged file, a FIFO, a device, a folder: it counts as no state, and the next run replaces it', () => {
    const site = makeSite();
    const file = stateFile(site.db);
    const wrong = [{ source: [1] }, { rows: {} }, { last_error: ['x'] }, { source: ['x'.repeat(300_000)] }];
    const texts = ['', '{', 'null', '[]', '\0\0\0\0', ...wrong.map((fields) => JSON.stringify({ ...GOOD, ...fields }))];
    const works = [
      ...texts.map((text) => () => writeFileSync(file, text)),
      () => execFileSync('mkfifo', [file]),
      () => symlinkSync('/dev/zero', file),
      () => mkdirSync(file),
    ];
    for (const work of works) {
      work();
      assert.match(site.run('list', '--status').stderr, /was never synced/);
      assert.equal(syncCheck(site.db, NOW), null);
      rmSync(file, { recursive: true });
    }
    writeFileSync(file, '{');
    assert.equal(site.run('sync', '--', 'echo', 'alice,10.0.0.0/8').status, 0);
    assert.match(site.run('list', '--status').stdout, /^source +echo alice,10\.0\.0\.0\/8$/m);
  });

  test('a state that cannot be written is reported, and the rows are synced all the same', async () => {
    const site = makeSite();
    // A folder cannot be renamed over.
    rmSync(stateFile(site.db), { force: true });
    mkdirSync(join(stateFile(site.db), 'x'), { recursive: true });
    const output = site.run('sync', '--', 'echo', 'alice,10.0.0.0/8');
    assert.equal(output.status, 1);
    const error =
      /^allow-nets: error: the state of sync cannot be written beside .*\n.*: the rows were synced all the same; /;
    assert.match(output.stderr, error);
    assert.equal(await site.answer('alice', '10.1.1.1'), 'dunno');
  });

  test(
    'belongs to the owner of the database, and is not for everybody, as COMMAND may hold a password',
    needs('root'),
    () => {
      const site = makeSite();
      const { uid, gid } = userIds('nobody');
      chownSync(site.db, uid, gid);
      chmodSync(site.folder, 0o755);
      site.run('sync', '--', 'echo', 'alice,10.0.0.0/8');
      const { mode, ...owner } = statSync(stateFile(site.db));
      assert.deepEqual([owner.uid, owner.gid, mode & 0o777], [uid, gid, 0o640]);
      assert.match(readFileSync(stateFile(site.db), 'utf8'), /alice/);
    },
  );
});

/** How old the last success may be: three intervals and at least 5 minutes, a day where nothing is started again. */
// biome-ignore format: a case a line
const LINES: [name: string, state: SyncState, level: string, text: RegExp][] = [
  ['lately', GOOD, 'ok', /^sync from mysql: last success 30 s ago$/],
  ['failing for a short time', { ...FAILING, last_success: '2026-11-24T11:56:00Z' }, 'ok', /ago; last error: mysql ended/],
  ['failing for long', FAILING, 'warn', /^sync from mysql: last success 10 min ago; last error: mysql/],
  ['stopped without an error', { ...GOOD, last_success: '2026-11-24T09:00:00Z' }, 'warn', /3 h ago$/],
  ['every hour', { ...GOOD, every: 3600, last_success: '2026-11-24T09:00:00Z' }, 'ok', /3 h ago$/],
  ['a single run of this morning', { ...GOOD, every: null, last_success: '2026-11-24T06:00:00Z' }, 'ok', /6 h ago$/],
  ['a single run of last week', { ...GOOD, every: null, last_success: '2026-11-17T06:00:00Z' }, 'warn', /7 days ago$/],
  ['never worked', { ...FAILING, last_success: null }, 'warn', /^sync from mysql has never worked; last error/],
  ['a clock that was set back', { ...GOOD, last_success: '2026-11-25T09:00:00Z' }, 'ok', /last success 0 s ago$/],
];

test('doctor warns when the last success is old', async (t) => {
  const site = makeSite();
  for (const [name, state, level, text] of LINES) {
    await t.test(name, () => {
      writeState(site.db, state);
      const check = syncCheck(site.db, NOW);
      assert.equal(check?.isOld, level === 'warn');
      assert.match(check?.text ?? '', text);
    });
  }
});
