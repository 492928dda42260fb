// import: what each input makes of a database, what is told, and what keeps a bad input from doing harm.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { change, newDatabase, query } from '../rig/database';
import { run } from '../rig/run';
import { newFile } from '../rig/scratch';

/** What stands before each case; the rows of bob and of the set are written by hand. */
const BEFORE = `update access set note = 'desk';
  insert into access (user, network) values ('Bob', '192.0.2.1'), ('Bob', '@Office');
  insert into network_set (name, network) values ('Office', '203.0.113.0/24');
  insert into access (user, network, local, note) values ('here', '10.0.0.0/8', 1, 'this server');`;

function prepared(sql: string): string {
  const db = newDatabase([{ name: 'alice', network: '10.0.0.0/8' }]);
  change(db, sql);
  return db;
}

/** All rows: `user network [until TIME] [note]`, in order; a set with its @. */
function rows(db: string): string[] {
  const sql = `select concat_ws(' ', user, network, 'until ' || expires, note) from access
    union all select concat_ws(' ', '@' || name, network, note) from network_set order by 1`;
  return query(db, sql) as string[];
}

const UNCHANGED = [
  '@Office 203.0.113.0/24',
  'Bob 192.0.2.1',
  'Bob @Office',
  'alice 10.0.0.0/8 desk',
  'here 10.0.0.0/8 this server',
];

/** As a command that writes leaves them. */
const [OFFICE, ALICE, BOB, BOB_OFFICE, HERE] = [
  '@office 203.0.113.0/24',
  'alice 10.0.0.0/8 desk',
  'bob 192.0.2.1/32',
  'bob @office',
  'here 10.0.0.0/8 this server',
];
const BOBS = [BOB, BOB_OFFICE];

const INCOMPLETE = [
  'error: the input is incomplete: its last line does not end with a line break',
  'hint: nothing was changed; was it cut off? If it is all there is, add --force',
];
const NO_ENTRY = [
  'error: the input has no entry',
  'hint: nothing was changed; to remove all entries, run this once with --force',
];

type Case = [
  what: string,
  input: string,
  options: string[],
  stdout: string[],
  stderr: string[],
  status: number,
  after: string[],
];

