// learn at the command line: what it prints, marks, adds and refuses.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { needs, program } from '../requires';
import { entries, newDatabase } from '../rig/database';
import { type Outcome, run } from '../rig/run';
import { newFile, newPath } from '../rig/scratch';
import { many, taken } from './small-log';
import type { Learned } from './truth';

const ALICE =
  many(3, 'alice@example.com', '192.0.2.7') + taken('alice@example.com', '2001:db8:1:2::77', '2026-11-06T10:00:00Z');
const BOB = many(2, 'Bob@Example.com', '198.51.100.9', '2026-11-05');
/** A user in many networks: a stolen password. */
const EVE = Array.from({ length: 12 }, (_, i) => many(2, 'eve', `198.18.${i}.1`)).join('');

const learn = (log: string | Buffer, db: string, ...words: string[]): Outcome =>
  run(['learn', ...words, '--db', db, newFile(log)]);

/** Of `learn --json`: the columns of each row, with a blank between. */
function rowsOf({ stdout }: Outcome, ...columns: (keyof Learned)[]): string[] {
  const rows = JSON.parse(stdout) as Learned[];
  return rows.map((row) =>
    columns
      .map((column) => [row[column]].flat().join(' '))
      .join(' ')
      .trim(),
  );
}

test('prints users and networks, the most used first', () => {
  const { status, stdout, stderr } = learn(BOB + ALICE, newDatabase());
  assert.equal(
    stdout,
    [
      'USER               NETWORK            MESSAGES  DAYS  FIRST                 LAST                  STATE  LOOK TWICE',
      'alice@example.com  192.0.2.7/32              3     1  2026-11-04T00:00:00Z  2026-11-04T00:02:00Z  new',
      'alice@example.com  2001:db8:1:2::/64         1     1  2026-11-06T10:00:00Z  2026-11-06T10:00:00Z  new    once',
      'bob@example.com    198.51.100.9/32           2     1  2026-11-05T00:00:00Z  2026-11-05T00:01:00Z  new',
      '',
    ].join('\n'),
  );
  assert.equal(stderr, 'allow-nets: hint: 3 networks of 2 users in 6 messages: 3 not allowed yet, --apply adds them\n');
  assert.equal(status, 0);
});

test('prints what import takes with --json', () => {
  const db = newDatabase();
  run(['add', 'bob@example.com', '198.51.100.0/24', '--db', db]);
  const { status, stdout } = learn(BOB, db, '--json', '--user', 'bob@example.com');
  assert.deepEqual(JSON.parse(stdout), [
    {
      user: 'bob@example.com',
      network: '198.51.100.9/32',
      note: 'learned from 2 messages, 2026-11-05T00:00:00Z to 2026-11-05T00:01:00Z',
      expires: null,
      messages: 2,
      days: 1,
      first: '2026-11-05T00:00:00Z',
      last: '2026-11-05T00:01:00Z',
      allowed: 'all',
      by: { subject: 'bob@example.com', network: '198.51.100.0/24', set: null },
      marks: [],
    },
  ]);
  assert.equal(status, 0);
});

test('what --json prints is what import takes, with the notes', () => {
  const learned = learn(ALICE + BOB, newPath(), '--json').stdout;
  const db = newDatabase();
  const { status, stdout, stderr } = run(['import', '-', '--db', db], { input: learned });
  assert.deepEqual([status, stdout], [0, 'added 3, changed 0, removed 0, unchanged 0\n']);
  assert.equal(stderr, 'allow-nets: hint: columns left out: messages, days, first, last, allowed, by, marks\n');
  const plain = (json: string) =>
    (JSON.parse(json) as Record<string, string>[])
      .map(({ user, network, note, expires }) => [user, network, note, expires].join())
      .sort();
  assert.deepEqual(plain(run(['list', '--json', '--db', db]).stdout), plain(learned));
});

