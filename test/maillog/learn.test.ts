// learn at the command line: what it prints, marks, adds and refuses.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { entries, newDatabase } from '../rig/database';
import { type Outcome, run } from '../rig/run';
import { newFile, newPath } from '../rig/scratch';
import { acceptedLine, acceptedLines } from './small-log';

const ALICE =
  acceptedLines(3, 'alice@example.com', '192.0.2.7') +
  acceptedLine('alice@example.com', '2001:db8:1:2::77', '2026-11-06T10:00:00Z');
const BOB = acceptedLines(2, 'Bob@Example.com', '198.51.100.9', '2026-11-05');
/** A user in many networks: a stolen password. */
const EVE = Array.from({ length: 12 }, (_, i) => acceptedLines(2, 'eve', `198.18.${i}.1`)).join('');

const learn = (log: string | Buffer, db: string, ...words: string[]): Outcome =>
  run(['learn', ...words, '--db', db, newFile(log)]);

/** Of `learn --json`: the columns of each row, with a blank between. */
function rowsOf({ stdout }: Outcome, ...columns: string[]): string[] {
  return (JSON.parse(stdout) as Record<string, unknown>[]).map((row) => columns.map((column) => row[column]).join(' '));
}

test('prints users and networks, the most used first', () => {
  assert.deepEqual(learn(BOB + ALICE, newDatabase()), {
    status: 0,
    stdout: `\
USER               NETWORK            MESSAGES  DAYS  FIRST                 LAST                  STATE  LOOK TWICE
alice@example.com  192.0.2.7/32              3     1  2026-11-04T00:00:00Z  2026-11-04T00:02:00Z  new
alice@example.com  2001:db8:1:2::/64         1     1  2026-11-06T10:00:00Z  2026-11-06T10:00:00Z  new    once
bob@example.com    198.51.100.9/32           2     1  2026-11-05T00:00:00Z  2026-11-05T00:01:00Z  new
`,
    stderr: `\
allow-nets: hint: the reasons to look twice are explained by: allow-nets learn --help
allow-nets: hint: 3 networks of 2 users in 6 messages: 3 not allowed yet, --apply adds them
`,
  });
});

test('--json prints what import takes, with the notes', () => {
  const db = newDatabase([{ name: 'bob@example.com', network: '198.51.100.0/24' }]);
  const first = '2026-11-05T00:00:00Z';
  const last = '2026-11-05T00:01:00Z';
  const note = `learned from 2 messages, ${first} to ${last}`;
  const by = { subject: 'bob@example.com', network: '198.51.100.0/24', set: null };
  const entry = { user: 'bob@example.com', network: '198.51.100.9/32', note, expires: null };
  const { stdout } = learn(BOB + ALICE, db, '--json', '--user', 'bob@example.com');
  assert.deepEqual(JSON.parse(stdout), [
    { ...entry, messages: 2, days: 1, first, last, allowed: 'all', by, marks: [] },
  ]);
  const imported = { status: 0, stdout: 'added 1, changed 0, removed 0, unchanged 0\n', stderr: '' };
  assert.deepEqual(run(['import', '-', '--db', db], { input: stdout }), imported);
  assert.deepEqual(rowsOf(run(['list', '--json', '--db', db]), 'note')[1], note);
});

test('groups addresses by the given prefix lengths, and leaves out rarely used networks', async (t) => {
  const near = ['192.0.2.1', '192.0.2.2', '192.0.2.200', '192.0.3.1', '2001:db8::1', '2001:db8:0:1::1'];
  const some = near.map((address, i) => acceptedLine('alice', address, `2026-11-04T05:0${i}:00Z`)).join('');
  const often =
    acceptedLines(5, 'alice', '192.0.2.1') +
    acceptedLine('alice', '192.0.2.1', '2026-11-05T05:00:00Z') +
    acceptedLines(2, 'alice', '192.0.2.2');
  const v4 = ['192.0.2.1/32', '192.0.2.2/32', '192.0.2.200/32', '192.0.3.1/32'];
  // biome-ignore format: a table
  const rows: [words: string, log: string, networks: string[]][] = [
    ['', some, [...v4, '2001:db8::/63']],
    ['--v4-prefix 24', some, ['192.0.2.0/23', '2001:db8::/63']],
    ['--v4-prefix 25 --v6-prefix 48', some, ['192.0.2.0/24', '192.0.3.0/25', '2001:db8::/48']],
    ['--v6-prefix 128', some, [...v4, '2001:db8::1/128', '2001:db8:0:1::1/128']],
    ['--min-messages 2', often, ['192.0.2.1/32', '192.0.2.2/32']],
    ['--min-messages 3', often, ['192.0.2.1/32']],
    ['--min-days 2', often, ['192.0.2.1/32']],
    ['--min-messages 7', often, []],
  ];
  for (const [words, log, networks] of rows) {
    await t.test(words, () => {
      const ran = learn(log, newDatabase(), '--json', ...words.split(' ').filter(Boolean));
      assert.deepEqual([rowsOf(ran, 'network').sort(), ran.status], [networks.sort(), 0]);
    });
  }
});