// biome-ignore format: a case a few lines
const CASES: Case[] = [
  ['added to what is there, in any order of columns', 'state,network,user\nok,10.0.0.0/8,carol\n,10.0.0.0/8,alice\n,192.0.2.1/32,BOB\n', [],
    ['added 1, changed 0, removed 0, unchanged 2'], [], 0, [OFFICE, ALICE, ...BOBS, 'carol 10.0.0.0/8', HERE]],
  ['what the input does not speak of stays', 'user,network,expires\nalice,10.0.0.0/8,2098-12-24\n', [],
    ['added 0, changed 1, removed 0, unchanged 0'], [], 0, [OFFICE, 'alice 10.0.0.0/8 until 2098-12-24T23:00:00Z desk', ...BOBS, HERE]],
  ['a dry run changes nothing', 'carol,10.0.0.0/8\nalice,10.0.0.0/8,new\n', ['--dry-run'],
    ['would change alice 10.0.0.0/8', 'would add carol 10.0.0.0/8', 'would add 1, change 1, remove 0; unchanged 0'], [], 0, UNCHANGED],
  ['in place of what is there: without a column set the sets stay, and what is local always does', 'alice,10.0.0.0/8\nbob,@office\n', ['--replace'],
    ['added 0, changed 0, removed 1, unchanged 2'], [], 0, [OFFICE, ALICE, BOB_OFFICE, HERE]],
  ['in place of sets too', 'user,network,set\n,10.1.0.0/16,office\nalice,10.0.0.0/8,\nbob,@office,\n', ['--replace'],
    ['added 1, changed 0, removed 2, unchanged 2'], [], 0, ['@office 10.1.0.0/16', ALICE, BOB_OFFICE, HERE]],
  ['more than half would go', 'alice,10.0.0.0/8\n', ['--replace'], [],
    ['error: the input would remove 2 of 3 entries', 'hint: nothing was changed; --dry-run shows what would be, --force does it'], 1, UNCHANGED],
  ['a dry run says that it would be refused', 'alice,10.0.0.0/8,desk\n', ['--replace', '--dry-run'],
    ['would remove bob 192.0.2.1/32', 'would remove bob @office', 'would add 0, change 0, remove 2; unchanged 1'],
    ['hint: it would be refused without --force: the input would remove 2 of 3 entries'], 0, UNCHANGED],
  ['more than half, by force', 'alice,10.0.0.0/8\n', ['--replace', '--force'], ['added 0, changed 0, removed 2, unchanged 1'], [], 0, [OFFICE, ALICE, HERE]],
  ['empty', '', [], [], ['error: the input is empty', 'hint: nothing was changed; did the command that printed it fail? If the list really is empty, run this once with --force'], 1, UNCHANGED],
  ['only a header', 'user,network\n', ['--replace'], [], NO_ENTRY, 1, UNCHANGED],
  ['an empty array', '[]\n', ['--replace'], [], NO_ENTRY, 1, UNCHANGED],
  ['empty, by force', '', ['--replace', '--force'], ['added 0, changed 0, removed 3, unchanged 0'], [], 0, [OFFICE, HERE]],
  ['one wrong line, and nothing is changed', 'carol,10.0.0.0/8\ndave,10.0.0.x\n', [], [],
    ['error: line 2: 10.0.0.x is not a network', 'hint: a network is 192.0.2.0/24, 2001:db8::/32, any or @SET', 'error: 1 line is wrong: nothing was changed'], 1, UNCHANGED],
  ['cut off in its last line', 'alice,10.0.0.0/8\nbob,192.0.2.1\nbob,@office\nzoe,128.0.0.0/1', ['--replace'], [], INCOMPLETE, 1, UNCHANGED],
  ['cut off, by force', 'alice,10.0.0.0/8\nbob,192.0.2.1\nbob,@office', ['--replace', '--force'], ['added 0, changed 0, removed 0, unchanged 3'], [], 0, [OFFICE, ALICE, ...BOBS, HERE]],
  ['JSON lines cut off', '{"user":"alice","network":"10.0.0.0/8"}\n{"user":"bob","network":"@office"}', ['--replace'], [], INCOMPLETE, 1, UNCHANGED],
  ['what was changed, by name', 'alice,10.0.0.0/8,new\ncarol,inherit\nbob,@office\ncarol,none\n', ['--replace', '--verbose'],
    ['changed alice 10.0.0.0/8', 'removed bob 192.0.2.1/32', 'added carol inherit', 'added carol none', 'added 2, changed 1, removed 1, unchanged 1'], [], 0,
    [OFFICE, 'alice 10.0.0.0/8 new', BOB_OFFICE, 'carol inherit', 'carol none', HERE]],
  ['a passwd-file of Dovecot', '# users\nalice:{PLAIN}x::::::allow_nets=10.0.0.0/8,2001:db8::/32 userdb_x=y\nbob:{PLAIN}y:1:1::/home/b::\n', ['--format', 'dovecot'],
    ['added 1, changed 0, removed 0, unchanged 1'], ['hint: users without allow_nets, left out: 1'], 0, [OFFICE, ALICE, 'alice 2001:db8::/32', ...BOBS, HERE]],
  ['rows of commas alone, and sep=', 'sep=;\nuser;network;note\n;;\ncarol;any;\n', [], ['added 1, changed 0, removed 0, unchanged 0'], [], 0, [OFFICE, ALICE, ...BOBS, 'carol any', HERE]],
  ['sets without a header', ',192.0.2.0/24,,,,,office,\ncarol,@office\n', [], ['added 2, changed 0, removed 0, unchanged 0'], [], 0,
    ['@office 192.0.2.0/24', OFFICE, ALICE, ...BOBS, 'carol @office', HERE]],
  ['a quote inside a field, and a line break in the next one', 'c"c,10.0.0.0/8,"a\r\nb"\n', [], ['added 1, changed 0, removed 0, unchanged 0'], [], 0,
    [OFFICE, ALICE, ...BOBS, 'c"c 10.0.0.0/8 a\r\nb', HERE]],
  ['a domain without its @', 'Example.org,10.0.0.0/8\n', [], ['added 1, changed 0, removed 0, unchanged 0'], ['hint: example.org is a login name here; the domain is @example.org'], 0, [OFFICE, ALICE, ...BOBS, 'example.org 10.0.0.0/8', HERE]],
  ['a set that is not there, by force', 'carol,@hotel\n', ['--force'], ['added 1, changed 0, removed 0, unchanged 0'], [], 0, [OFFICE, ALICE, ...BOBS, 'carol @hotel', HERE]],
  ['several rows of one meaning: the one that lasts longest stays', 'user,network,expires\nc,10.0.0.0/8,2098-01-01T00:00Z\nC,::ffff:10.0.0.0/104,\nc,10.0.0.0/8,2097-01-01\n', [],
    ['added 1, changed 0, removed 0, unchanged 0'], ['hint: rows that mean the same as another one: 2'], 0, [OFFICE, ALICE, ...BOBS, 'c 10.0.0.0/8', HERE]],
];