test('groups addresses to the prefix lengths asked for, joins what lies side by side, and leaves out what was seen too little', async (t) => {
  const near = ['192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.200', '192.0.3.1', '2001:db8::1', '2001:db8:0:1::1'];
  const some = near.concat('2001:db8:0:3::1').map((address, i) => taken('alice', address, `2026-11-04T05:0${i}:00Z`));
  const often =
    many(5, 'alice', '192.0.2.1') + taken('alice', '192.0.2.1', '2026-11-05T05:00:00Z') + many(2, 'alice', '192.0.2.2');
  const v4 = ['192.0.2.1/32', '192.0.2.2/31', '192.0.2.200/32', '192.0.3.1/32'];
  const v6 = ['2001:db8::/63', '2001:db8:0:3::/64'];
  // biome-ignore format: a table
  const rows: [words: string, log: string, networks: string[]][] = [
    ['', some.join(''), [...v4, ...v6]],
    ['--v4-prefix 24', some.join(''), ['192.0.2.0/23', ...v6]],
    ['--v4-prefix 25 --v6-prefix 48', some.join(''), ['192.0.2.0/24', '192.0.3.0/25', '2001:db8::/48']],
    ['--v6-prefix 128', some.join(''), [...v4, '2001:db8::1/128', '2001:db8:0:1::1/128', '2001:db8:0:3::1/128']],
    ['--min-messages 2', often, ['192.0.2.1/32', '192.0.2.2/32']],
    ['--min-messages 3', often, ['192.0.2.1/32']],
    ['--min-days 2', often, ['192.0.2.1/32']],
    ['--min-messages 7', often, []],
  ];
  for (const [words, log, networks] of rows) {
    await t.test(words, () => {
      const ran = learn(log, newPath(), '--json', ...words.split(' ').filter(Boolean));
      assert.deepEqual([rowsOf(ran, 'network').sort(), ran.status], [networks.sort(), 0]);
    });
  }
});

test('marks networks of many users, stolen passwords, gateways and what was seen once', async (t) => {
  const users = ['u1', 'u2', 'u3', 'u4', 'u5', 'u6'];
  const own = users.map((user, i) => many(3, user, `198.51.100.${i * 2}`)).join('');
  const of = (some: string[], address: string) => some.map((user) => many(2, user, address)).join('');
  const webmail = own + of(users.slice(0, 3), '203.0.113.80');
  const found = (log: string) => {
    const ran = learn(log, newPath(), '--json');
    return { marked: rowsOf(ran, 'user', 'network', 'marks').filter((row) => / .* /.test(row)), stderr: ran.stderr };
  };
  // biome-ignore format: a table
  const rows: [name: string, log: string, marked: string[], hint: RegExp][] = [
    ['a webmail', webmail, ['u1', 'u2', 'u3'].map((user) => `${user} 203.0.113.80/32 many-users`),
      /hint: 3 users send from 203\.0\.113\.80\/32, a webmail or an office\? allow-nets set add NAME 203\.0\.113\.80\/32\n/],
    ['a gateway', of(users, '172.17.0.1'), users.map((user) => `${user} 172.17.0.1/32 gateway`),
      /hint: nearly everybody sends from the private 172\.17\.0\.1\/32: /],
    ['a stolen password', EVE + many(2, 'bob', '192.0.2.9'), Array.from({ length: 12 }, (_, i) => `eve 198.18.${i}.1/32 many-networks`),
      /hint: in many networks within 24 hours, a stolen password\? eve\n/],
    ['once', many(1, 'bob', '192.0.2.9') + many(2, 'alice', '192.0.2.20'), ['bob 192.0.2.9/32 once'],
      /hint: 2 networks of 2 users in 3 messages: /],
  ];
  for (const [name, log, expected, hint] of rows) {
    await t.test(name, () => {
      const { marked, stderr } = found(log);
      assert.deepEqual(marked.sort(), expected.sort());
      assert.match(stderr, hint);
    });
  }
});