test('says what is allowed already, and by what', () => {
  const db = newDatabase([
    { table: 'network_set', name: 'office', network: '192.0.2.0/24' },
    { name: 'alice@example.com', network: '@office' },
    ...['198.51.100.0/24', '2001:db8::1'].map((network) => ({ name: '@example.com', network })),
  ]);
  const more = [1, 2].map((end) => acceptedLine('bob@example.com', `2001:db8::${end}`, '2026-11-06T10:00:00Z'));
  const lines = learn(ALICE + BOB + more.join(''), db)
    .stdout.split('\n')
    .slice(1, -1);
  const states = lines.map((line) => line.split(/ {2,}/).slice(6).join(' '));
  const alice = ['allowed by 192.0.2.0/24 of @office', 'new once'];
  const bob = ['partly allowed by 2001:db8::1/128 (@example.com)', 'allowed by 198.51.100.0/24 (@example.com)'];
  assert.deepEqual(states, [...alice, ...bob]);
});

test('--apply adds what is printed, once, with where it comes from', () => {
  const db = newDatabase();
  assert.match(learn(ALICE + BOB, db, '--apply').stdout, /\nadded 3 entries of 2 users\n$/);
  const added = rowsOf(run(['list', '--json', '--db', db]), 'user', 'network', 'note', 'added_by');
  const times = 'learned from 3 messages, 2026-11-04T00:00:00Z to 2026-11-04T00:02:00Z';
  assert.deepEqual([added[0], added.length], [`alice@example.com 192.0.2.7/32 ${times} postmaster`, 3]);
  assert.match(learn(ALICE + BOB, db, '--apply').stdout, /\nadded 0 entries of 0 users\n$/);
  const replayed = run(['replay', newFile(ALICE + BOB)], { db });
  assert.deepEqual([replayed.status, replayed.stderr], [0, '']);
});

test('--apply does not take away from anybody what a wider entry allows', () => {
  const db = newDatabase([
    { name: '@example.com', network: '198.51.100.0/24' },
    { name: 'carol@example.com', network: '203.0.113.0/24' },
  ]);
  // Dan is allowed by his domain, and from home is new. Carol has a network, and another one is new.
  const log = [
    ...['198.51.100.20', '192.0.2.40'].map((address) => acceptedLines(2, 'dan@example.com', address)),
    ...['203.0.113.4', '192.0.2.60'].map((address) => acceptedLines(2, 'carol@example.com', address)),
  ].join('');
  const { stderr } = learn(log, db, '--apply', '--for', '30d');
  assert.match(stderr, /hint: an entry inherit keeps what wider entries allow: dan@example\.com\n/);
  const carol = ['carol@example.com 192.0.2.60/32', 'carol@example.com 203.0.113.0/24'];
  const dan = ['dan@example.com 192.0.2.40/32', 'dan@example.com inherit'];
  assert.deepEqual(entries(db), ['@example.com 198.51.100.0/24', ...carol, ...dan]);
  assert.equal(run(['replay', newFile(log)], { db }).status, 0);
  // What was learned ends, what the domain allows does not.
  const later = (address: string) => run(['check', 'dan@example.com', address, '--at', '2100-01-01'], { db }).status;
  assert.deepEqual([later('198.51.100.20'), later('192.0.2.40')], [0, 1]);
});

