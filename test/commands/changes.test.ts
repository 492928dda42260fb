// add, remove, set and tidy as an administrator runs them, one after the other: what each answers, and what is in the database then.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { noDatabase, run } from '../maillog/command';
import { change, writeDatabase } from '../policy/database';

type Step = [line: string, stdout: string[], stderr?: string[], status?: number];

/** Runs the lines on a new database; a word with spaces stands in quotes. `sql` is run before. @returns the database */
function steps(sql: string, lines: Step[], zone = 'UTC', env: NodeJS.ProcessEnv = {}): string {
  const db = noDatabase();
  writeDatabase(db, []);
  if (sql !== '') change(db, sql);
  for (const [line, stdout, stderr = [], status = 0] of lines) {
    const words = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
    const text = (all: string[]) => all.map((each) => `${each}\n`).join('');
    assert.deepEqual(
      run([...words, '--db', db], { zone, env }),
      { status, stdout: text(stdout), stderr: text(stderr.map((each) => `allow-nets: ${each}`)) },
      line,
    );
  }
  return db;
}

function rows(db: string, sql: string): unknown[] {
  const connection = new Database(db, { readonly: true });
  const found = connection.prepare(sql).raw().all();
  connection.close();
  return found;
}

test('the life of an entry', () => {
  // biome-ignore format: a step a line
  steps('', [
    ['list', []],
    ['add @example.com 10.0.0.0/8', ['@example.com may now send mail from 10.0.0.0/8']],
    ['add Alice@Example.com ::ffff:192.0.2.0/120 2001:DB8:0::1', ['alice@example.com may now send mail from 192.0.2.0/24', 'alice@example.com may now send mail from 2001:db8::1/128'],
      ['hint: the entries of @example.com decide no more about alice@example.com: it has entries of its own now']],
    ['add alice@example.com 192.0.2.0/24', ['alice@example.com may send mail from 192.0.2.0/24 already']],
    ["add alice@example.com 192.0.2.0/24 --note 'the desk'", ['alice@example.com may now send mail from 192.0.2.0/24']],
    ['list alice@example.com', ['alice@example.com  192.0.2.0/24     -        the desk', 'alice@example.com  2001:db8::1/128  -', '@example.com       10.0.0.0/8       -'],
      ['hint: the entries of alice@example.com decide about alice@example.com; those of @example.com do not count']],
    ['list bob@example.com', ['@example.com  10.0.0.0/8  -'], ['hint: the entries of @example.com decide about bob@example.com']],
    ['remove alice@example.com 192.0.2.0/24 2001:db8::1', ['removed alice@example.com 192.0.2.0/24', 'removed alice@example.com 2001:db8::1/128'],
      ['hint: alice@example.com has no entry left: the entries of @example.com decide now']],
    ['remove @example.com --all', ['removed @example.com 10.0.0.0/8'], ['hint: @example.com has no entry left, and no wider one: it is refused from everywhere']],
    ['add * any', ['* may now send mail from any']],
  ]);
});

test('the life of a set', () => {
  // biome-ignore format: a step a line
  steps('', [
    ["set add Office 203.0.113.0/24 2001:db8:1::/48 --note HQ", ['@office now holds 203.0.113.0/24', '@office now holds 2001:db8:1::/48']],
    ['set add @office 203.0.113.0/24 192.0.2.1', ['@office holds 203.0.113.0/24 already', '@office now holds 192.0.2.1/32']],
    ['add alice @Office', ['alice may now send mail from @office']],
    ['set list', ['office  192.0.2.1/32', 'office  2001:db8:1::/48  HQ', 'office  203.0.113.0/24   HQ']],
    ['set remove office 203.0.113.0/24 192.0.2.1/32', ['removed @office 203.0.113.0/24', 'removed @office 192.0.2.1/32']],
    ['set remove office 2001:db8:1::/48', [], ['error: the set office is in use by alice', 'hint: remove @office from them first, or add --force: their entries @office then grant nothing'], 1],
    ['set remove office --all --force', ['removed @office 2001:db8:1::/48']],
    ['list', ['alice  @office  -        GRANTS NOTHING: there is no set office']],
    ['remove alice @office', ['removed alice @office'], ['hint: alice has no entry left, and no wider one: it is refused from everywhere']],
    ['set list', []],
  ]);
});