test('import prints what it has changed, or why it has changed nothing', async (t) => {
  for (const [what, input, options, stdout, stderr, status, after] of CASES) {
    await t.test(what, () => {
      const db = prepared(BEFORE);
      const text = (all: string[]) => all.map((line) => `${line}\n`).join('');
      assert.deepEqual(run(['import', '-', ...options, '--db', db], { input, env: { TZ: 'Europe/Berlin' } }), {
        status,
        stdout: text(stdout),
        stderr: text(stderr.map((line) => `allow-nets: ${line}`)),
      });
      assert.deepEqual(rows(db), after);
    });
  }
});

/** All of them mean the same two rows. */
// biome-ignore format: a case a line
const SPELLINGS: [what: string, text: string][] = [
  ['CSV with CR LF, a byte order mark, quotes', '\ufeffuser,network,note\r\n"Smith, J",10.0.0.0/8,"a ""b"" \\ c"\r\ncarol,any,\r\n'],
  ['semicolons', 'user;network;note\n"Smith, J";10.0.0.0/8;"a ""b"" \\ c"\ncarol;any;\n'],
  ['without a header, a quoted comma before the first separator', '"Smith, J";10.0.0.0/8;"a ""b"" \\ c"\ncarol;any;'],
  ['mysql --batch', 'user\tnetwork\tnote\nSmith, J\t10.0.0.0/8\ta "b" \\\\ c\ncarol\tany\tNULL\n'],
  ['psql -A', 'user|network|note\nSmith, J|10.0.0.0/8|a "b" \\ c\ncarol|any|\n(2 rows)\n'],
  ['psql -At', 'carol|any|\nSmith, J|10.0.0.0/8|a "b" \\ c\n'],
  ['mysql --batch --skip-column-names', 'Smith, J\t10.0.0.0/8\ta "b" \\\\ c\ncarol\tany\tNULL\n'],
  ['an array', '[{"user":"Smith, J","network":"10.0.0.0/8","note":"a \\"b\\" \\\\ c"},\n{"network":"any","user":"carol"}]'],
  ['JSON lines', '{"user":"Smith, J","network":"10.0.0.0/8","note":"a \\"b\\" \\\\ c"}\n{"network":"any","user":"carol","note":null}\n'],
];

test('every format gives the same rows', async (t) => {
  for (const [what, text] of SPELLINGS) {
    await t.test(what, () => {
      const db = prepared('delete from access');
      const stdout = 'added 2, changed 0, removed 0, unchanged 0\n';
      assert.deepEqual(run(['import', newFile(text), '--db', db]), { status: 0, stdout, stderr: '' });
      assert.deepEqual(rows(db), ['carol any', 'smith, j 10.0.0.0/8 a "b" \\ c']);
    });
  }
});

