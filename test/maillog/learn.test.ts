// learn at the command line: what it prints, marks, adds and refuses.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { needs, program } from '../requires';
import { database, entries, file, noDatabase, run } from './command';
import { many, taken } from './small-log';
import type { Learned } from './truth';

const ALICE =
  many(3, 'alice@example.com', '192.0.2.7') + taken('alice@example.com', '2001:db8:1:2::77', '2026-11-06T10:00:00Z');
const BOB = many(2, 'Bob@Example.com', '198.51.100.9', '2026-11-05');

test('prints users and networks, the most used first', () => {
  const { status, stdout, stderr } = run(['learn', '--db', database(), file(BOB + ALICE)]);
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
  const db = database();
  run(['add', 'bob@example.com', '198.51.100.0/24', '--db', db]);
  const { status, stdout } = run(['learn', '--json', '--user', 'bob@example.com', '--db', db, file(BOB)]);
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
  const log = file(ALICE + BOB);
  const learned = run(['learn', '--json', '--db', noDatabase(), log]).stdout;
  const db = database();
  const { status, stdout, stderr } = run(['import', '-', '--db', db], { input: learned });
  assert.deepEqual(
    [status, stdout, stderr],
    [
      0,
      'added 3, changed 0, removed 0, unchanged 0\n',
      'allow-nets: hint: columns left out: messages, days, first, last, allowed, by, marks\n',
    ],
  );
  const rows = JSON.parse(run(['list', '--json', '--db', db]).stdout) as Record<string, string>[];
  const wanted = JSON.parse(learned) as Record<string, string>[];
  const plain = (all: Record<string, string>[]) =>
    all.map(({ user, network, note, expires }) => [user, network, note, expires].join()).sort();
  assert.deepEqual(plain(rows), plain(wanted));
  const replayed = run(['replay', '--db', db, log]);
  assert.deepEqual([replayed.status, replayed.stderr], [0, '']);
});

test('groups addresses to the prefix lengths asked for, and joins what lies side by side', async (t) => {
  const log = file(
    [
      '192.0.2.1',
      '192.0.2.2',
      '192.0.2.3',
      '192.0.2.200',
      '192.0.3.1',
      '2001:db8::1',
      '2001:db8:0:1::1',
      '2001:db8:0:3::1',
    ]
      .map((address, i) => taken('alice', address, `2026-11-04T05:0${i}:00Z`))
      .join(''),
  );
  const rows: [words: string[], networks: string[]][] = [
    [[], ['192.0.2.1/32', '192.0.2.2/31', '192.0.2.200/32', '192.0.3.1/32', '2001:db8::/63', '2001:db8:0:3::/64']],
    [
      ['--v4-prefix', '24'],
      ['192.0.2.0/23', '2001:db8::/63', '2001:db8:0:3::/64'],
    ],
    [
      ['--v4-prefix', '25', '--v6-prefix', '48'],
      ['192.0.2.0/24', '192.0.3.0/25', '2001:db8::/48'],
    ],
    [
      ['--v6-prefix', '128'],
      [
        '192.0.2.1/32',
        '192.0.2.2/31',
        '192.0.2.200/32',
        '192.0.3.1/32',
        '2001:db8::1/128',
        '2001:db8:0:1::1/128',
        '2001:db8:0:3::1/128',
      ],
    ],
  ];
  for (const [words, networks] of rows) {
    await t.test(words.join(' '), () => {
      const { stdout } = run(['learn', '--json', ...words, '--db', database(), log]);
      const learned = (JSON.parse(stdout) as Learned[]).map(({ network }) => network);
      assert.deepEqual(learned.sort(), networks.sort());
    });
  }
});

