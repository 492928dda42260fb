// add, block, remove, set and tidy as an administrator runs them, one after the other: what each answers, and what is in the database then.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { change, newDatabase, query } from '../rig/database';
import { run } from '../rig/run';

type Step = [line: string, stdout: string[], stderr?: string[], status?: number];

/** Runs the lines on a new database; a word with spaces stands in quotes. `sql` is run before. @returns the database */
function steps(sql: string, lines: readonly Step[], env: NodeJS.ProcessEnv = {}): string {
  const db = newDatabase();
  change(db, sql);
  const text = (all: string[]) => all.map((each) => `${each}\n`).join('');
  for (const [line, stdout, hints = [], status = 0] of lines) {
    const words = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
    const stderr = text(hints.map((each) => `allow-nets: ${each.replace('--db DB', `--db ${db}`)}`));
    assert.deepEqual(run(['--db', db, ...words], { env }), { status, stdout: text(stdout), stderr }, line);
  }
  return db;
}

const CAROL = 'carol@example.com';
const KEEPS = `${CAROL} also keeps what @example.com allows`;
const WIDER = `hint: ${CAROL} has no entry left: the entries of @example.com decide now`;
const NOBODY = (user: string) => `hint: ${user} has no entry left, and no wider one: it is refused from everywhere`;
const OFFICE = `insert into network_set (name, network) values ('office', '10.0.0.0/8');
  insert into access (user, network) values ('@example.com', '@office');`;
const TO_REMOVE = 'hint: to remove one: allow-nets remove USER NETWORK, or allow-nets set remove NAME NETWORK';