test('export: hand-written rows are printed in canonical form, and rows that import will refuse are counted', () => {
  const db = prepared(`${BEFORE}
    insert into access (user, network, note, added_by) values ('Eve', '10.1.2.3/8', x'7a', ''), ('eve', '010.0.0.1', null, null), ('eve', '@Gone', null, null);
    insert into access (user, network, expires) values ('eve', 'any', 'soon'), ('eve', '192.0.2.0/24', '2098-01-01 00:00:00+02')`);
  const { status, stdout, stderr } = run(['export', '--db', db]);
  assert.deepEqual(
    { status, lines: stdout.split('\n'), stderr: stderr.split('\n') },
    {
      status: 0,
      lines: [
        'user,network,note,expires,added_at,added_by,set,local',
        ',203.0.113.0/24,,,,,office,0',
        'bob,192.0.2.1/32,,,,,,0',
        'bob,@office,,,,,,0',
        'eve,10.0.0.0/8,z,,,,,0',
        'alice,10.0.0.0/8,desk,,,,,0',
        'eve,010.0.0.1,,,,,,0',
        'eve,192.0.2.0/24,,2097-12-31T22:00:00Z,,,,0',
        'eve,@gone,,,,,,0',
        'eve,any,,soon,,,,0',
        'here,10.0.0.0/8,this server,,,,,1',
        '',
      ],
      stderr: [
        'allow-nets: hint: rows that grant nothing: 3; allow-nets list marks them, and import may refuse them',
        '',
      ],
    },
  );
  for (const format of ['csv', 'tsv', 'json']) {
    const good = prepared(`${BEFORE} insert into access (user, network) values ('eve', '@Gone')`);
    const text = run(['export', '--format', format, '--db', good]).stdout;
    const target = prepared('delete from access');
    const words = ['import', newFile(text, `rows.${format}`), '--replace', '--db', target];
    assert.equal(run(words).status, 1);
    assert.equal(run([...words, '--force']).stdout, 'added 6, changed 0, removed 0, unchanged 0\n');
    assert.equal(run(['export', '--format', format, '--db', target]).stdout.length, text.length);
    assert.equal(run(words).status, 1);
  }
});