test('leaves out what was seen too little', async (t) => {
  const log = file(
    many(5, 'alice', '192.0.2.1') +
      taken('alice', '192.0.2.1', '2026-11-05T05:00:00Z') +
      many(2, 'alice', '192.0.2.2') +
      many(2, 'bob', '192.0.2.9'),
  );
  const rows: [words: string[], networks: string[]][] = [
    [
      ['--min-messages', '2'],
      ['alice 192.0.2.1/32', 'alice 192.0.2.2/32', 'bob 192.0.2.9/32'],
    ],
    [['--min-messages', '3'], ['alice 192.0.2.1/32']],
    [['--min-days', '2'], ['alice 192.0.2.1/32']],
    [['--min-messages', '7'], []],
  ];
  for (const [words, networks] of rows) {
    await t.test(words.join(' '), () => {
      const { stdout, status } = run(['learn', '--json', ...words, '--db', database(), log]);
      const learned = (JSON.parse(stdout) as Learned[]).map(({ user, network }) => `${user} ${network}`);
      assert.deepEqual([learned, status], [networks, 0]);
    });
  }
});

test('marks networks of many users, stolen passwords, gateways and what was seen once', async (t) => {
  const marks = (log: string) => {
    const { stdout, stderr } = run(['learn', '--json', '--db', database(), file(log)]);
    const rows = (JSON.parse(stdout) as Learned[]).map((row) =>
      `${row.user} ${row.network} ${row.marks.join(' ')}`.trim(),
    );
    return { rows, stderr };
  };
  const users = ['u1', 'u2', 'u3', 'u4', 'u5', 'u6'];

  await t.test('a webmail', () => {
    const own = users.map((user, i) => many(3, user, `198.51.100.${i * 2}`)).join('');
    const { rows, stderr } = marks(
      own +
        users
          .slice(0, 3)
          .map((user) => many(2, user, '203.0.113.80'))
          .join(''),
    );
    assert.deepEqual(
      rows.filter((row) => row.endsWith('many-users')),
      ['u1', 'u2', 'u3'].map((user) => `${user} 203.0.113.80/32 many-users`),
    );
    assert.match(
      stderr,
      /hint: 3 users send from 203\.0\.113\.80\/32, a webmail or an office\? allow-nets set add NAME 203\.0\.113\.80\/32\n/,
    );
  });

  await t.test('a gateway', () => {
    const { rows, stderr } = marks(users.map((user) => many(2, user, '172.17.0.1')).join(''));
    assert.deepEqual(
      rows,
      users.map((user) => `${user} 172.17.0.1/32 gateway`),
    );
    assert.match(stderr, /hint: nearly everybody sends from the private 172\.17\.0\.1\/32: /);
  });

  await t.test('a stolen password', () => {
    const bots = Array.from({ length: 12 }, (_, i) => many(2, 'eve', `198.18.${i}.1`)).join('');
    const { rows, stderr } = marks(bots + many(2, 'bob', '192.0.2.9'));
    assert.equal(rows.filter((row) => row.endsWith('many-networks')).length, 12);
    assert.ok(rows.includes('bob 192.0.2.9/32'));
    assert.match(stderr, /hint: in many networks within 24 hours, a stolen password\? eve\n/);
  });

  await t.test('once', () => {
    const { rows } = marks(many(1, 'bob', '192.0.2.9') + many(2, 'alice', '192.0.2.20'));
    assert.deepEqual(rows, ['alice 192.0.2.20/32', 'bob 192.0.2.9/32 once']);
  });
});

test('says what is allowed already, and by what', () => {
  const db = database();
  run(['set', 'add', 'office', '192.0.2.0/24', '--db', db]);
  run(['add', 'alice@example.com', '@office', '--db', db]);
  run(['add', '@example.com', '198.51.100.0/24', '2001:db8::1', '--db', db]);
  const bob =
    BOB +
    taken('bob@example.com', '2001:db8::1', '2026-11-06T10:00:00Z') +
    taken('bob@example.com', '2001:db8::2', '2026-11-06T10:00:00Z');
  const { stdout } = run(['learn', '--db', db, file(ALICE + bob)]);
  const states = stdout
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(/ {2,}/).slice(6));
  assert.deepEqual(states, [
    ['allowed by 192.0.2.0/24 of @office'],
    ['new', 'once'],
    ['partly allowed by 2001:db8::1/128 (@example.com)'],
    ['allowed by 198.51.100.0/24 (@example.com)'],
  ]);
});