test('says what is allowed already, and by what', () => {
  const db = newDatabase();
  run(['set', 'add', 'office', '192.0.2.0/24', '--db', db]);
  run(['add', 'alice@example.com', '@office', '--db', db]);
  run(['add', '@example.com', '198.51.100.0/24', '2001:db8::1', '--db', db]);
  const more = [1, 2].map((end) => taken('bob@example.com', `2001:db8::${end}`, '2026-11-06T10:00:00Z'));
  const { stdout } = learn(ALICE + BOB + more.join(''), db);
  const lines = stdout.trim().split('\n').slice(1);
  assert.deepEqual(
    lines.map((line) => line.split(/ {2,}/).slice(6).join(' ')),
    [
      'allowed by 192.0.2.0/24 of @office',
      'new once',
      'partly allowed by 2001:db8::1/128 (@example.com)',
      'allowed by 198.51.100.0/24 (@example.com)',
    ],
  );
});

test('--apply adds what is printed, once, with where it comes from', () => {
  const db = newDatabase();
  const first = learn(ALICE + BOB, db, '--apply');
  assert.equal(first.status, 0, first.stderr);
  assert.match(first.stdout, /\nadded 3 entries of 2 users\n$/);
  const networks = ['alice@example.com 192.0.2.7/32', 'alice@example.com 2001:db8:1:2::/64'];
  assert.deepEqual(entries(db), [...networks, 'bob@example.com 198.51.100.9/32']);
  const [{ note, added_by }] = JSON.parse(run(['list', '--json', '--db', db]).stdout);
  assert.equal(note, 'learned from 3 messages, 2026-11-04T00:00:00Z to 2026-11-04T00:02:00Z');
  assert.equal(added_by, 'postmaster');

  const again = learn(ALICE + BOB, db, '--apply');
  assert.match(again.stdout, /\nadded 0 entries of 0 users\n$/);
  const replayed = run(['replay', '--db', db, newFile(ALICE + BOB)]);
  assert.deepEqual([again.status, replayed.status, replayed.stderr], [0, 0, '']);
});

test('--apply takes nobody what a wider entry allows', () => {
  const db = newDatabase();
  run(['add', '@example.com', '198.51.100.0/24', '--db', db]);
  run(['add', 'carol@example.com', '203.0.113.0/24', '--only', '--db', db]);
  // Bob is allowed by his domain: nothing is new. Dan is, and from home is new. Carol has a network, and another one is
  // new.
  const log = [
    BOB,
    many(2, 'dan@example.com', '198.51.100.20'),
    many(2, 'dan@example.com', '192.0.2.40'),
    many(2, 'carol@example.com', '203.0.113.4'),
    many(2, 'carol@example.com', '192.0.2.60'),
  ].join('');
  const { status, stdout, stderr } = learn(log, db, '--apply', '--for', '30d');
  assert.equal(status, 0);
  assert.match(stdout, /\nadded 2 entries of 2 users\n$/);
  assert.deepEqual(entries(db), [
    '@example.com 198.51.100.0/24',
    'carol@example.com 192.0.2.60/32',
    'carol@example.com 203.0.113.0/24',
    'dan@example.com 192.0.2.40/32',
    'dan@example.com inherit',
  ]);
  assert.match(stderr, /hint: an entry inherit keeps what wider entries allow: dan@example\.com\n/);
  assert.equal(run(['replay', '--db', db, newFile(log)]).status, 0);
  // What was learned ends, what the domain allows does not.
  const later = ['--at', '2100-01-01', '--db', db];
  assert.equal(run(['check', 'dan@example.com', '198.51.100.20', ...later]).status, 0);
  assert.equal(run(['check', 'dan@example.com', '192.0.2.40', ...later]).status, 1);
});

test('--apply leaves out who is blocked: an own entry would end the block of the domain', () => {
  const db = newDatabase();
  run(['block', '@example.com', '--db', db]);
  run(['block', 'bob', '--db', db]);
  const log =
    many(2, 'alice@example.com', '192.0.2.7') + many(2, 'bob', '192.0.2.8') + many(2, 'carol@example.net', '192.0.2.9');
  const { status, stderr } = learn(log, db, '--apply');
  assert.deepEqual([status, entries(db)], [0, ['@example.com none', 'bob none', 'carol@example.net 192.0.2.9/32']]);
  assert.match(stderr, /hint: not added, --force adds them: the networks of alice@example.com, bob \(blocked\)\n/);
  learn(log, db, '--apply', '--force');
  assert.ok(entries(db).includes('alice@example.com 192.0.2.7/32'));
});