/** Inputs that are not rows of users and networks, and the error for each. */
// biome-ignore format: a case a line
const REFUSED: [what: string, input: string | Buffer, stderr: RegExp, options?: string[]][] = [
  ['a passwd-file without --format', 'alice@example.com:{SHA512-CRYPT}$6$x::::::allow_nets=192.0.2.0/24,10.0.0.0/8\n', /looks like a line of a Dovecot passwd-file\n.*hint: add --format dovecot/],
  ['a hash with commas', 'alice:{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$x::::::allow_nets=192.0.2.0/24\n', /hint: add --format dovecot/],
  ['a table cut short, as its footer says', 'user|network\na|10.0.0.1\n(2 rows)\n', /the footer says 2 rows, but 1 were read/],
  ['a passwd-file with too few colons', 'alice:{PLAIN}x:allow_nets=10.0.0.0/8\n', /this is not a line of a passwd-file\n.*shell:allow_nets/, ['--format', 'dovecot']],
  ['no passwd-file', 'alice,10.0.0.0/8\n', /this is not a line of a passwd-file/, ['--format', 'dovecot']],
  ['blanks between user and networks', 'bob@example.com    203.0.113.5, 203.0.113.9\n', /looks like a user and a network\n.*: bob@example.com,203.0.113.5/],
  ['a colon behind the user', 'alice@example.com: 192.0.2.0/24, 10.0.0.0/8\n', /looks like a user and a network\n.*: alice@example.com,192.0.2.0\/24/],
  ['a semicolon behind the user', 'alice;192.0.2.0/24,10.0.0.0/8\n', /looks like a user and a network\n.*: alice,192.0.2.0\/24/],
  ['one network behind a blank', 'bob 203.0.113.5\n', /: bob,203.0.113.5\n/],
  ['networks without a user', '192.0.2.0/24\n', /there is no user for 192.0.2.0\/24\n.*allow-nets set load/],
  ['several networks without quotes', 'alice,192.0.2.7,192.0.2.9\n', /the third field is a note, not 192.0.2.9\n.*in quotes/],
  ['a net mask of its own', 'alice,10.0.0.0,255.0.0.0\n', /the third field is a note, not 255.0.0.0/],
  ['a prefix length of its own', 'alice;192.0.2.0;24\n', /the third field is a note, not 24/],
  ['an expiry in the place of the note', 'alice,10.0.0.0/8,2026-12-24\n', /the third field is a note, not 2026-12-24\n.*header line/],
  ['two tabs', 'alice\t\t192.0.2.0/24\n', /the third field is a note, not 192.0.2.0\/24/],
  ['networks with a semicolon between', 'alice,10.0.0.0/8;192.0.2.0/24\n', /commas separate networks: 10.0.0.0\/8,192.0.2.0\/24/],
  ['several users', 'alice;bob,10.0.0.0/8\n"a@example.com,b@example.com",10.0.0.0/8\n', /line 1: alice;bob looks like several users[\s\S]*line 2: a@.* looks like several/],
  ['an address of a mail header', 'Alice <alice@example.com>,10.0.0.0/8\n', /did you mean alice@example.com/],
  ['comments', '# users\n#bob,10.0.0.0/8\n', /line 2: #bob looks like a comment\n.*grep -v/],
  ['other column names', 'email,ip\nbob,10.0.0.0/8\n', /the column email is not known\n.*the columns are user, network.*select email as user, ip as network, .*any/],
  ['a column that switches rows off', 'user,network,active\nbob,10.0.0.0/8,0\n', /the column active is not known\n.*leave out rows that are switched off/],
  ['a column of the beginning', 'user,network,valid_from\nbob,10.0.0.0/8,2098-01-01\n', /the column valid_from is not known\n.*leave out rows that are .*not valid yet/],
  ['a column of masks', '[{"user":"bob","network":"10.0.0.0","netmask":"255.0.0.0"}]', /the column netmask is not known\n.*a network is 192.0.2.0\/24/],
  ['an expiry in other words', 'user,network,valid_to\nbob,10.0.0.0/8,2098-01-01\n', /the column valid_to is not known\n.*valid_to as expires/],
  ['JSON by user', '{"alice":["10.0.0.0/8"]}\n', /the column alice is not known/],
  ['JSON without a network', '[{"user":"alice"}]', /line 1: there is no column network/],
  ['JSON within JSON', '[{"user":"alice","network":{"cidr":"10.0.0.0/8"}}]', /is not a network/],
  ['JSON cut off', '[{"user":"alice","network":"10.0.0.0/8"},\n{"user":"bob","netw', /line 2: this is not JSON, or it is cut off/],
  ['JSON without its end', '[{"user":"alice","network":"10.0.0.0/8"},\n', /ends before the \] of the array/],
  ['JSON and more', '[{"user":"alice","network":"10.0.0.0/8"}]\n{"user":"eve","network":"any"}\n', /line 2: there is text after the \]/],
  ['NULL', 'bob,NULL\n', /NULL is not a network\n.*write any/],
  ['CR alone', 'user,network\rbob,"10.0.0.0/8"\r', /lines end in CR alone\n.*tr '/],
  ['a blank before a quote', 'bob, "10.0.0.0/8"\n', /a blank before a quote/],
  ['text after a quote', 'bob,"10.0.0.0/8"x\n', /text after the closing quote/],
  ['a quote that is never closed', 'bob,10.0.0.0/8,"x\ncarol,any\n', /line 1: a quote is opened and never closed/],
  ['an invisible character', 'bob,10.0.0.0/8\u200b\nb\u200bob,10.0.0.0/8\n', /the network holds the invisible character U\+200B[\s\S]*the user holds the invisible character U\+200B/],
  ['UTF-16 without a mark', Buffer.from('user,network\nbob,10.0.0.0/8\n', 'utf16le'), /the input is UTF-16 text\n.*iconv -f utf-16le/],
  ['Latin-1', Buffer.from('m\xfcller,10.0.0.0/8\n', 'latin1'), /the input is not UTF-8 text\n.*iconv -f windows-1252/],
  ['gzip', Buffer.from([0x1f, 0x8b, 8, 0]), /compressed by gzip/],
  ['an old spreadsheet', Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 0, 0]), /the input is not text/],
  ['an error page', '\n<!DOCTYPE html>\n<html>\n', /HTML or XML page/],
  ['a table with borders', ' user  | network\n-------+------------\n alice | 10.0.0.0/8\n(1 row)\n', /the input is a table drawn for people\n.*--batch/],
  ['a list of countries', '1.0.0.0,1.0.0.255,AU\n', /the user 1.0.0.0 is a network\n.*set load/],
  ['a range', 'bob,198.51.100.7 - 198.51.100.20\n', /is a range, not a network\n.*198.51.100.7\/32,198.51.100.8\/29,198.51.100.16\/30,198.51.100.20\/32\n/],
  ['host bits', 'alice,10.1.2.3/8\n', /10.1.2.3\/8 is not the first address of its network\n.*: 10.0.0.0\/8 or 10.1.2.3\/32/],
  ['no user', 'user,network\n,10.0.0.1\n', /line 2: the user is empty/],
  ['a slip in the header', 'user,netwrok\na,10.0.0.1\n', /line 1: the column netwrok is not known\n.*user, network/],
  ['a time', 'user,network,expires\na,10.0.0.1,soon\n', /line 2: the time of expiry "soon" cannot be read\n.*empty: never/],
  ['of a user and of a set', 'user,network,set\na,10.0.0.1,office\n', /line 2: a row has a user or a set, not a and office/],
  ['a set that expires', 'network,expires,set\n10.0.0.1,2099-01-01,office\n', /line 2: the networks of a set do not expire/],
  ['a field too many', 'user,network\na,10.0.0.1,x\n', /line 2: there are 3 fields where there should be 2\n.*in quotes/],
  ['a set that is not there', 'dora,@hotel\n', /line 1: there is no set hotel\n.*allow-nets set add hotel NETWORK; or add --force/],
  ['line breaks in fields are counted', 'user,network,note\na,10.0.0.1,"two\nlines"\nb,10.0.0.x,\n\nd,300.0.0.1,\n', /line 4: 10.0.0.x is not[\s\S]*line 6: 300.0.0.1 is not[\s\S]*2 lines are wrong/],
  ['a set that inherits', 'user,set,network\n,office,inherit\n', /a set cannot hold inherit/],
];

