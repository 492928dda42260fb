// add, remove, set and tidy as an administrator runs them, one after the other: what each answers, and what is in the database then.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { change, writeDatabase } from '../rig/database';
import { run } from '../rig/run';
import { newPath } from '../rig/scratch';

type Step = [line: string, stdout: string[], stderr?: string[], status?: number];

/** Runs the lines on a new database; a word with spaces stands in quotes. `sql` is run before. @returns the database */
function steps(sql: string, lines: Step[], zone = 'UTC', env: NodeJS.ProcessEnv = {}): string {
  const db = newPath();
  writeDatabase(db, []);
  if (sql !== '') change(db, sql);
  for (const [line, stdout, stderr = [], status = 0] of lines) {
    const words = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
    const text = (all: string[]) => all.map((each) => `${each}\n`).join('');
    assert.deepEqual(
      run(['--db', db, ...words], { env: { TZ: zone, ...env } }),
      {
        status,
        stdout: text(stdout),
        stderr: text(stderr.map((each) => `allow-nets: ${each.replace('--db DB', `--db ${db}`)}`)),
      },
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
    ['add Alice@Example.com ::ffff:192.0.2.0/120 2001:DB8:0::1', ['alice@example.com may now send mail from 192.0.2.0/24', 'alice@example.com may now send mail from 2001:db8::1/128',
      'alice@example.com also keeps what @example.com allows']],
    ['add alice@example.com 192.0.2.0/24', ['alice@example.com may send mail from 192.0.2.0/24 already']],
    ["add alice@example.com 192.0.2.0/24 --note 'the desk'", ['alice@example.com may now send mail from 192.0.2.0/24']],
    ['list alice@example.com', ['alice@example.com  inherit          -', 'alice@example.com  192.0.2.0/24     -  the desk', 'alice@example.com  2001:db8::1/128  -', '@example.com       10.0.0.0/8       -'],
      ['hint: the entries of alice@example.com decide for alice@example.com, and by inherit those of @example.com']],
    ['list bob@example.com', ['@example.com  10.0.0.0/8  -'], ['hint: the entries of @example.com decide for bob@example.com']],
    ['remove alice@example.com 192.0.2.0/24 2001:db8::1', ['removed alice@example.com 192.0.2.0/24', 'removed alice@example.com 2001:db8::1/128', 'removed alice@example.com inherit'],
      ['hint: alice@example.com has no entry left: the entries of @example.com decide now']],
    ['remove @example.com --all', ['removed @example.com 10.0.0.0/8'], ['hint: @example.com has no entry left, and no wider one: it is refused from everywhere']],
    ['add * any', ['* may now send mail from any']],
  ]);
});

test('the life of a set', () => {
  // biome-ignore format: a step a line
  steps('', [
    ["set add Office 203.0.113.0/24 2001:db8:1::/48 --note HQ", ['@office now holds 203.0.113.0/24', '@office now holds 2001:db8:1::/48']],
    ['set add @office 203.0.113.0/24 192.0.2.1', ['@office already holds 203.0.113.0/24', '@office now holds 192.0.2.1/32']],
    ['add alice @Office', ['alice may now send mail from @office']],
    ['set list', ['@office  3 networks  -']],
    ['set list office', ['office  192.0.2.1/32', 'office  203.0.113.0/24   HQ', 'office  2001:db8:1::/48  HQ']],
    ['set remove office 203.0.113.0/24 192.0.2.1/32', ['removed @office 203.0.113.0/24', 'removed @office 192.0.2.1/32']],
    ['set remove office 2001:db8:1::/48', [], ['error: the set office is in use by alice', 'hint: remove @office from them first, or add --force: their entries @office then grant nothing'], 1],
    ['set remove office --all --force', ['removed @office and its network']],
    ['list', ['alice  @office  -  GRANTS NOTHING: there is no set office']],
    ['remove alice @office', ['removed alice @office'], ['hint: alice has no entry left, and no wider one: it is refused from everywhere']],
    ['set list', []],
  ]);
});