test('of many users of a set the first are named', () => {
  const users = Array.from({ length: 12 }, (_, i) => `user${String(i).padStart(2, '0')}`);
  const sql = `insert into network_set (name, network) values ('office', '10.0.0.0/8');
    insert into access (user, network) values ${users.map((user) => `('${user}', '@office')`)}`;
  steps(sql, [
    ['tidy', ['rewritten 13, unreadable 0']],
    [
      'set remove office --all',
      [],
      [
        `error: the set office is in use by ${users.slice(0, 10).join(', ')} and more`,
        'hint: remove @office from them first, or add --force: their entries @office then grant nothing',
      ],
      1,
    ],
  ]);
});

test('a time of expiry is told in UTC and in local time', async (t) => {
  const zones: [zone: string, typed: string, utc: string, local: string][] = [
    ['UTC', '2098-12-24', '2098-12-25T00:00:00Z', '2098-12-25 00:00:00'],
    ['Europe/Berlin', '2098-12-24', '2098-12-24T23:00:00Z', '2098-12-25 00:00:00'],
    ['America/New_York', '2098-12-24', '2098-12-25T05:00:00Z', '2098-12-25 00:00:00'],
    ['Asia/Kolkata', '2098-12-24', '2098-12-24T18:30:00Z', '2098-12-25 00:00:00'],
    ['Pacific/Kiritimati', '2098-12-24', '2098-12-24T10:00:00Z', '2098-12-25 00:00:00'],
    // The day on which the clock goes forward, and that on which it goes back.
    ['Europe/Berlin', '2098-03-30', '2098-03-30T22:00:00Z', '2098-03-31 00:00:00'],
    ['Europe/Berlin', '2098-10-26', '2098-10-26T23:00:00Z', '2098-10-27 00:00:00'],
    ['Europe/Berlin', '2098-12-31', '2098-12-31T23:00:00Z', '2099-01-01 00:00:00'],
    ['Europe/Berlin', '2098-12-24T18:00Z', '2098-12-24T18:00:00Z', '2098-12-24 19:00:00'],
    ['Europe/Berlin', '2098-12-24T18:00', '2098-12-24T17:00:00Z', '2098-12-24 18:00:00'],
    ['Europe/Berlin', "'2098-12-24 18:00:30'", '2098-12-24T17:00:30Z', '2098-12-24 18:00:30'],
    ['Europe/Berlin', '2098-12-24T18:00+05:30', '2098-12-24T12:30:00Z', '2098-12-24 13:30:00'],
    ['America/St_Johns', '2098-07-01', '2098-07-02T02:30:00Z', '2098-07-02 00:00:00'],
  ];
  for (const [zone, typed, utc, local] of zones) {
    await t.test(`${zone} ${typed}`, () => {
      const told = `alice may now send mail from 10.0.0.0/8 until ${utc} (${local} local time)`;
      const db = steps('', [[`add alice 10.0.0.0/8 --until ${typed}`, [told]]], zone);
      assert.deepEqual(rows(db, 'select expires from access'), [[utc]]);
    });
  }
});

test('--for counts from now, and a later change of the note keeps the time', () => {
  const units: [string, number][] = [
    ['30m', 1800],
    ['12h', 43_200],
    ['7d', 604_800],
    ['2w', 1_209_600],
  ];
  for (const [length, seconds] of units) {
    const db = noDatabase();
    writeDatabase(db, []);
    const before = Math.floor(Date.now() / 1000);
    assert.equal(run(['add', 'alice', '10.0.0.0/8', '--for', length, '--db', db]).status, 0);
    const after = Math.ceil(Date.now() / 1000);
    const expires = () =>
      Date.parse(String((rows(db, 'select expires from access')[0] as string[])[0])) / 1000;
    const first = expires();
    assert.ok(first >= before + seconds && first <= after + seconds, `${length}: ${first}`);
    assert.equal(run(['add', 'alice', '10.0.0.0/8', '--note', 'x', '--db', db]).status, 0);
    assert.equal(expires(), first);
  }
});