test('--apply leaves out what is doubtful, and --force does not', () => {
  const proxied = ['u1', 'u2', 'u3'].map((user) => acceptedLines(100, user, '172.17.0.1')).join('');
  const blocked = acceptedLines(2, 'alice@example.com', '192.0.2.7') + acceptedLines(2, 'bob', '192.0.2.8');
  const good = 'carol@example.net 192.0.2.9/32';
  // biome-ignore format: a table
  const rows: [log: string, hint: RegExp, before: string[], added: number][] = [
    [EVE, /the networks of eve \(many-networks\)\n/, [], 13],
    [proxied, /172\.17\.0\.1\/32 \(gateway\)\n/, [], 4],
    // An entry of a user's own would end the block of the domain.
    [blocked, /the networks of alice@example\.com, bob \(blocked\)\n/, ['@example.com', 'bob'], 3],
  ];
  for (const [log, hint, before, added] of rows) {
    const db = newDatabase(before.map((name) => ({ name, network: 'none' })));
    const { status, stderr } = learn(log + acceptedLines(2, 'carol@example.net', '192.0.2.9'), db, '--apply');
    assert.deepEqual([status, entries(db)], [0, [...before.map((name) => `${name} none`), good]]);
    assert.match(stderr, new RegExp(`hint: not added, --force adds them: ${hint.source}`));
    assert.doesNotMatch(learn(log, db, '--apply', '--force').stderr, /not added/);
    assert.equal(entries(db).filter((entry) => !entry.endsWith(' inherit')).length, before.length + added);
  }
});

test('--note and --for apply to the added entries', () => {
  const db = newDatabase();
  learn(BOB, db, '--apply', '--note', 'ticket 7', '--for', '30d');
  const [row = ''] = rowsOf(run(['list', '--json', '--db', db]), 'expires', 'note');
  const days = (Date.parse(row.split(' ', 1)[0] ?? '') - Date.now()) / 86_400_000;
  assert.ok(row.endsWith(' ticket 7') && days > 29.9 && days < 30.1, row);
});

test('an entry that has expired is new again', () => {
  const db = newDatabase([{ name: 'bob@example.com', network: '198.51.100.9', expires: '2020-01-01T00:00:00Z' }]);
  assert.match(learn(BOB, db, '--apply').stdout, / {2}new\nadded 1 entry of 1 user\n$/);
  assert.equal(run(['check', 'bob@example.com', '198.51.100.9', '--db', db]).status, 0);
});

test('a login name that as an entry would mean others too, or is not UTF-8, is never added, and is named', () => {
  const db = newDatabase();
  const names = ['*', '@example.com', ' alice', 'D\xf6rte'];
  const log = Buffer.from(names.map((name) => acceptedLines(2, name, '203.0.113.66')).join(''), 'latin1');
  const left = '\\*, @example\\.com,  alice, d\ufffdrte';
  const hint = new RegExp(`hint: left out, because no entry can stand for exactly that user: ${left}\n`);
  assert.match(learn(log, db, '--apply').stderr, hint);
  const { status, stderr } = learn(Buffer.concat([log, Buffer.from(BOB)]), db, '--apply');
  assert.deepEqual([status, entries(db)], [0, ['bob@example.com 198.51.100.9/32']]);
  assert.match(stderr, hint);
});

test('messages from an address that Postfix does not know', () => {
  const at = (count: number, address: string) => acceptedLines(count, 'bob', address);
  const log = at(3, 'unknown') + at(2, 'fe80::1%eth0') + at(1, '192.0.2.9') + at(4, '192.0.2.999');
  const ran = learn(log, newDatabase(), '--json');
  assert.deepEqual([rowsOf(ran, 'network', 'messages'), ran.status], [['192.0.2.9/32 1'], 0]);
  assert.match(ran.stderr, /hint: left out 9 messages from no known address\n/);
});

test('counts logins of Dovecot with --dovecot only', () => {
  const login =
    'Nov  4 05:47:54 mx1 dovecot: imap-login: Login: user=<bob>, method=PLAIN, rip=192.0.2.9, lip=192.0.2.1\n';
  const learned = (...words: string[]) => rowsOf(learn(login + ALICE, newDatabase(), '--json', ...words), 'user');
  const alice = ['alice@example.com', 'alice@example.com'];
  assert.deepEqual([learned(), learned('--dovecot')], [alice, [...alice, 'bob']]);
});