test('--apply adds what is printed, once, with where it comes from', () => {
  const db = database();
  const log = file(ALICE + BOB);
  const first = run(['learn', '--apply', '--db', db, log]);
  assert.equal(first.status, 0, first.stderr);
  assert.match(first.stdout, /\nadded 3 entries of 2 users\n$/);
  assert.deepEqual(entries(db), [
    'alice@example.com 192.0.2.7/32',
    'alice@example.com 2001:db8:1:2::/64',
    'bob@example.com 198.51.100.9/32',
  ]);
  const [row] = JSON.parse(run(['list', '--json', '--db', db]).stdout);
  assert.equal(row.note, 'learned from 3 messages, 2026-11-04T00:00:00Z to 2026-11-04T00:02:00Z');
  assert.equal(row.added_by, 'postmaster');

  const again = run(['learn', '--apply', '--db', db, log]);
  assert.match(again.stdout, /\nadded 0 entries of 0 users\n$/);
  assert.equal(again.status, 0);
  const replayed = run(['replay', '--db', db, log]);
  assert.deepEqual([replayed.status, replayed.stderr], [0, '']);
});

test('--apply takes nobody what a wider entry allows', () => {
  const db = database();
  run(['add', '@example.com', '198.51.100.0/24', '--db', db]);
  run(['add', 'carol@example.com', '203.0.113.0/24', '--only', '--db', db]);
  const log = file(
    // Bob is allowed by his domain: nothing is new. Dan is, and from home is new. Carol has a network, and another one is new.
    BOB +
      many(2, 'dan@example.com', '198.51.100.20') +
      many(2, 'dan@example.com', '192.0.2.40') +
      many(2, 'carol@example.com', '203.0.113.4') +
      many(2, 'carol@example.com', '192.0.2.60'),
  );
  const { status, stdout, stderr } = run(['learn', '--apply', '--for', '30d', '--db', db, log]);
  assert.equal(status, 0);
  assert.match(stdout, /\nadded 2 entries of 2 users\n$/);
  assert.deepEqual(entries(db), [
    '@example.com 198.51.100.0/24',
    'carol@example.com 192.0.2.60/32',
    'carol@example.com 203.0.113.0/24',
    'dan@example.com 192.0.2.40/32',
    'dan@example.com inherit',
  ]);
  assert.match(stderr, /hint: by the entry inherit, also what wider entries allow is kept: dan@example\.com\n/);
  assert.equal(run(['replay', '--db', db, log]).status, 0);
  // What was learned ends, what the domain allows does not.
  const later = ['--at', '2100-01-01', '--db', db];
  assert.equal(run(['check', 'dan@example.com', '198.51.100.20', ...later]).status, 0);
  assert.equal(run(['check', 'dan@example.com', '192.0.2.40', ...later]).status, 1);
});

test('--apply leaves out a stolen password and a gateway, and --force does not', () => {
  const bots = Array.from({ length: 12 }, (_, i) => many(2, 'eve', `198.18.${i}.1`)).join('');
  const proxied = ['u1', 'u2', 'u3'].map((user) => many(100, user, '172.17.0.1')).join('');
  const [stolen, gateway] = [file(bots + many(2, 'bob', '192.0.2.9')), file(proxied + many(2, 'u1', '192.0.2.9'))];
  const rows: [log: string, hint: RegExp, left: string, all: number][] = [
    [stolen, /hint: not added, --force adds them: the networks of eve \(many-networks\)\n/, 'bob 192.0.2.9/32', 13],
    [gateway, /hint: not added, --force adds them: 172\.17\.0\.1\/32 \(gateway\)\n/, 'u1 192.0.2.9/32', 4],
  ];
  for (const [log, hint, left, all] of rows) {
    const db = database();
    const { status, stderr } = run(['learn', '--apply', '--db', db, log]);
    assert.deepEqual([status, entries(db)], [0, [left]]);
    assert.match(stderr, hint);
    const forced = run(['learn', '--apply', '--force', '--db', db, log]);
    assert.doesNotMatch(forced.stderr, /not added/);
    assert.equal(entries(db).length, all);
  }
});