test('an input that is something else is refused, with what it is', async (t) => {
  for (const [what, input, stderr, options = []] of REFUSED) {
    await t.test(what, () => {
      const db = prepared(BEFORE);
      const { status, stderr: printed } = run(['import', '-', ...options, '--db', db], { input });
      assert.equal(status, 1);
      assert.match(printed, stderr);
      assert.deepEqual(rows(db), UNCHANGED);
    });
  }
});

test('a line of 40 MB is refused at once', () => {
  const db = prepared(BEFORE);
  for (const start of ['', '"', '[{"user":"']) {
    const begin = Date.now();
    const { status, stderr } = run(['import', newFile(`${start}${'x'.repeat(40_000_000)}`, 'long'), '--db', db]);
    assert.equal(status, 1);
    assert.match(stderr, /longer than 64 KB/);
    assert.ok(Date.now() - begin < 10_000);
  }
});

test('of many wrong lines, the first 20 and their number are printed', () => {
  const input = Array.from({ length: 1000 }, (_, i) => `user${i},10.0.0.${i % 2 === 0 ? 'x' : '1'}\n`).join('');
  const lines = run(['import', '-', '--db', prepared(BEFORE)], { input })
    .stderr.trimEnd()
    .split('\n');
  assert.equal(lines.length, 22);
  assert.equal(lines[19], 'allow-nets: error: line 39: 10.0.0.x is not a network');
  const sum = 'allow-nets: error: 500 lines are wrong, of which these are the first 20: nothing was changed';
  assert.equal(lines[21], sum);
});