/** What each answers; `sql` comes before. */
// biome-ignore format: a step a line
const LIVES: Record<string, [sql: string, ...lines: Step[]]> = {
  'an entry': ['',
    ['list', []],
    ['add @example.com 10.0.0.0/8', ['@example.com may now send mail from 10.0.0.0/8']],
    ['add Alice@Example.com ::ffff:192.0.2.0/120 2001:DB8:0::1', ['alice@example.com may now send mail from 192.0.2.0/24', 'alice@example.com may now send mail from 2001:db8::1/128',
      'alice@example.com also keeps what @example.com allows']],
    ['add alice@example.com 192.0.2.0/24', ['alice@example.com may already send mail from 192.0.2.0/24']],
    ["add alice@example.com 192.0.2.0/24 --note 'the desk'", ['alice@example.com may now send mail from 192.0.2.0/24']],
    ['list alice@example.com', ['alice@example.com  192.0.2.0/24     -  the desk', 'alice@example.com  2001:db8::1/128  -', 'alice@example.com  inherit          -', '@example.com       10.0.0.0/8       -'],
      ['hint: the entries of alice@example.com decide for alice@example.com, and by inherit those of @example.com']],
    ['list bob@example.com', ['@example.com  10.0.0.0/8  -'], ['hint: the entries of @example.com decide for bob@example.com']],
    ['remove alice@example.com 192.0.2.0/24 2001:db8::1', ['removed alice@example.com 192.0.2.0/24', 'removed alice@example.com 2001:db8::1/128', 'removed alice@example.com inherit'],
      ['hint: alice@example.com has no entry left: the entries of @example.com decide now']],
    ['remove @example.com --all', ['removed @example.com 10.0.0.0/8'], [NOBODY('@example.com')]],
    ['add * any', ['* may now send mail from any']],
  ],
  'a set': ['',
    ["set add Office 203.0.113.0/24 2001:db8:1::/48 --note HQ", ['@office now holds 203.0.113.0/24', '@office now holds 2001:db8:1::/48']],
    ['set add @office 203.0.113.0/24 192.0.2.1', ['@office already holds 203.0.113.0/24', '@office now holds 192.0.2.1/32']],
    ['add alice @Office', ['alice may now send mail from @office']],
    ['set list', ['@office  3 networks  -']],
    ['set list office', ['office  192.0.2.1/32', 'office  2001:db8:1::/48  HQ', 'office  203.0.113.0/24   HQ']],
    ['set remove office 203.0.113.0/24 192.0.2.1/32', ['removed @office 203.0.113.0/24', 'removed @office 192.0.2.1/32']],
    ['set remove office 2001:db8:1::/48', [], ['error: the set office is in use by alice', 'hint: remove @office from them first, or add --force: their entries @office then grant nothing'], 1],
    ['set remove office --all --force', ['removed @office and its network']],
    ['list', ['alice  @office  -  GRANTS NOTHING: there is no set office']],
    ['remove alice @office', ['removed alice @office'], [NOBODY('alice')]],
    ['set list', []],
    ['set list office', [], ['error: there is no set office', 'hint: there are no sets yet'], 1],
  ],
  'what has expired': [`insert into access (user, network, expires) values ('alice', '10.0.0.0/8', '2020-01-01T00:00:00Z'),
      ('alice', '192.0.2.0/24', null), ('bob', 'any', '2020-01-01 00:00:00+02:00'), ('bob', '10.0.0.0/8', '2098-01-01'), ('carol', 'any', 'soon')`,
    ['list --expired', ['alice  10.0.0.0/8  2020-01-01T00:00:00Z  EXPIRED', 'bob    any         2019-12-31T22:00:00Z  EXPIRED']],
    ['list alice --expired', ['alice  10.0.0.0/8  2020-01-01T00:00:00Z  EXPIRED']],
    ['remove alice --expired', ['removed alice 10.0.0.0/8']],
    ['remove --expired', ['removed bob any']],
    ['remove --expired', ['no entry has expired']],
    ['list', ['alice  192.0.2.0/24  -', 'bob    10.0.0.0/8    2098-01-02T00:00:00Z', 'carol  any           soon                  GRANTS NOTHING: the time of expiry cannot be read']],
    ['add carol any', ['carol may now send mail from any']],
  ],
  'rows by hand that match nobody, or more than they seem to': [`insert into access (user, network, note) values ('', 'any', null), ('@', 'any', null), ('*@example.com', 'any', null),
      ('bob@example.com ', 'any', null), ('example.com', '10.0.0.0/8', null), ('@example.com', '10.1.2.3/8', 'x'), ('x' || char(0) || 'y', 'any', null), ('john.doe', ' NONE ', null)`,
    ['list', ['                  any         -  GRANTS NOTHING: the user is empty',
      '*@example.com     any         -  GRANTS NOTHING: no user is called *@example.com',
      '@                 any         -  GRANTS NOTHING: @ is not a user',
      '@example.com      10.1.2.3/8  -  WARNING: 10.1.2.3/8 grants all of 10.0.0.0/8; x',
      'bob@example.com   any         -  GRANTS NOTHING: the user "bob@example.com " begins or ends with a space',
      'example.com       10.0.0.0/8  -  WARNING: example.com is a login name here; the domain is @example.com',
      'john.doe           NONE       -  BLOCKED',
      'x\0y               any         -  GRANTS NOTHING: the user holds a NUL or bytes that are not UTF-8']],
    ['tidy', ['rewritten 5, to be corrected 7', '   any: grants nothing: the user is empty', '  *@example.com any: grants nothing: no user is called *@example.com', '  @ any: grants nothing: @ is not a user',
      '  @example.com 10.1.2.3/8: 10.1.2.3/8 grants all of 10.0.0.0/8', '  bob@example.com  any: grants nothing: the user "bob@example.com " begins or ends with a space',
      '  example.com 10.0.0.0/8: example.com is a login name here; the domain is @example.com', '  x\0y any: grants nothing: the user holds a NUL or bytes that are not UTF-8'], [TO_REMOVE]],
    // Its canonical form would hide what it grants.
    ['set add office 10.0.0.1', ['@office now holds 10.0.0.1/32']],
    ['list @example.com', ['@example.com  10.1.2.3/8  -  WARNING: 10.1.2.3/8 grants all of 10.0.0.0/8; x']],
    ['add @example.com 10.0.0.0/8 any', ['@example.com may now send mail from 10.0.0.0/8', '@example.com may now send mail from any']],
    ['remove @example.com 10.0.0.0/8', ['removed @example.com 10.0.0.0/8', 'removed @example.com 10.1.2.3/8']],
    ['remove @example.com 10.1.2.3/8', [], ['error: 10.1.2.3/8 is not the first address of its network', 'hint: 10.0.0.0/8 or 10.1.2.3/32'], 2],
  ],
  'of two hand-written rows with the same meaning, tidy keeps the one that lasts longer': [`insert into access (user, network, note, expires) values
      ('Alice', '10.0.0.0/8 ', 'x', null), ('alice', '10.0.0.0/8', null, '2098-01-01'), ('eve', ' ::FFFF:10.0.0.1 ', x'7a', null), ('bob', '010.0.0.1', null, null), ('zoe', 'any', 'y', '9999-12-31')`,
    ['tidy', ['rewritten 4, to be corrected 1', '  bob 010.0.0.1: grants nothing: the network cannot be read'], [TO_REMOVE]],
    ['list', ['alice  10.0.0.0/8   -                     x', 'bob    010.0.0.1    -                     GRANTS NOTHING: the network cannot be read', 'eve    10.0.0.1/32  -                     z', 'zoe    any          9999-12-31T23:59:59Z  y']],
  ],
  'add and remove beside a wider entry': [OFFICE,
    [`add ${CAROL} 203.0.113.10`, [`${CAROL} may now send mail from 203.0.113.10/32`, KEEPS]],
    [`add ${CAROL} 203.0.113.11`, [`${CAROL} may now send mail from 203.0.113.11/32`]],
    [`remove ${CAROL} 203.0.113.10`, [`removed ${CAROL} 203.0.113.10/32`]],
    [`remove ${CAROL} 203.0.113.11`, [`removed ${CAROL} 203.0.113.11/32`, `removed ${CAROL} inherit`], [WIDER]],
    ['list', ['@example.com  @office  -']],
  ],
  '--only, and inherit added and removed by name': [OFFICE,
    [`add ${CAROL} 203.0.113.10 --only`, [`${CAROL} may now send mail from 203.0.113.10/32`]],
    [`add ${CAROL} Inherit`, [`${CAROL} now inherits what the next wider entries allow`]],
    [`add ${CAROL} inherit`, [`${CAROL} already inherits what the next wider entries allow`]],
    [`add ${CAROL} 203.0.113.11 --only`, [`${CAROL} may now send mail from 203.0.113.11/32`],
      [`hint: ${CAROL} still inherits what @example.com allows; to end that: allow-nets remove ${CAROL} inherit --db DB`]],
    [`remove ${CAROL} inherit`, [`removed ${CAROL} inherit`], [`hint: only the entries of ${CAROL} decide now`]],
  ],
  'a domain, and a login of every domain': [`${OFFICE} insert into access (user, network) values ('*', '192.0.2.0/24')`,
    ['add @example.net 10.0.0.0/8', ['@example.net may now send mail from 10.0.0.0/8', '@example.net also keeps what * allows']],
    ['add carol 10.0.0.0/8', ['carol may now send mail from 10.0.0.0/8', 'carol also keeps what @example.com or @example.net or * allows']],
    ['add dave@example.org any', ['dave@example.org may now send mail from any', 'dave@example.org also keeps what * allows']],
  ],
  'expired entries beside a wider one': [`${OFFICE} insert into access (user, network, expires) values ('${CAROL}', '10.0.0.0/8', '2020-01-01'),
      ('dave@example.com', '10.0.0.0/8', '2020-01-01'), ('dave@example.com', '192.0.2.0/24', null), ('eve', 'any', '2020-01-01')`,
    ['remove --expired', [`removed ${CAROL} 10.0.0.0/8`, 'removed dave@example.com 10.0.0.0/8', 'removed eve any'], [WIDER, NOBODY('eve')]],
  ],
  'block and unblock': [OFFICE,
    [`block ${CAROL} --note 'password stolen'`, [`${CAROL} is now blocked`]],
    [`block ${CAROL}`, [`${CAROL} is already blocked`]],
    [`list ${CAROL}`, [`${CAROL}  none     -  BLOCKED; password stolen`, '@example.com       @office  -'], [`hint: the entries of ${CAROL} decide for ${CAROL}; those of @example.com do not count`]],
    [`add ${CAROL} 203.0.113.10`, [`${CAROL} may now send mail from 203.0.113.10/32`, KEEPS], [`hint: ${CAROL} is blocked, and still refused from everywhere: allow-nets unblock ${CAROL} --db DB`]],
    [`unblock ${CAROL}`, [`${CAROL} is no longer blocked`], [`hint: the entries of ${CAROL} decide now, and by inherit those of @example.com`]],
    [`remove ${CAROL} --all`, [`removed ${CAROL} 203.0.113.10/32`, `removed ${CAROL} inherit`], [WIDER]],
    [`block ${CAROL} --until 2098-12-24`, [`${CAROL} is now blocked until 2098-12-25T00:00:00Z (2098-12-25 00:00:00 local time)`, `when the block has ended, @example.com decides for ${CAROL} again`]],
    // A block without an end does not keep the one that was there.
    [`block ${CAROL}`, [`${CAROL} is now blocked`]],
    [`unblock ${CAROL}`, [`${CAROL} is no longer blocked`], [WIDER]],
    ['list', ['@example.com  @office  -']],
  ],
  'what is added beside a blocked domain': ['',
    ['block @example.com', ['@example.com is now blocked']],
    [`add ${CAROL} 10.0.0.1 --only`, [`${CAROL} may now send mail from 10.0.0.1/32`], [`hint: @example.com is blocked, but ${CAROL} may now send mail from there; to block ${CAROL} too: allow-nets block ${CAROL} --db DB`]],
    [`remove ${CAROL} --all`, [`removed ${CAROL} 10.0.0.1/32`], [`hint: the entries of @example.com now block ${CAROL}`]],
    [`add ${CAROL} 10.0.0.1`, [`${CAROL} may now send mail from 10.0.0.1/32`, KEEPS], [`hint: @example.com is blocked, but ${CAROL} may now send mail from there; to block ${CAROL} too: allow-nets block ${CAROL} --db DB`]],
  ],
  'a block by hand': ["insert into access (user, network, expires) values ('Eve', ' None ', 'soon')", ['unblock eve', ['eve is no longer blocked'], [NOBODY('eve')]]],
  'whom a block does not reach': [`${OFFICE} insert into access (user, network) values ('${CAROL}', 'any'), ('carol', 'any')`,
    ['block @example.com', ['@example.com is now blocked'], [`hint: not blocked, because their own entries decide: ${CAROL}`]],
    ['block * --force', ['* is now blocked'], ['hint: not blocked, because their own entries decide: 3 others, such as @example.com']],
    ['block carol', ['carol is now blocked'], [`hint: ${CAROL} has entries of its own, to which those of carol do not apply: allow-nets block ${CAROL} --db DB`]],
    [`block ${CAROL}`, [`${CAROL} is now blocked`], ['hint: carol has entries too, and is not blocked: allow-nets block carol --db DB']],
  ],
  'names': [`${OFFICE} insert into access (user, network) values ('bob@example.com', 'any')`,
    ['add wei.li any', [], ['error: wei.li looks like a domain, and no user logs in by it', 'hint: did you mean @wei.li? To add a login of that name all the same add --force'], 2],
    ['add bob any --only', ['bob may now send mail from any'], ['hint: bob@example.com has entries of its own, to which those of bob do not apply: allow-nets add bob@example.com any --db DB']],
    ['add john.doe any', ['john.doe may now send mail from any', 'john.doe also keeps what @example.com allows']],
    ['add wei.li any --force --only', ['wei.li may now send mail from any']],
  ],
  'the first login without a domain': ["insert into access (user, network) values ('bob@example.com', 'any')",
    ['add carol any', ['carol may now send mail from any'], ['hint: carol means carol of every domain; the other entries have names such as bob@example.com']],
  ],
  'words after --': ['',
    ['add -- --all 10.0.0.0/8', ['--all may now send mail from 10.0.0.0/8']],
    ["add --note x -- 'bob smith' 10.0.0.0/8", ['bob smith may now send mail from 10.0.0.0/8']],
    ['list', ['--all      10.0.0.0/8  -', 'bob smith  10.0.0.0/8  -  x']],
    ['remove --all -- --all', ['removed --all 10.0.0.0/8'], [NOBODY('--all')]],
  ],
};