test('--note and --for say it of what is added', () => {
  const db = database();
  assert.equal(run(['learn', '--apply', '--note', 'ticket 7', '--for', '30d', '--db', db, file(BOB)]).status, 0);
  const [{ note, expires }] = JSON.parse(run(['list', '--json', '--db', db]).stdout);
  const days = (Date.parse(expires) - Date.now()) / 86_400_000;
  assert.ok(note === 'ticket 7' && days > 29.9 && days < 30.1, `${note} ${expires}`);
});

test('an entry that has expired is new again', needs('sqlite3'), () => {
  const db = database();
  run(['add', 'bob@example.com', '198.51.100.9', '--db', db]);
  execFileSync(program('sqlite3'), [db, "update access set expires = '2020-01-01T00:00:00Z'"]);
  const { stdout } = run(['learn', '--apply', '--db', db, file(BOB)]);
  assert.match(stdout, / {2}new\nadded 1 entry of 1 user\n$/);
  assert.equal(run(['check', 'bob@example.com', '198.51.100.9', '--db', db]).status, 0);
});

test('a login name that would mean others, too, is never an entry', () => {
  const db = database();
  const names = ['*', '@example.com', '@', ' alice', '192.0.2.0/24'];
  const log = file(names.map((name) => many(2, name, '203.0.113.66')).join('') + BOB);
  const { status, stderr } = run(['learn', '--apply', '--db', db, log]);
  assert.deepEqual(entries(db), ['bob@example.com 198.51.100.9/32']);
  assert.match(
    stderr,
    /hint: left out, as entries they would not mean that one user: {2}alice, \*, 192\.0\.2\.0\/24, @, @example\.com\n/,
  );
  assert.equal(status, 0);
});

test('messages from an address that the log does not know', () => {
  const log = file(
    many(3, 'bob', 'unknown') +
      many(2, 'bob', 'fe80::1%eth0') +
      many(1, 'bob', '192.0.2.9') +
      many(4, 'bob', '192.0.2.999'),
  );
  const { stdout, stderr, status } = run(['learn', '--json', '--db', database(), log]);
  assert.deepEqual(
    (JSON.parse(stdout) as Learned[]).map(({ network, messages }) => [network, messages]),
    [['192.0.2.9/32', 1]],
  );
  assert.match(stderr, /hint: left out 5 messages from no known address\n/);
  assert.match(stderr, /hint: .*mail\.log: left out 4 broken lines, for example: .*client=unknown\[192\.0\.2\.999\]/);
  assert.equal(status, 0);
});

test('counts logins of Dovecot with --dovecot only', () => {
  const line = (message: string) => `Nov  4 05:47:54 mx1 ${message}\n`;
  const log = file(
    [
      line(
        'dovecot: imap-login: Login: user=<alice@example.com>, method=PLAIN, rip=192.0.2.7, lip=192.0.2.1, mpid=1, TLS, session=<abc>',
      ),
      line('dovecot[77]: imap-login: Login: user=<alice@example.com>, method=PLAIN, rip=192.0.2.7, lip=192.0.2.1'),
      line('dovecot: pop3-login: Logged in: user=<bob>, method=PLAIN, rip=::ffff:192.0.2.9, lip=192.0.2.1'),
      line('dovecot: submission-login: Login: user=<bob>, method=, rip=2001:db8::9'),
      'Nov 04 05:47:54 imap-login: Info: Logged in: user=<bob>, method=PLAIN, rip=192.0.2.9, lip=192.0.2.1\n',
      // None of these.
      line(
        'dovecot: imap-login: Aborted login (auth failed, 1 attempts in 2 secs): user=<alice@example.com>, method=PLAIN, rip=203.0.113.99',
      ),
      line(
        'dovecot: imap-login: Login aborted: Connection closed (auth failed): user=<alice@example.com>, method=PLAIN, rip=203.0.113.99',
      ),
      line('dovecot: imap-login: Disconnected: Login: user=<alice@example.com>, method=PLAIN, rip=203.0.113.99'),
      line(
        'dovecot: imap-login: Disconnected (auth failed): user=<x>, : Login: user=<alice@example.com>, method=PLAIN, rip=203.0.113.99',
      ),
      line('dovecot: imap-login: Login: user=<>, method=PLAIN, rip=203.0.113.99, lip=192.0.2.1'),
      line('dovecot: imap(alice@example.com): Login: user=<alice@example.com>, method=PLAIN, rip=203.0.113.99'),
      line('webapp: imap-login: Login: user=<alice@example.com>, method=PLAIN, rip=203.0.113.99'),
      line('webapp: dovecot: imap-login: Login: user=<alice@example.com>, method=PLAIN, rip=203.0.113.99'),
      line('postfix/smtpd[7]: warning: x: Login: user=<alice@example.com>, method=PLAIN, rip=203.0.113.99'),
    ].join('') + many(1, 'carol', '192.0.2.30'),
  );
  const learned = (words: string[]) => {
    const { stdout, stderr } = run(['learn', '--json', ...words, '--db', database(), log]);
    assert.doesNotMatch(stderr, /broken/);
    return (JSON.parse(stdout) as Learned[]).map(({ user, network, messages }) => [user, network, messages]);
  };
  assert.deepEqual(learned([]), [['carol', '192.0.2.30/32', 1]]);
  assert.deepEqual(learned(['--dovecot']), [
    ['bob', '192.0.2.9/32', 2],
    ['bob', '2001:db8::/64', 1],
    ['alice@example.com', '192.0.2.7/32', 2],
    ['carol', '192.0.2.30/32', 1],
  ]);
});