test('--apply leaves out a stolen password and a gateway, and --force does not', () => {
  const proxied = ['u1', 'u2', 'u3'].map((user) => many(100, user, '172.17.0.1')).join('');
  // biome-ignore format: a table
  const rows: [log: string, hint: RegExp, left: string, all: number][] = [
    [EVE + many(2, 'bob', '192.0.2.9'), /hint: not added, --force adds them: the networks of eve \(many-networks\)\n/, 'bob 192.0.2.9/32', 13],
    [proxied + many(2, 'u1', '192.0.2.9'), /hint: not added, --force adds them: 172\.17\.0\.1\/32 \(gateway\)\n/, 'u1 192.0.2.9/32', 4],
  ];
  for (const [log, hint, left, all] of rows) {
    const db = newDatabase();
    const { status, stderr } = learn(log, db, '--apply');
    assert.deepEqual([status, entries(db)], [0, [left]]);
    assert.match(stderr, hint);
    assert.doesNotMatch(learn(log, db, '--apply', '--force').stderr, /not added/);
    assert.equal(entries(db).length, all);
  }
});

test('--note and --for say it of what is added', () => {
  const db = newDatabase();
  assert.equal(learn(BOB, db, '--apply', '--note', 'ticket 7', '--for', '30d').status, 0);
  const [{ note, expires }] = JSON.parse(run(['list', '--json', '--db', db]).stdout);
  const days = (Date.parse(expires) - Date.now()) / 86_400_000;
  assert.ok(note === 'ticket 7' && days > 29.9 && days < 30.1, `${note} ${expires}`);
});

test('an entry that has expired is new again', needs('sqlite3'), () => {
  const db = newDatabase();
  run(['add', 'bob@example.com', '198.51.100.9', '--db', db]);
  execFileSync(program('sqlite3'), [db, "update access set expires = '2020-01-01T00:00:00Z'"]);
  assert.match(learn(BOB, db, '--apply').stdout, / {2}new\nadded 1 entry of 1 user\n$/);
  assert.equal(run(['check', 'bob@example.com', '198.51.100.9', '--db', db]).status, 0);
});

test('a login name that would mean others, too, is never an entry', () => {
  const db = newDatabase();
  const names = ['*', '@example.com', '@', ' alice', '192.0.2.0/24'];
  const { status, stderr } = learn(names.map((name) => many(2, name, '203.0.113.66')).join('') + BOB, db, '--apply');
  assert.deepEqual([status, entries(db)], [0, ['bob@example.com 198.51.100.9/32']]);
  const left = ' alice, \\*, 192\\.0\\.2\\.0/24, @, @example\\.com';
  assert.match(stderr, new RegExp(`hint: left out, as entries they would not mean that one user: ${left}\n`));
});

test('messages from an address that the log does not know', () => {
  const at = (count: number, address: string) => many(count, 'bob', address);
  const ran = learn(
    at(3, 'unknown') + at(2, 'fe80::1%eth0') + at(1, '192.0.2.9') + at(4, '192.0.2.999'),
    newPath(),
    '--json',
  );
  assert.deepEqual([rowsOf(ran, 'network', 'messages'), ran.status], [['192.0.2.9/32 1'], 0]);
  assert.match(ran.stderr, /hint: left out 5 messages from no known address\n/);
  assert.match(
    ran.stderr,
    /hint: .*mail\.log: left out 4 broken lines, for example: .*client=unknown\[192\.0\.2\.999\]/,
  );
});