for (const [name, [sql, ...lines]] of Object.entries(LIVES)) test(name, () => void steps(sql, lines));

test('a time of expiry is printed in UTC and in local time', async (t) => {
  // biome-ignore format: a case a line
  const zones: [zone: string, typed: string, utc: string, local: string][] = [
    ['UTC', '2098-12-24', '2098-12-25T00:00:00Z', '2098-12-25 00:00:00'],
    ['America/New_York', '2098-12-24', '2098-12-25T05:00:00Z', '2098-12-25 00:00:00'],
    ['Asia/Kolkata', '2098-12-24', '2098-12-24T18:30:00Z', '2098-12-25 00:00:00'],
    ['Pacific/Kiritimati', '2098-12-24', '2098-12-24T10:00:00Z', '2098-12-25 00:00:00'],
    // The day on which the clock goes forward, and that on which it goes back.
    ['Europe/Berlin', '2098-03-30', '2098-03-30T22:00:00Z', '2098-03-31 00:00:00'],
    ['Europe/Berlin', '2098-10-26', '2098-10-26T23:00:00Z', '2098-10-27 00:00:00'],
    ['Europe/Berlin', '2098-12-31', '2098-12-31T23:00:00Z', '2099-01-01 00:00:00'],
    ['America/New_York', '9999-12-31', '9999-12-31T23:59:59Z', '9999-12-31 18:59:59'],
    ['Europe/Berlin', '2098-12-24T18:00Z', '2098-12-24T18:00:00Z', '2098-12-24 19:00:00'],
    ['Europe/Berlin', "'2098-12-24 18:00:30'", '2098-12-24T17:00:30Z', '2098-12-24 18:00:30'],
    ['Europe/Berlin', '2098-12-24T18:00+05:30', '2098-12-24T12:30:00Z', '2098-12-24 13:30:00'],
  ];
  for (const [zone, typed, utc, local] of zones) {
    await t.test(`${zone} ${typed}`, () => {
      const line = `alice may now send mail from 10.0.0.0/8 until ${utc} (${local} local time)`;
      const db = steps('', [[`add alice 10.0.0.0/8 --until ${typed}`, [line]]], { TZ: zone });
      assert.deepEqual(query(db, 'select expires from access'), [utc]);
    });
  }
});