test('a log that is cut off: what was read counts, and --apply wants --force', () => {
  const db = database();
  const whole = gzipSync(many(500, 'alice', '192.0.2.7'));
  const log = file(whole.subarray(0, whole.length - 8), 'mail.log.gz');
  const read = run(['learn', '--db', db, log]);
  assert.equal(read.status, 0);
  assert.match(read.stdout, /\nalice {2}192\.0\.2\.7\/32 +500 {2}/);
  assert.match(
    read.stderr,
    /hint: .*mail\.log\.gz could not be read to its end \(gzip: .*unexpected end of file\): what came before counts\n/,
  );

  const applied = run(['learn', '--apply', '--db', db, log]);
  assert.equal(applied.status, 1);
  assert.match(
    applied.stderr,
    /allow-nets: error: nothing was added: some of the log could not be read\nallow-nets: hint: .*--force\n$/,
  );
  assert.deepEqual(entries(db), []);

  const forced = run(['learn', '--apply', '--force', '--db', db, log]);
  assert.deepEqual([forced.status, entries(db)], [0, ['alice 192.0.2.7/32']]);
});

test('lines that cannot be read are told, each kind, and --apply wants --force', async (t) => {
  const cut = taken('bob', '192.0.2.9', '2026-11-04T05:00:00Z').replace(', sasl_username=bob', '');
  const rows: [name: string, text: string, told: RegExp][] = [
    ['a broken line', cut, /left out 1 broken line, for example: 2026/],
    ['two', cut + cut, /left out 2 broken lines, for example: 2026/],
    ['a line of 1 MB', `${'x'.repeat(1 << 20)}\n`, /left out 1 overlong line\n/],
    [
      'a form that is not known',
      ALICE.replace(/^\S+/, 'Dez  4 05:47:54').split('\n', 1).join('\n'),
      /: 1 line not understood, for example: Dez {2}4 05:47:54 mx1 .*\nallow-nets: hint: .*LC_ALL=C journalctl -o short-iso/,
    ],
    ['NUL bytes', 'x\0y\n', /left out 1 line with NUL bytes\n/],
    [
      'all of it',
      `${cut}a\0\n${'x'.repeat(1 << 20)}`,
      /left out 1 broken line, 1 overlong line, 1 line with NUL bytes, for example: /,
    ],
  ];
  for (const [name, text, told] of rows) {
    await t.test(name, () => {
      const db = database();
      const log = file(ALICE + text);
      const { status, stderr } = run(['learn', '--apply', '--db', db, log]);
      assert.deepEqual([status, entries(db)], [1, []]);
      assert.match(stderr, told);
      assert.equal(run(['learn', '--apply', '--force', '--db', db, log]).status, 0);
      assert.equal(entries(db).length, 2);
    });
  }
});

