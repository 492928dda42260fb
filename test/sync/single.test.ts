// Single runs of `allow-nets sync`: what changes the database, what does not, and the messages.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, test } from 'node:test';
import { change, writeDatabase } from '../rig/database';
import type { Outcome } from '../rig/run';
import { processesIn } from '../rig/scratch';
import { makeSite, type Site } from './site';

const TWO = 'user\tnetwork\nalice\t10.0.0.0/8\nbob\t192.0.2.1\n';
const TWO_ENTRIES = ['alice 10.0.0.0/8', 'bob 192.0.2.1/32'];

/** A site whose database is equal to TWO. */
function syncedSite(): Site {
  const site = makeSite();
  site.file('two.tsv', TWO);
  writeDatabase(site.db, [
    { name: 'alice', network: '10.0.0.0/8' },
    { name: 'bob', network: '192.0.2.1/32' },
  ]);
  return site;
}

/** All that tells whether the database file was written. */
function fingerprint({ db }: Site): unknown {
  const { ino, mtimeNs, ctimeNs } = statSync(db, { bigint: true });
  return { ino, mtimeNs, ctimeNs, bytes: readFileSync(db, 'latin1') };
}

/** The site has synced with this outcome. */
function assertOutput(output: Outcome, stdout: string): void {
  assert.deepEqual(output, { status: 0, stdout, stderr: '' });
}

const SAME = 'added 0, changed 0, removed 0, unchanged 2\n';

describe('a sync that works', () => {
  test('CSV as psql --csv prints it, with an offset of hours only', () => {
    const site = makeSite();
    site.file('input', 'network,user,expires,note\n10.0.0.0/8,alice,2036-12-24 18:00:00.123+01,"a, ""b"""\n');
    for (const format of [[], ['--format', 'csv']]) {
      assert.equal(site.run('sync', ...format, '--', 'cat', 'input').status, 0);
      assert.deepEqual(site.entries(), ['alice 10.0.0.0/8 a, "b" 2036-12-24T17:00:00Z']);
    }
  });

  test('hands the command its words as they are, without a shell', () => {
    const site = makeSite();
    const script = 'printf "%s\\n" "$@" > words; printf "alice,10.0.0.0/8\\n"';
    const words = ['--help', '*', '$HOME', 'a b', '', '-', '--', '-x=1', "it's"];
    const output = site.run('sync', '--', 'sh', '-c', script, 'sh', ...words);
    assertOutput(output, 'added 1, changed 0, removed 0, unchanged 0\n');
    assert.equal(readFileSync(join(site.folder, 'words'), 'utf8'), `${words.join('\n')}\n`);
    assert.deepEqual(site.entries(), ['alice 10.0.0.0/8']);
  });

  test('writes only rows that differ, and one line in the mail log', () => {
    const site = syncedSite();
    change(site.db, "update access set added_at = 'then' where user = 'alice'");
    site.file('other.tsv', 'user\tnetwork\tnote\nalice\t10.0.0.0/8\tNULL\ncarol\t2001:DB8::/32\tnew\n');
    assertOutput(site.run('sync', '--', 'cat', 'other.tsv'), 'added 1, changed 0, removed 1, unchanged 1\n');
    assert.deepEqual(site.entries(), ['alice 10.0.0.0/8', 'carol 2001:db8::/32 new']);
    assert.equal(JSON.parse(site.run('list', '--json').stdout)[0].added_at, 'then');
    assert.deepEqual(site.log(), ['info: sync: added=1 removed=1 changed=0 took=T source=cat']);
  });

  test('without a difference writes nothing at all to the database', () => {
    const site = syncedSite();
    const before = fingerprint(site);
    site.file('same.csv', 'bob,192.0.2.1/32\nALICE,10.0.0.0/8\n');
    for (const file of ['two.tsv', 'two.tsv', 'same.csv']) assertOutput(site.run('sync', '--', 'cat', file), SAME);
    assert.deepEqual(fingerprint(site), before);
    assert.deepEqual(site.log(), []);
  });

  test('restores what was changed here meanwhile, by hand, by a command or by another file', () => {
    const site = syncedSite();
    const copy = readFileSync(site.db);
    const changes = [
      () => change(site.db, "insert into access (user, network) values ('eve', 'any')"),
      () => site.run('remove', 'bob', '--all'),
      // Rows written by hand that mean the same are written anew, and are no difference after that.
      () => change(site.db, "delete from access; insert into access (user, network) values ('ALICE', ' 10.0.0.0/8 ')"),
      () => change(site.db, "update access set network = 'any' where user = 'bob'"),
      () => writeFileSync(site.db, copy),
    ];
    for (const work of changes) {
      work();
      assert.equal(site.run('sync', '--', 'cat', 'two.tsv').status, 0);
      assert.deepEqual(site.entries(), TWO_ENTRIES);
      const before = fingerprint(site);
      assertOutput(site.run('sync', '--', 'cat', 'two.tsv'), SAME);
      assert.deepEqual(fingerprint(site), before);
    }
  });

  test('leaves rows with a local mark alone, and adds none of another server', () => {
    const site = syncedSite();
    site.run('add', 'admin', '198.51.100.0/24', '--local', '--note', 'here');
    site.run('add', 'alice', '10.0.0.0/8', '--local', '--note', 'ours');
    const before = fingerprint(site);
    assertOutput(site.run('sync', '--', 'cat', 'two.tsv'), SAME);
    assert.deepEqual(fingerprint(site), before);
    site.file('theirs.csv', 'user,network,local\ncarol,10.2.0.0/16,0\nmallory,any,1\nbob,192.0.2.1,0\n');
    assert.equal(site.run('sync', '--', 'cat', 'theirs.csv').status, 0);
    const ours = ['admin 198.51.100.0/24 local here', 'alice 10.0.0.0/8 local ours'];
    assert.deepEqual(site.entries(), [...ours, 'bob 192.0.2.1/32', 'carol 10.2.0.0/16']);
  });

  test('--dry-run shows what would change, and writes neither rows nor state', () => {
    const site = makeSite();
    site.file('two.tsv', TWO);
    const before = fingerprint(site);
    const changes = 'would add alice 10.0.0.0/8\nwould add bob 192.0.2.1/32\n';
    const output = site.run('sync', '--dry-run', '--', 'cat', 'two.tsv');
    assertOutput(output, `${changes}would add 2, change 0, remove 0; unchanged 0\n`);
    assert.deepEqual(fingerprint(site), before);
    assert.equal(existsSync(`${site.db}.sync.json`), false);
    assert.deepEqual(site.log(), []);
  });
});