test('--for counts from now, and a later change of the note keeps the time', () => {
  for (const [length, seconds] of Object.entries({ '30m': 1800, '12h': 43_200, '7d': 604_800, '2w': 1_209_600 })) {
    const db = newDatabase();
    const before = Math.floor(Date.now() / 1000);
    assert.equal(run(['add', 'alice', '10.0.0.0/8', '--for', length], { db }).status, 0);
    const [first] = query(db, 'select expires from access');
    const left = Date.parse(String(first)) / 1000 - seconds;
    assert.ok(left >= before && left <= Math.ceil(Date.now() / 1000), `${length}: ${first}`);
    assert.equal(run(['add', 'alice', '10.0.0.0/8', '--note', 'x'], { db }).status, 0);
    assert.deepEqual(query(db, 'select expires from access'), [first]);
  }
});

test('who added it, and when', () => {
  const login = process.getuid?.() === 0 ? 'root' : process.env['USER'];
  for (const [SUDO_USER, name] of [
    ['hans', 'hans'],
    ['', login],
  ] as const) {
    const before = new Date(Date.now() - 1000).toISOString();
    const db = newDatabase();
    run(['add', 'alice', '10.0.0.0/8'], { db, env: { SUDO_USER } });
    run(['set', 'add', 'office', '10.0.0.0/8'], { db, env: { SUDO_USER } });
    for (const table of ['access', 'network_set']) {
      const [row] = query(db, `select added_by as "by", added_at as at from ${table}`) as { by: string; at: string }[];
      assert.equal(row?.by, name);
      assert.match(row?.at ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      assert.ok(before.slice(0, 19) <= (row?.at ?? '') && Date.parse(row?.at ?? '') <= Date.now(), row?.at);
    }
  }
});