test('counts logins of Dovecot with --dovecot only', () => {
  const alice = 'user=<alice@example.com>, method=PLAIN, rip=';
  // biome-ignore format: a table
  const lines = [
    `dovecot: imap-login: Login: ${alice}192.0.2.7, lip=192.0.2.1, mpid=1, TLS, session=<abc>`,
    `dovecot[77]: imap-login: Login: ${alice}192.0.2.7, lip=192.0.2.1`,
    'dovecot: pop3-login: Logged in: user=<bob>, method=PLAIN, rip=::ffff:192.0.2.9, lip=192.0.2.1',
    'dovecot: submission-login: Login: user=<bob>, method=, rip=2001:db8::9',
    // None of these.
    `dovecot: imap-login: Aborted login (auth failed, 1 attempts in 2 secs): ${alice}203.0.113.99`,
    `dovecot: imap-login: Login aborted: Connection closed (auth failed): ${alice}203.0.113.99`,
    `dovecot: imap-login: Disconnected: Login: ${alice}203.0.113.99`,
    `dovecot: imap-login: Disconnected (auth failed): user=<x>, : Login: ${alice}203.0.113.99`,
    'dovecot: imap-login: Login: user=<>, method=PLAIN, rip=203.0.113.99, lip=192.0.2.1',
    `dovecot: imap(alice@example.com): Login: ${alice}203.0.113.99`,
    `webapp: imap-login: Login: ${alice}203.0.113.99`,
    `webapp: dovecot: imap-login: Login: ${alice}203.0.113.99`,
    `postfix/smtpd[7]: warning: x: Login: ${alice}203.0.113.99`,
  ].map((line) => `Nov  4 05:47:54 mx1 ${line}\n`);
  const own = 'Nov 04 05:47:54 imap-login: Info: Logged in: user=<bob>, method=PLAIN, rip=192.0.2.9, lip=192.0.2.1\n';
  const log = lines.join('') + own + many(1, 'carol', '192.0.2.30');
  const learned = (...words: string[]) => {
    const ran = learn(log, newPath(), '--json', ...words);
    assert.doesNotMatch(ran.stderr, /broken|not understood/);
    return rowsOf(ran, 'user', 'network', 'messages');
  };
  assert.deepEqual(learned(), ['carol 192.0.2.30/32 1']);
  const bob = ['bob 192.0.2.9/32 2', 'bob 2001:db8::/64 1'];
  assert.deepEqual(learned('--dovecot'), [...bob, 'alice@example.com 192.0.2.7/32 2', 'carol 192.0.2.30/32 1']);
});

test('what cannot be read is reported, each kind; what was read counts, and --apply requires --force', async (t) => {
  const cut = taken('bob', '192.0.2.9', '2026-11-04T05:00:00Z').replace(', sasl_username=bob', '');
  const german = ALICE.replace(/^\S+/, 'Dez  4 05:47:54').split('\n', 1).join('\n');
  const gzip = gzipSync(ALICE);
  const utf16 = /mail\.log is UTF-16 and was not read; convert it first: iconv -f UTF-16 -t UTF-8 \S+\n/;
  // biome-ignore format: a table
  const rows: [name: string, log: string | Buffer, hint: RegExp][] = [
    ['a broken line', ALICE + cut, /left out 1 broken line, for example: 2026/],
    ['two', ALICE + cut + cut, /left out 2 broken lines, for example: 2026/],
    ['a line of 1 MB', `${ALICE}${'x'.repeat(1 << 20)}\n`, /left out 1 overlong line\n/],
    ['a form that is not known', ALICE + german, /: 1 line not understood, for example: Dez {2}4 05:47:54 mx1 .*\nallow-nets: hint: .*LC_ALL=C journalctl -o short-iso/],
    ['NUL bytes', `${ALICE}x\0y\n`, /left out 1 line with NUL bytes\n/],
    ['all of it', `${ALICE}${cut}a\0\n${'x'.repeat(1 << 20)}`, /left out 1 broken line, 1 overlong line, 1 line with NUL bytes, for example: /],
    ['gzip, cut off', gzip.subarray(0, -8), /mail\.log could not be read to its end \(gzip: .*unexpected end of file\): what came before counts\n/],
    ['UTF-16 with a byte order mark', Buffer.from(`\ufeff${ALICE}`, 'utf16le'), utf16],
    ['UTF-16 without', Buffer.from(ALICE, 'utf16le'), utf16],
  ];
  for (const [name, log, hint] of rows) {
    await t.test(name, () => {
      const db = newDatabase();
      const { status, stdout, stderr } = learn(log, db, '--apply');
      assert.deepEqual([status, entries(db)], [1, []]);
      assert.match(stderr, hint);
      assert.match(
        stderr,
        /error: nothing was added: some of the log could not be read\nallow-nets: hint: .*--force\n$/,
      );
      assert.equal(run(['replay', '--db', db, newFile(log)]).status, 1);
      const count = hint === utf16 ? 0 : 2;
      assert.equal(stdout.split('\n').filter((line) => line.startsWith('alice')).length, count);
      assert.equal(learn(log, db, '--apply', '--force').status, 0);
      assert.equal(entries(db).length, count);
    });
  }
});