test('a log in UTF-16 is named as what it is', async (t) => {
  for (const [name, text] of [
    ['with a byte order mark', `\ufeff${ALICE}`],
    ['without', ALICE],
  ] as const) {
    await t.test(name, () => {
      const db = database();
      const log = file(Buffer.from(text, 'utf16le'));
      const { status, stderr } = run(['learn', '--apply', '--db', db, log]);
      assert.deepEqual([status, entries(db)], [1, []]);
      assert.match(stderr, /mail\.log is UTF-16 and was not read; convert it first: iconv -f UTF-16 -t UTF-8 \S+\n/);
      assert.equal(run(['replay', '--db', db, log]).status, 1);
    });
  }
});

test('an example of a broken line cannot write to the terminal', () => {
  const log = file(taken('bob\x1b[2J\x07', '192.0.2.9', '2026-11-04T05:00:00Z'));
  const { stderr } = run(['learn', '--db', database(), log]);
  assert.match(stderr, /left out 1 broken line/);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what must not be there
  assert.doesNotMatch(stderr, /[\x00-\x09\x0b-\x1f]/);
});

test('standard input, alone and among files', () => {
  const words = ['learn', '--json', '--db', database()];
  const users = (ran: { stdout: string }) => (JSON.parse(ran.stdout) as Learned[]).map(({ user }) => user).sort();
  assert.deepEqual(users(run([...words, '-'], { input: BOB })), ['bob@example.com']);
  assert.deepEqual(users(run([...words, '-'], { input: gzipSync(BOB) })), ['bob@example.com']);
  const both = run([...words, file(ALICE), '-'], { input: BOB });
  assert.deepEqual(users(both), ['alice@example.com', 'alice@example.com', 'bob@example.com']);
});

test('nothing found: says so', () => {
  const { status, stdout, stderr } = run(['learn', '--db', database(), file('Nov  4 05:47:54 mx1 cron[1]: x\n')]);
  assert.deepEqual([status, stdout], [0, '']);
  assert.match(stderr, /^allow-nets: hint: no mail of an authenticated user was found/);
  assert.equal(run(['learn', '--json', '--db', database(), file('')]).stdout, '[]\n');
});

test('before there is a database everything is new; --apply wants one', () => {
  const read = run(['learn', '--db', noDatabase(), file(BOB)]);
  assert.equal(read.status, 0);
  assert.match(read.stdout, / {2}new\n$/);
  const applied = run(['learn', '--apply', '--db', noDatabase(), file(BOB)]);
  assert.deepEqual([applied.status, applied.stdout], [1, '']);
  assert.match(applied.stderr, /error: there is no database .*\nallow-nets: hint: .*allow-nets init/);
});

test('wrong usage and files that cannot be read', async (t) => {
  const log = file(BOB);
  const rows: [words: string[], status: number, stderr: RegExp][] = [
    [['/nowhere/mail.log'], 1, /error: there is no file \/nowhere\/mail\.log\n/],
    [[log, '/nowhere/mail.log'], 1, /error: there is no file \/nowhere\/mail\.log\n/],
    [['/etc'], 1, /error: \/etc is a folder\nallow-nets: hint: name a file to read, or - for standard input\n/],
    [['--v4-prefix', '33', log], 2, /error: --v4-prefix 33 is not a number from 1 to 32\n/],
    [['--v6-prefix', 'x', log], 2, /error: --v6-prefix x is not a number from 1 to 128\n/],
    [['--min-days', '0', log], 2, /error: --min-days 0 is not a number from 1 or more\n/],
    [['--since', 'yesterday', log], 2, /error: --since yesterday is not a date or time\n/],
    [
      ['--since', '2026-11-05', '--until', '2026-11-04', log],
      2,
      /error: --since 2026-11-05 is not before --until 2026-11-04\n/,
    ],
    [[log, '--aply'], 2, /error: unknown option --aply\n/],
  ];
  for (const [words, status, stderr] of rows) {
    await t.test(words.join(' '), () => {
      const ran = run(['learn', '--db', database(), ...words]);
      assert.match(ran.stderr, stderr);
      assert.deepEqual([ran.status, ran.stdout], [status, '']);
    });
  }
});