describe('a sync that does not work changes nothing', () => {
  const shell = (script: string) => ['--', 'sh', '-c', script];
  const nothing = 'nothing was changed';
  const program = 'give a program and its arguments after --; what needs a shell: -- sh -c "COMMAND | COMMAND"';
  // biome-ignore format: a case a line
  const cases: [name: string, words: string[], error: string, hint: string][] = [
    ['exit status 1 after complete output', shell('cat three.tsv; echo "first line" >&2; printf "lost connection\\n\\n" >&2; exit 1'), 'sh ended with status 1: lost connection', nothing],
    ['exit status without a word', shell('cat three.tsv; exit 3'), 'sh ended with status 3', nothing],
    ['a command killed in the middle of its output', shell('head -2 three.tsv; kill -9 $$'), 'sh was killed by SIGKILL', nothing],
    ['a line that cannot be read', shell('cat three.tsv; echo "dave\t10.0.0.300"; echo "eve\tx"'), 'line 5 of what sh printed: 10.0.0.300 is not a network (and 1 more)', 'nothing was changed; a network is 192.0.2.0/24, 2001:db8::/32, any or @SET'],
    ['a last line that is cut off', shell('cat two.tsv; printf "zoe\t128.0.0.0/1"'), 'the input is incomplete: its last line does not end with a line break', 'nothing was changed; was it cut off? If it is all there is, add --force'],
    ['a table emptied by mistake (mysql prints nothing then)', ['--', 'true'], 'the input is empty', 'nothing was changed; did the command that printed it fail? If the list really is empty, run this once with --force'],
    ['a table emptied by mistake (psql prints the header)', ['--', 'head', '-n1', 'two.tsv'], 'the input has no entry', 'nothing was changed; to remove all entries, run this once with --force'],
    ['more than half of the entries gone', ['--', 'echo', 'carol,10.0.0.0/8'], 'the input would remove 2 of 2 entries', 'nothing was changed; --dry-run shows what would be, --force does it'],
    ['a set that does not exist', shell('cat three.tsv; echo "dave\t@office"'), 'line 5: there is no set office', 'make it first: allow-nets set add office NETWORK; or add --force, and its entries grant nothing'],
    ['a program that does not exist', ['--', 'mysqll', '--batch'], 'cannot run mysqll: there is no such program', program],
    ['a file that is no program', ['--', './two.tsv'], 'cannot run ./two.tsv: no permission', program],
  ];
  for (const [name, words, error, hint] of cases) {
    test(name, () => {
      const site = syncedSite();
      site.file('three.tsv', `${TWO}carol\t10.2.0.0/16\n`);
      const before = fingerprint(site);
      const output = site.run('sync', ...words);
      const stderr = `allow-nets: error: ${error}\nallow-nets: hint: ${hint}\n`;
      assert.deepEqual(output, { status: 1, stdout: '', stderr } satisfies Outcome);
      assert.deepEqual(fingerprint(site), before);
      const source = basename(words[1] ?? '');
      assert.deepEqual(site.log(), [`warn: sync: ${error}; ${hint}; source=${source}`]);
    });
  }

  test('is logged once, as cron may start it every minute, and the next good run clears the error', () => {
    const site = syncedSite();
    site.file('three.tsv', `${TWO}carol\t10.2.0.0/16\n`);
    for (const _ of [1, 2]) assert.match(site.run('sync', '--', 'false').stderr, /^allow-nets: error: false ended/);
    assert.match(site.run('sync', '--', 'cat', 'three.tsv').stdout, /^added 1, /);
    assert.deepEqual(site.log(), [
      'warn: sync: false ended with status 1; nothing was changed; source=false',
      'info: sync: works again after T source=cat',
      'info: sync: added=1 removed=0 changed=0 took=T source=cat',
    ]);
  });

  test('a command that hangs or leaves its output open is ended in time, with all that it has started, as is the reading', () => {
    const stubborn =
      'trap "" TERM; cat two.tsv; sleep 1000 & sh -c "trap \\"\\" TERM; sleep 1001; sleep 1002"; sleep 1003';
    for (const script of [stubborn, 'yes alice,10.0.0.0/8 | head -n 5000000', 'cat two.tsv; sleep 1000 & exit 0']) {
      const site = syncedSite();
      const before = fingerprint(site);
      const error = 'allow-nets: error: sh had not ended after 1 s and was killed';
      const stderr = `${error}\nallow-nets: hint: nothing was changed; if it needs longer: --timeout 2s\n`;
      const output = site.run('sync', '--timeout', '1s', '--', 'sh', '-c', script);
      assert.deepEqual(output, { status: 1, stdout: '', stderr });
      assert.deepEqual(fingerprint(site), before);
      assert.deepEqual(processesIn(site.folder), []);
    }
  });

  test('a part of a pipeline that outlives its shell still counts, a program left with standard error does not', () => {
    const site = makeSite();
    const late = site.run('sync', '--', 'sh', '-c', '(sleep 0.3; echo alice,10.0.0.0/8) & exit 0');
    assert.deepEqual([late.status, late.stderr], [0, '']);
    assert.deepEqual(site.entries(), ['alice 10.0.0.0/8']);
    const left = site.run('sync', '--', 'sh', '-c', 'sleep 1000 > /dev/null & echo alice,10.0.0.0/8');
    assert.deepEqual([left.status, left.stderr], [0, '']);
    // As a connection that ssh keeps: not ours to end.
    const [sleeping] = processesIn(site.folder);
    assert.equal(sleeping?.command, 'sleep 1000');
    process.kill(sleeping?.pid ?? 0, 'SIGKILL');
  });

  test('--force accepts an empty list', () => {
    const site = syncedSite();
    assert.match(site.run('sync', '--force', '--', 'true').stdout, /^added 0, changed 0, removed 2, unchanged 0\n/);
    assert.deepEqual(site.entries(), []);
  });

  test('no room for the output', () => {
    const site = syncedSite();
    site.env['TMPDIR'] = join(site.folder, 'no-such-folder');
    const output = site.run('sync', '--', 'cat', 'two.tsv');
    assert.equal(output.status, 1);
    assert.match(output.stderr, /^allow-nets: error: the output cannot be kept in .*no-such-folder \(ENOENT/);
    assert.deepEqual(
      readdirSync(site.folder).filter((name) => name.includes('allow-nets-sync')),
      [],
    );
  });
});

describe('a wrong command line', () => {
  const usage = 'allow-nets sync -- COMMAND [ARG...]; allow-nets sync --help explains it';
  // biome-ignore format: a case a line
  const cases: [words: string[], error: string, hint: string][] = [
    [[], 'sync requires a command after --', "allow-nets sync -- mysql --batch -e 'select user, network from access' mail"],
    [['cat', 'x'], 'unknown command or argument: cat, x', usage],
    [['--every', '0s', '--', 'true'], '--every 0s is not a length of time', '--every 30s, --every 5m or --every 1h'],
    [['--every', '30', '--', 'true'], '--every 30 is not a length of time', '--every 30s, --every 5m or --every 1h'],
    [['--timeout', 'x', '--', 'true'], '--timeout x is not a length of time', '--timeout 30s, --timeout 5m or --timeout 1h'],
    [['--dry-run', '--every', '1s', '--', 'true'], '--dry-run goes without --every', 'leave one of them out'],
    [['--format', 'xml', '--', 'true'], 'wrong value: --format "xml" is not one of "csv", "tsv", "json", "dovecot"', usage],
  ];
  for (const [words, error, hint] of cases) {
    test(words.join(' ') || 'nothing', () => {
      const site = makeSite();
      const output = site.run('sync', ...words);
      assert.equal(output.stderr, `allow-nets: error: ${error}\nallow-nets: hint: ${hint}\n`);
      assert.deepEqual([output.status, output.stdout], [2, '']);
    });
  }
});