test('what cannot be read is reported, each kind; what was read counts, and --apply requires --force', async (t) => {
  const german = acceptedLine('bob', '192.0.2.9', 'Dez  4 05:47:54');
  const format = /hint: read a journal with: LC_ALL=C journalctl -o short-iso .*\n/.source;
  const utf16 = / is UTF-16 and was not read; convert it first: iconv -f UTF-16 -t UTF-8 \S+mail\.log\n/;
  // biome-ignore format: a table
  const rows: [name: string, log: string | Buffer, hint: RegExp, count?: number][] = [
    ['a form that is not known', ALICE + german, new RegExp(`: 1 line not understood, for example: Dez {2}4 05:47:54 mx1 .*=bob\nallow-nets: ${format}`)],
    ['a line of 1 MB', `${ALICE}${'x'.repeat(1 << 20)}\n`, /: 1 line not understood, for example: x{160}\n/],
    ['gzip, cut off', gzipSync(ALICE).subarray(0, -8), /mail\.log could not be read to its end \(gzip: .*unexpected end of file\): what came before counts\n/],
    ['UTF-16 with a byte order mark', Buffer.from(`\ufeff${ALICE}`, 'utf16le'), utf16, 0],
    ['UTF-16 without', Buffer.from(ALICE, 'utf16le'), utf16, 0],
  ];
  for (const [name, log, hint, count = 2] of rows) {
    await t.test(name, () => {
      const db = newDatabase();
      const { status, stdout, stderr } = learn(log, db, '--apply');
      const learned = stdout.split('\n').filter((line) => line.startsWith('alice')).length;
      assert.deepEqual([status, learned, entries(db)], [1, count, []]);
      assert.match(stderr, hint);
      assert.match(
        stderr,
        /error: nothing was added: some of the log could not be read\nallow-nets: hint: .*--force\n$/,
      );
      assert.deepEqual([learn(log, db, '--apply', '--force').status, entries(db).length], [0, count]);
    });
  }
});

test('an example of a line cannot write to the terminal', () => {
  const { stderr } = learn(acceptedLine('bob\x1b[2J\x07', '192.0.2.9', '2026-11-04T05:00:00Z'), newDatabase());
  assert.match(stderr, /1 line not understood, for example: .*bob/);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what must not be there
  assert.doesNotMatch(stderr, /[\x00-\x09\x0b-\x1f]/);
});

test('standard input, alone and among files; input that is not text is not taken for an empty log', () => {
  const words = ['learn', '--json', '--db', newDatabase()];
  assert.deepEqual(rowsOf(run([...words, '-'], { input: BOB }), 'user'), ['bob@example.com']);
  const both = run([...words, newFile(ALICE), '-'], { input: BOB });
  assert.deepEqual(rowsOf(both, 'user'), ['alice@example.com', 'alice@example.com', 'bob@example.com']);
  const hintOf = (input: Buffer) => run([...words, '-'], { input }).stderr.split('\n', 1)[0];
  const start = 'allow-nets: hint: standard input is';
  assert.equal(hintOf(gzipSync(BOB)), `${start} compressed and was not read; convert it first: gzip -dc`);
  const utf16 = Buffer.from(BOB, 'utf16le');
  assert.equal(hintOf(utf16), `${start} UTF-16 and was not read; convert it first: iconv -f UTF-16 -t UTF-8`);
});

test('nothing found, and no database', () => {
  const { status, stdout, stderr } = learn('Nov  4 05:47:54 mx1 cron[1]: x\n', newDatabase());
  assert.deepEqual([status, stdout], [0, '']);
  assert.match(stderr, /^allow-nets: hint: no mail of an authenticated user was found/);
  assert.equal(learn('', newDatabase(), '--json').stdout, '[]\n');
  const without = learn(BOB, newPath(), '--apply');
  assert.deepEqual([without.status, without.stdout], [1, '']);
  assert.match(without.stderr, /^allow-nets: error: there is no database /);
});

test('wrong usage and files that cannot be read', async (t) => {
  const log = newFile(BOB);
  // biome-ignore format: a table
  const rows: [words: string[], status: number, stderr: RegExp][] = [
    [[log, '/nowhere/mail.log'], 1, /error: there is no file \/nowhere\/mail\.log\n/],
    [['/etc'], 1, /error: \/etc is a folder\nallow-nets: hint: name a file to read, or - for standard input\n/],
    [['--v4-prefix', '33', log], 2, /error: --v4-prefix 33 is not a number from 1 to 32\n/],
    [['--v6-prefix', 'x', log], 2, /error: --v6-prefix x is not a number from 1 to 128\n/],
    [['--min-days', '0', log], 2, /error: --min-days 0 is not a number from 1 to 1000000\n/],
    [['--since', 'yesterday', log], 2, /error: --since yesterday is not a date or time\n/],
    [['--since', '2026-11-05', '--until', '2026-11-04', log], 2,
      /error: --since 2026-11-05 is not before --until 2026-11-04\nallow-nets: hint: no line can be between them\n/],
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