test('an example of a broken line cannot write to the terminal', () => {
  const { stderr } = learn(taken('bob\x1b[2J\x07', '192.0.2.9', '2026-11-04T05:00:00Z'), newPath());
  assert.match(stderr, /left out 1 broken line/);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what must not be there
  assert.doesNotMatch(stderr, /[\x00-\x09\x0b-\x1f]/);
});

test('standard input, alone, compressed and among files', () => {
  const words = ['learn', '--json', '--db', newPath()];
  for (const input of [BOB, gzipSync(BOB)]) {
    assert.deepEqual(rowsOf(run([...words, '-'], { input }), 'user'), ['bob@example.com']);
  }
  const both = run([...words, newFile(ALICE), '-'], { input: BOB });
  assert.deepEqual(rowsOf(both, 'user'), ['alice@example.com', 'alice@example.com', 'bob@example.com']);
  const utf16 = run([...words, '-'], { input: Buffer.from(BOB, 'utf16le') });
  assert.match(utf16.stderr, /standard input is UTF-16 and was not read; convert it first: iconv -f UTF-16 -t UTF-8\n/);
});

test('nothing found: says so', () => {
  const { status, stdout, stderr } = learn('Nov  4 05:47:54 mx1 cron[1]: x\n', newDatabase());
  assert.deepEqual([status, stdout], [0, '']);
  assert.match(stderr, /^allow-nets: hint: no mail of an authenticated user was found/);
  assert.equal(learn('', newDatabase(), '--json').stdout, '[]\n');
});

test('before there is a database everything is new; --apply requires one', () => {
  const read = learn(BOB, newPath());
  assert.equal(read.status, 0);
  assert.match(read.stdout, / {2}new\n$/);
  const applied = learn(BOB, newPath(), '--apply');
  assert.deepEqual([applied.status, applied.stdout], [1, '']);
  assert.match(applied.stderr, /error: there is no database .*\nallow-nets: hint: .*allow-nets init/);
});

test('wrong usage and files that cannot be read', async (t) => {
  const log = newFile(BOB);
  // biome-ignore format: a table
  const rows: [words: string[], status: number, stderr: RegExp][] = [
    [[log, '/nowhere/mail.log'], 1, /error: there is no file \/nowhere\/mail\.log\n/],
    [['/etc'], 1, /error: \/etc is a folder\nallow-nets: hint: name a file to read, or - for standard input\n/],
    [['--v4-prefix', '33', log], 2, /error: --v4-prefix 33 is not a number from 1 to 32\n/],
    [['--v6-prefix', 'x', log], 2, /error: --v6-prefix x is not a number from 1 to 128\n/],
    [['--min-days', '0', log], 2, /error: --min-days 0 is not a number from 1 or more\n/],
    [['--since', 'yesterday', log], 2, /error: --since yesterday is not a date or time\n/],
    [['--since', '2026-11-05', '--until', '2026-11-04', log], 2, /error: --since 2026-11-05 is not before --until 2026-11-04\n/],
    [[log, '--aply'], 2, /error: unknown option --aply\n/],
  ];
  for (const [words, status, stderr] of rows) {
    await t.test(words.join(' '), () => {
      const ran = run(['learn', '--db', newDatabase(), ...words]);
      assert.match(ran.stderr, stderr);
      assert.deepEqual([ran.status, ran.stdout], [status, '']);
    });
  }
});