test('what has expired is shown, listed alone and cleared', () => {
  const sql = `insert into access (user, network, expires) values
    ('alice', '10.0.0.0/8', '2020-01-01T00:00:00Z'), ('alice', '192.0.2.0/24', null), ('bob', 'any', '2020-01-01 00:00:00+02:00'),
    ('bob', '10.0.0.0/8', '2098-01-01'), ('carol', 'any', 'soon')`;
  const over = [
    'alice  10.0.0.0/8  2020-01-01T00:00:00Z  EXPIRED',
    'bob    any         2019-12-31T22:00:00Z  EXPIRED',
  ];
  steps(sql, [
    ['list --expired', over],
    ['list alice --expired', over.slice(0, 1)],
    ['remove alice --expired', ['removed alice 10.0.0.0/8']],
    ['remove --expired', ['removed bob any']],
    ['remove --expired', ['no entry has expired']],
    [
      'list',
      [
        'alice  192.0.2.0/24  -',
        'bob    10.0.0.0/8    2098-01-01T00:00:00Z',
        'carol  any           soon                  GRANTS NOTHING: the time of expiry cannot be read',
      ],
    ],
    // An entry that is over is new when it is added again.
    ['add carol any', ['carol may now send mail from any']],
  ]);
});

test('who added it, and when', () => {
  const origins: [NodeJS.ProcessEnv, string][] = [
    [{ SUDO_USER: 'hans' }, 'hans'],
    [{ SUDO_USER: '' }, process.getuid?.() === 0 ? 'root' : (process.env['USER'] ?? '')],
  ];
  for (const [env, name] of origins) {
    const before = new Date(Date.now() - 1000).toISOString();
    const db = steps(
      '',
      [
        ['add alice 10.0.0.0/8', ['alice may now send mail from 10.0.0.0/8']],
        ['set add office 10.0.0.0/8', ['@office now holds 10.0.0.0/8']],
      ],
      'UTC',
      env,
    );
    for (const table of ['access', 'network_set']) {
      const [[by, at] = []] = rows(db, `select added_by, added_at from ${table}`) as [string, string][];
      assert.equal(by, name);
      assert.match(String(at), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      assert.ok(String(at) >= before.slice(0, 19) && Date.parse(String(at)) <= Date.now(), at);
    }
  }
});

test('tidy rewrites what can be read, and names the rest with the reason', () => {
  const sql = `insert into access (user, network, note, expires) values
    ('Alice', '10.1.2.3/8', 'x', null), ('alice', '10.0.0.0/8', null, '2098-01-01'), ('bob', '010.0.0.1', null, null),
    ('carol', 'any', null, 'soon'), ('dave', '@gone', null, null), (x'00', 'any', null, null), ('eve', ' ::FFFF:10.0.0.1 ', x'7a', null);
    insert into network_set (name, network) values ('Office', '10.0.0.1'), ('office', '@other')`;
  const db = steps(sql, [
    [
      'list',
      [
        'Alice  10.1.2.3/8         -                     x',
        'alice  10.0.0.0/8         2098-01-01T00:00:00Z',
        'bob    010.0.0.1          -                     GRANTS NOTHING: the network cannot be read',
        'carol  any                soon                  GRANTS NOTHING: the time of expiry cannot be read',
        'dave   @gone              -                     GRANTS NOTHING: there is no set gone',
        'eve     ::FFFF:10.0.0.1   -                     z',
        '\ufffd      any                -                     GRANTS NOTHING: the user is no text',
      ],
    ],
    [
      'tidy',
      [
        'rewritten 4, unreadable 4',
        'cannot be read: bob 010.0.0.1: the network cannot be read',
        'cannot be read: carol any: the time of expiry cannot be read',
        'cannot be read: \ufffd any: the user is no text',
        'cannot be read: @office @other: the network cannot be read',
      ],
      [
        'hint: they grant nothing; to take one away: allow-nets remove USER NETWORK, or allow-nets set remove NAME NETWORK',
      ],
    ],
    [
      'remove bob 010.0.0.1',
      ['removed bob 010.0.0.1'],
      ['hint: bob has no entry left, and no wider one: it is refused from everywhere'],
    ],
    ['set remove office @other', ['removed @office @other']],
  ]);
  // Alice's two rows meant the same: the one that lasts longer stays.
  assert.deepEqual(rows(db, "select user, network, note, expires from access where user = 'alice'"), [
    ['alice', '10.0.0.0/8', 'x', null],
  ]);
  assert.deepEqual(rows(db, "select network, note from access where user = 'eve'"), [['10.0.0.1/32', 'z']]);
});