test('of many users of a set the first are named', () => {
  const users = Array.from({ length: 12 }, (_, i) => `user${String(i).padStart(2, '0')}`);
  const sql = `insert into network_set (name, network) values ('office', '10.0.0.0/8');
    insert into access (user, network) values ${users.map((user) => `('${user}', '@office')`)}`;
  steps(sql, [
    ['tidy', ['rewritten 13, to be corrected 0']],
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
    const db = newPath();
    writeDatabase(db, []);
    const before = Math.floor(Date.now() / 1000);
    assert.equal(run(['add', 'alice', '10.0.0.0/8', '--for', length, '--db', db]).status, 0);
    const after = Math.ceil(Date.now() / 1000);
    const expires = () => Date.parse(String((rows(db, 'select expires from access')[0] as string[])[0])) / 1000;
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
  const over = ['alice  10.0.0.0/8  2020-01-01T00:00:00Z  EXPIRED', 'bob    any         2019-12-31T22:00:00Z  EXPIRED'];
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
        'bob    10.0.0.0/8    2098-01-02T00:00:00Z',
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
        'Alice  10.1.2.3/8         -                     WARNING: 10.1.2.3/8 grants all of 10.0.0.0/8; x',
        'alice  10.0.0.0/8         2098-01-02T00:00:00Z',
        'bob    010.0.0.1          -                     GRANTS NOTHING: the network cannot be read',
        'carol  any                soon                  GRANTS NOTHING: the time of expiry cannot be read',
        'dave   @gone              -                     GRANTS NOTHING: there is no set gone',
        'eve     ::FFFF:10.0.0.1   -                     z',
        '\0      any                -                     GRANTS NOTHING: the user is not text',
      ],
    ],
    [
      'tidy',
      [
        'rewritten 5, to be corrected 5',
        '  Alice 10.1.2.3/8: 10.1.2.3/8 grants all of 10.0.0.0/8',
        '  bob 010.0.0.1 grants nothing: the network cannot be read',
        '  carol any grants nothing: the time of expiry cannot be read',
        '  \0 any grants nothing: the user is not text',
        '  @office @other grants nothing: the network cannot be read',
      ],
      ['hint: to remove one: allow-nets remove USER NETWORK, or allow-nets set remove NAME NETWORK'],
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

const CAROL = 'carol@example.com';
const KEEPS = `${CAROL} also keeps what @example.com allows`;
const WIDER = `hint: ${CAROL} has no entry left: the entries of @example.com decide now`;
const OFFICE = `insert into network_set (name, network) values ('office', '10.0.0.0/8');
  insert into access (user, network) values ('@example.com', '@office');`;

test('the first entry of a user takes nothing away, and the last one leaves nothing behind', async (t) => {
  // biome-ignore format: a step a line
  const lives: Record<string, [sql: string, lines: Step[]]> = {
    'add and remove': [OFFICE, [
      [`add ${CAROL} 203.0.113.10`, [`${CAROL} may now send mail from 203.0.113.10/32`, KEEPS]],
      [`add ${CAROL} 203.0.113.11`, [`${CAROL} may now send mail from 203.0.113.11/32`]],
      [`remove ${CAROL} 203.0.113.10`, [`removed ${CAROL} 203.0.113.10/32`]],
      [`remove ${CAROL} 203.0.113.11`, [`removed ${CAROL} 203.0.113.11/32`, `removed ${CAROL} inherit`], [WIDER]],
      ['list', ['@example.com  @office  -']],
    ]],
    '--only, and inherit added and removed by name': [OFFICE, [
      [`add ${CAROL} 203.0.113.10 --only`, [`${CAROL} may now send mail from 203.0.113.10/32`],
        [`hint: the entries of @example.com no longer apply: ${CAROL} now has own entries`]],
      [`add ${CAROL} Inherit`, [`${CAROL} now inherits what the next wider entries allow`]],
      [`add ${CAROL} inherit`, [`${CAROL} inherits what the next wider entries allow already`]],
      [`add ${CAROL} 203.0.113.11 --only`, [`${CAROL} may now send mail from 203.0.113.11/32`],
        [`hint: ${CAROL} still inherits what @example.com allows; to end that: allow-nets remove ${CAROL} inherit --db DB`]],
      [`remove ${CAROL} inherit`, [`removed ${CAROL} inherit`], [`hint: only the entries of ${CAROL} decide now`]],
    ]],
    'a domain, and a login of every domain': [`${OFFICE} insert into access (user, network) values ('*', '192.0.2.0/24')`, [
      ['add @example.net 10.0.0.0/8', ['@example.net may now send mail from 10.0.0.0/8', '@example.net also keeps what * allows']],
      ['add carol 10.0.0.0/8', ['carol may now send mail from 10.0.0.0/8', 'carol also keeps what @example.com or @example.net or * allows']],
      ['add dave@example.org any', ['dave@example.org may now send mail from any', 'dave@example.org also keeps what * allows']],
    ]],
    'what has expired': [`${OFFICE} insert into access (user, network, expires) values ('${CAROL}', '10.0.0.0/8', '2020-01-01'),
        ('dave@example.com', '10.0.0.0/8', '2020-01-01'), ('dave@example.com', '192.0.2.0/24', null), ('eve', 'any', '2020-01-01')`, [
      ['remove --expired', [`removed ${CAROL} 10.0.0.0/8`, 'removed dave@example.com 10.0.0.0/8', 'removed eve any'],
        [WIDER, 'hint: eve has no entry left, and no wider one: it is refused from everywhere']],
    ]],
    'block and unblock': [OFFICE, [
      [`block ${CAROL} --note 'password stolen'`, [`${CAROL} is now blocked`]],
      [`block ${CAROL}`, [`${CAROL} is blocked already`]],
      [`list ${CAROL}`, [`${CAROL}  none     -  BLOCKED; password stolen`, '@example.com       @office  -'],
        [`hint: the entries of ${CAROL} decide for ${CAROL}; those of @example.com do not count`]],
      [`add ${CAROL} 203.0.113.10`, [`${CAROL} may now send mail from 203.0.113.10/32`, KEEPS],
        [`hint: ${CAROL} is blocked, and still refused from everywhere: allow-nets unblock ${CAROL} --db DB`]],
      [`unblock ${CAROL}`, [`${CAROL} is no longer blocked`], [`hint: the entries of ${CAROL} decide now, and by inherit those of @example.com`]],
      [`remove ${CAROL} --all`, [`removed ${CAROL} inherit`, `removed ${CAROL} 203.0.113.10/32`], [WIDER]],
      [`block ${CAROL} --until 2098-12-24`, [`${CAROL} is now blocked until 2098-12-25T00:00:00Z (2098-12-25 00:00:00 local time)`,
        `when the block has ended, @example.com decides for ${CAROL} again`]],
      // A block without an end does not keep the one that was there.
      [`block ${CAROL}`, [`${CAROL} is now blocked`]],
      [`unblock ${CAROL}`, [`${CAROL} is no longer blocked`], [WIDER]],
      ['list', ['@example.com  @office  -']],
    ]],
    'whom a block does not reach': [`${OFFICE} insert into access (user, network) values ('${CAROL}', 'any'), ('carol', 'any')`, [
      ['block @example.com', ['@example.com is now blocked'], [`hint: not blocked, because their own entries decide: ${CAROL}`]],
      ['block * --force', ['* is now blocked'], ['hint: not blocked, because their own entries decide: 3 others, such as @example.com']],
      ['block carol', ['carol is now blocked'], [`hint: ${CAROL} has entries of its own, to which those of carol do not apply: allow-nets block ${CAROL} --db DB`]],
      [`block ${CAROL}`, [`${CAROL} is now blocked`], ['hint: carol has entries too, and is not blocked: allow-nets block carol --db DB']],
    ]],
    names: [`${OFFICE} insert into access (user, network) values ('bob@example.com', 'any')`, [
      ['add example.com 10.0.0.0/8', [], ['error: example.com is a domain, and no user logs in by it', 'hint: did you mean @example.com? To add a login of that name all the same add --force'], 2],
      ['add wei.li any --only', [], ['error: wei.li is a domain, and no user logs in by it', 'hint: did you mean @wei.li? To add a login of that name all the same add --force'], 2],
      ['add bob any --only', ['bob may now send mail from any'],
        ['hint: the entries of @example.com no longer apply: bob now has own entries', 'hint: bob@example.com has entries of its own, to which those of bob do not apply: allow-nets add bob@example.com any --db DB']],
      ['add john.doe any', ['john.doe may now send mail from any', 'john.doe also keeps what @example.com allows']],
      ['add wei.li any --force --only', ['wei.li may now send mail from any'], ['hint: the entries of @example.com no longer apply: wei.li now has own entries']],
    ]],
    'the first login without a domain': ["insert into access (user, network) values ('bob@example.com', 'any')", [
      ['add carol any', ['carol may now send mail from any'], ['hint: carol is that user of every domain; the other entries have names such as bob@example.com']],
    ]],
  };
  for (const [name, [sql, lines]] of Object.entries(lives)) await t.test(name, () => void steps(sql, lines));
});

test('a network added to a user who is blocked, or whose domain is', () => {
  // biome-ignore format: a step a line
  steps('', [
    ['block eve@example.com', ['eve@example.com is now blocked']],
    ['add eve@example.com 10.0.0.1', ['eve@example.com may now send mail from 10.0.0.1/32'],
      ['hint: eve@example.com is blocked, and still refused from everywhere: allow-nets unblock eve@example.com --db DB']],
    ['block @example.org', ['@example.org is now blocked']],
    ['add bob@example.org 10.0.0.1', ['bob@example.org may now send mail from 10.0.0.1/32', 'bob@example.org also keeps what @example.org allows'],
      ['hint: @example.org is blocked, but not bob@example.org at what is allowed now: allow-nets block bob@example.org --db DB']],
    ['add bob@example.org inherit', ['bob@example.org inherits what the next wider entries allow already']],
  ]);
});

test('a change that rewrites 10.1.2.3/8 by hand as 10.0.0.0/8 warns of what it grants', () => {
  const byHand = "insert into access (user, network) values ('bob', '10.1.2.3/8')";
  const warning = 'hint: a row by hand, bob 10.1.2.3/8: 10.1.2.3/8 grants all of 10.0.0.0/8';
  const db = steps(byHand, [
    ['set add office 10.0.0.1', ['@office now holds 10.0.0.1/32'], [warning]],
    ['set add office 10.0.0.2', ['@office now holds 10.0.0.2/32']],
  ]);
  change(db, byHand);
  const imported = run(['--db', db, 'import', '-'], { input: 'user,network\ndave,10.0.0.2\n' });
  assert.equal(imported.stderr, `allow-nets: ${warning}\n`);
});

test('rows by hand that match nobody, or more than they seem to, are marked', () => {
  const sql = `insert into access (user, network) values ('', 'any'), ('@', 'any'), ('*@example.com', 'any'), ('bob@example.com ', 'any'),
    ('example.com', '10.0.0.0/8'), ('@example.com', '10.1.2.3/8'), ('x' || char(0) || 'y', 'any'), ('john.doe', ' NONE ')`;
  steps(sql, [
    [
      'list',
      [
        '                  any         -  GRANTS NOTHING: the user is empty',
        '*@example.com     any         -  GRANTS NOTHING: no user is called *@example.com',
        '@                 any         -  GRANTS NOTHING: @ is not a user',
        '@example.com      10.1.2.3/8  -  WARNING: 10.1.2.3/8 grants all of 10.0.0.0/8',
        'bob@example.com   any         -  GRANTS NOTHING: the user "bob@example.com " begins or ends with a space',
        'example.com       10.0.0.0/8  -  WARNING: example.com is a login name here; the domain is @example.com',
        'john.doe           NONE       -  BLOCKED',
        'x\0y               any         -  GRANTS NOTHING: the user holds a NUL or bytes that are not UTF-8',
      ],
    ],
    [
      'tidy',
      [
        'rewritten 6, to be corrected 7',
        '  @example.com 10.1.2.3/8: 10.1.2.3/8 grants all of 10.0.0.0/8',
        '  example.com 10.0.0.0/8: example.com is a login name here; the domain is @example.com',
        '   any grants nothing: the user is empty',
        '  *@example.com any grants nothing: no user is called *@example.com',
        '  @ any grants nothing: @ is not a user',
        '  bob@example.com  any grants nothing: the user "bob@example.com " begins or ends with a space',
        '  x\0y any grants nothing: the user holds a NUL or bytes that are not UTF-8',
      ],
      ['hint: to remove one: allow-nets remove USER NETWORK, or allow-nets set remove NAME NETWORK'],
    ],
  ]);
});

test('words after -- are names, whatever they begin with', () => {
  steps('', [
    ['add -- --all 10.0.0.0/8', ['--all may now send mail from 10.0.0.0/8']],
    ["add --note x -- 'bob smith' 10.0.0.0/8", ['bob smith may now send mail from 10.0.0.0/8']],
    ['list', ['--all      10.0.0.0/8  -', 'bob smith  10.0.0.0/8  -  x']],
    [
      'remove --all -- --all',
      ['removed --all 10.0.0.0/8'],
      ['hint: --all has no entry left, and no wider one: it is refused from everywhere'],
    ],
  ]);
});
