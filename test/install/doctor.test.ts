// doctor on a real Postfix: nothing to say about a good installation; each fault is found, by its own check and no other, with the command that
// mends it.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { groupId, userIds } from '../postfix/accounts';
import { makeCold } from '../postfix/instance-files';
import { needs, program } from '../requires';
import { INSIDE, Site } from './site';

interface Finding {
  check: string;
  status: 'ok' | 'warn' | 'fail';
  message: string;
  remedy: string | null;
}

/** What is not ok: check, status, and what message and remedy have in them. */
type Expected = readonly [check: string, status: 'warn' | 'fail', message: RegExp, remedy: RegExp | null];

const OWN = ['smtpd_recipient_restrictions = permit_sasl_authenticated, reject', 'syslog_name = postfix/own'];

describe('doctor', needs('root', 'postfix', 'dovecot', 'openssl', 'sqlite3'), () => {
  let site: Site<'plain' | 'own'>;
  let good: { main: string; master: string };

  before(async () => {
    site = await Site.open({ plain: 'plain', own: 'plain' }, { listeners: { plain: [], own: OWN } });
    site.run(['init']);
    site.run(['add', 'alice', INSIDE]);
    const installed = site.onPostfix('install', '--yes');
    assert.equal(installed.status, 0, installed.stderr);
    good = { main: site.read('main.cf'), master: site.read('master.cf') };
    copyFileSync(site.db, `${site.db}.good`);
  });
  after(() => site?.close());
  afterEach(() => {
    write('main.cf', good.main);
    write('master.cf', good.master);
    copyFileSync(`${site.db}.good`, site.db);
    chownSync(site.db, 0, 0);
    chmodSync(site.db, 0o644);
  });

  function write(name: string, text: string): void {
    writeFileSync(join(site.postfix.configDir, name), text, 'latin1');
    makeCold(join(site.postfix.configDir, name));
  }

  function edit(
    name: 'main.cf' | 'master.cf',
    ...changes: readonly [from: string | RegExp, to: string][]
  ): void {
    const before = site.read(name);
    const text = changes.reduce((now, [from, to]) => now.replace(from, to), before);
    assert.notEqual(text, before);
    write(name, text);
  }

  function findings(...words: readonly string[]): { status: number | null; all: Finding[] } {
    const { status, stdout, stderr } = site.onPostfix('doctor', '--json', ...words);
    assert.equal(stderr, '');
    return { status, all: JSON.parse(stdout) };
  }

  /** Exactly these are not ok. */
  function expectFindings(...expected: readonly Expected[]): void {
    const { status, all } = findings();
    const found = all.filter(({ status: one }) => one !== 'ok');
    assert.deepEqual(
      found.map(({ check, status: one }) => `${one} ${check}`),
      expected.map(([check, one]) => `${one} ${check}`),
      JSON.stringify(found, null, 1),
    );
    for (const [i, [, , message, remedy]] of expected.entries()) {
      assert.match(found[i]?.message ?? '', message);
      if (remedy === null) assert.equal(found[i]?.remedy, null);
      else assert.match(found[i]?.remedy ?? '', remedy);
    }
    assert.equal(status, expected.some(([, one]) => one === 'fail') ? 1 : 0);
  }

  const asked = (name: 'plain' | 'own') => `asked by ${site.postfix.ports[name]}/inet`;
  const sql = (text: string) => execFileSync('sqlite3', [site.db, text]);

  test('a good installation', () => {
    const { status, all } = findings();
    assert.deepEqual(
      all.map(({ check, status: one }) => `${one} ${check}`),
      [
        'ok Postfix',
        'ok service allow-nets',
        'ok time limit',
        'ok Node.js',
        'ok addon',
        'ok database',
        'ok writers',
        'ok integrity',
        'ok entries',
        'ok rows',
        'ok expired',
        `ok ${asked('plain')}`,
        `ok ${asked('own')}`,
        'ok mode',
        'ok trial',
        'ok mail log',
        'ok program',
        'ok answer',
      ],
    );
    assert.equal(status, 0);
    assert.match(all.at(-1)?.message ?? '', /spool\/private\/allow-nets answered in \d+ ms$/);
    const { stdout, stderr, status: shown } = site.onPostfix('doctor');
    assert.equal(stderr, '');
    assert.equal(shown, 0);
    assert.equal(stdout.split('\n').length, all.length + 1);
    assert.match(stdout, /^ok {4}Postfix +version 3\./);
  });

  test('nothing is changed: not Postfix, its queue and log, not the database', () => {
    const root = join(site.postfix.configDir, '..');
    const look = () => [...contents(root), ...contents(join(site.db, '..'))];
    findings();
    const before = look();
    const { all } = findings();
    assert.ok(all.every(({ status }) => status === 'ok'));
    assert.deepEqual(look(), before);
  });

  test('-c as the shell has it, relative', () => {
    const words = [site.program.script, 'doctor', '-c', 'etc'];
    const { status, stdout } = spawnSync(site.program.node, words, {
      cwd: join(site.postfix.configDir, '..'),
      encoding: 'utf8',
    });
    assert.equal(status, 0, stdout);
  });

  test('what only a group may read: the one that user= names counts, others Postfix does not take', () => {
    chownSync(site.db, 0, groupId('daemon'));
    chmodSync(site.db, 0o640);
    const statusOf = () =>
      findings().all.flatMap(({ check, status }) =>
        check === 'database' || check === 'program' ? [status] : [],
      );
    assert.deepEqual(statusOf(), ['fail', 'fail']);
    edit('master.cf', ['user=nobody', 'user=nobody:daemon']);
    assert.deepEqual(statusOf(), ['ok', 'ok']);
  });

  test('a log that the service user does not reach', (context) => {
    if ((statSync(program('postlog')).mode & 0o2000) !== 0) return context.skip('postlog is set-gid');
    const folder = join(site.postfix.queueDir, 'public');
    const { mode } = statSync(folder);
    chmodSync(folder, 0o2710);
    const found = findings().all.find(({ check }) => check === 'mail log');
    chmodSync(folder, mode & 0o7777);
    assert.notEqual(found?.status, 'ok');
    assert.match(found?.message ?? '', /postlog is not set-gid postdrop, so nobody does not reach /);
    assert.match(found?.remedy ?? '', /^chgrp postdrop \S+postlog && chmod 2755 /);
  });

  test('faults of the configuration, which the named command mends', async () => {
    edit(
      'main.cf',
      ['allow-nets_time_limit = 3600\n', ''],
      ['restrictions = check', 'restrictions = permit_sasl_authenticated, check'],
    );
    edit(
      'master.cf',
      [/allow-nets unix .* spawn/, 'allow-nets unix - - y - 1 spawn'],
      ['check_policy_service unix:private/allow-nets, ', ''],
    );
    expectFindings(
      [
        'service allow-nets',
        'fail',
        /^unpriv is - and not n, so spawn cannot become nobody; it is chrooted.*; its process limit is 1 and not 0/,
        /^allow-nets install -c \S+$/,
      ],
      ['time limit', 'warn', /^allow-nets_time_limit is 1000s, the default/, /^allow-nets install -c \S+$/],
      [
        asked('plain'),
        'fail',
        /^never reached: permit_sasl_authenticated stands before it in smtpd_recipient/,
        /^allow-nets install/,
      ],
      [
        asked('own'),
        'fail',
        /^not asked: -o smtpd_recipient_restrictions=permit_sasl_authenticated, reject in master.cf/,
        /^allow-nets install/,
      ],
    );
    const installed = site.onPostfix('install', '--yes');
    assert.equal(installed.status, 0, installed.stderr);
    expectFindings();
    assert.deepEqual(await site.replies(), site.expected(true));
  });

  test('one-shot without request_limit, trial, and a list that skips some', () => {
    edit('main.cf', ['restrictions = check', 'restrictions = warn_if_reject check']);
    edit(
      'master.cf',
      [' --persistent', ''],
      ['check_policy_service unix', 'permit_mynetworks, check_policy_service unix'],
    );
    expectFindings(
      [
        asked('own'),
        'warn',
        /^not reached by clients .*: permit_mynetworks stands before it in smtpd_recipient_restrictions of master.cf$/,
        /--one-shot --trial$/,
      ],
      [
        'mode',
        'fail',
        /a second before each further recipient/,
        /^allow-nets install -c \S+ --one-shot --trial$/,
      ],
      ['trial', 'warn', /nobody is refused$/, /^allow-nets install -c \S+ --one-shot$/],
    );
  });

  test('what the program would not understand, and a user that Postfix would not take', () => {
    edit('master.cf', ['user=nobody', 'user=root'], [' --persistent', ' --presistent --persistent']);
    expectFindings([
      'service allow-nets',
      'fail',
      /^Postfix runs no service as root; unknown option --presistent$/,
      /^allow-nets install/,
    ]);
    write('master.cf', good.master.replace(/--db \S+/, '--db access.db'));
    const relative = findings().all.find(({ check }) => check === 'service allow-nets');
    assert.deepEqual([relative?.status, relative?.message], ['fail', '--db access.db is no absolute path']);
    write('master.cf', good.master.replace('user=nobody', 'user=no-such-user').replace('argv=/', 'argv='));
    expectFindings([
      'service allow-nets',
      'fail',
      /^there is no user no-such-user; .* is no absolute path$/,
      /^allow-nets install/,
    ]);
  });

  test('who may write the database, rows that grant nothing', () => {
    sql("insert into access (user, network) values ('bob', '10.0.0.0/33'), ('carol', '@nowhere')");
    sql("insert into access (user, network, expires) values ('dave', '10.0.0.0/8', '2020-01-01T00:00:00Z')");
    chmodSync(site.db, 0o666);
    expectFindings(
      ['writers', 'fail', /^everybody may write .*access.db/, /^chmod o-w .*access.db$/],
      [
        'rows',
        'warn',
        /^2 grant nothing \(bob 10.0.0.0\/33: the network cannot be read\)$/,
        /^allow-nets list/,
      ],
      ['expired', 'warn', /^1 entries have expired$/, /^allow-nets remove --expired/],
    );
    chmodSync(site.db, 0o644);
    const { uid, gid } = userIds('nobody');
    chownSync(site.db, uid, gid);
    sql('delete from access');
    expectFindings(
      ['writers', 'warn', /^nobody, who runs the program, may write/, /^chown root:root/],
      ['entries', 'fail', /every user is refused$/, /^allow-nets add USER NETWORK/],
    );
  });

  test('a database that cannot be read, is in write-ahead mode, is damaged, is none, is not there', () => {
    chmodSync(site.db, 0o600);
    expectFindings(
      ['database', 'fail', /^nobody cannot read .*access.db$/, /^chmod a\+r .*access.db/],
      ['program', 'fail', /no permission to read database/, /chmod 644/],
      ['answer', 'fail', /^no answer at /, /^the mail log says why/],
    );
    chmodSync(site.db, 0o644);
    sql('pragma journal_mode = wal');
    const wal = findings().all.find(({ check }) => check === 'database');
    assert.match(wal?.message ?? '', /write-ahead mode/);
    assert.match(wal?.remedy ?? '', /allow-nets list --db \S+access.db$/);
    copyFileSync(`${site.db}.good`, site.db);
    for (const [version, message, remedy] of [
      [99, /has schema version 99, this program knows \d+$/, /^install the version of postfix-allow-nets/],
      [0, /is no database of allow-nets \(schema version 0\)$/, /allow-nets init --db \S+access.db$/],
    ] as const) {
      sql(`pragma user_version = ${version}`);
      const { status, all } = findings();
      const found = all.find(({ check }) => check === 'database');
      assert.deepEqual([status, found?.status], [1, 'fail']);
      assert.match(found?.message ?? '', message);
      assert.match(found?.remedy ?? '', remedy);
    }
    copyFileSync(`${site.db}.good`, site.db);
    damage(site.db);
    const integrity = findings();
    assert.equal(integrity.status, 1);
    assert.ok(integrity.all.some(({ check, status }) => check === 'integrity' && status === 'fail'));
    writeFileSync(site.db, 'no database at all\n'.repeat(100));
    assert.match(
      findings().all.find(({ check }) => check === 'database')?.message ?? '',
      /is no SQLite file$/,
    );
    renameSync(site.db, `${site.db}.away`);
    const missing = findings().all.filter(({ status }) => status === 'fail');
    assert.deepEqual(
      missing.map(({ check }) => check),
      ['database', 'program', 'answer'],
    );
    assert.match(missing[0]?.remedy ?? '', /^allow-nets init --db .*access.db$/);
    renameSync(`${site.db}.away`, site.db);
  });

  test('an answer that is not what the database says, and a service that is not loaded', () => {
    edit('master.cf', [/^allow-nets /m, 'other-name ']);
    const { all } = findings();
    assert.match(all.at(-1)?.message ?? '', /^no answer at \S+\/other-name \(.*ENOENT/);
    const unasked = all.filter(({ check, status }) => check.startsWith('asked') && status === 'fail');
    assert.equal(unasked.length, 2);
    write('master.cf', good.master.slice(0, good.master.indexOf('\nallow-nets ') + 1));
    const none = findings().all;
    assert.deepEqual(
      none.map(({ check, status }) => `${status} ${check}`),
      ['ok Postfix', 'fail service'],
    );
    assert.match(none[1]?.message ?? '', /but lists ask unix:private\/allow-nets: mail is put off$/);
  });

  test('no Postfix configuration', () => {
    const { status, stdout, stderr } = site.run(['doctor', '--json', '-c', '/nonexistent']);
    const [only, ...more] = JSON.parse(stdout) as Finding[];
    assert.deepEqual(more, []);
    assert.equal(only?.status, 'fail');
    assert.match(only?.message ?? '', /^postconf failed/);
    assert.equal(stderr, '');
    assert.equal(status, 1);
  });
});

/** Noise in every page but the first. */
function damage(file: string): void {
  const bytes = readFileSync(file);
  bytes.fill(0xa5, 4096);
  writeFileSync(file, bytes);
}

/** Every file with its mode, size, time and text; of sockets and folders the mode. What a running Postfix does by itself in data/ is left out. */
function contents(root: string): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => !/^data\//.test(name))
    .sort()
    .map((name) => {
      const stat = statSync(join(root, name));
      if (!stat.isFile()) return `${name} ${stat.mode}`;
      return `${name} ${stat.mode} ${stat.mtimeMs} ${readFileSync(join(root, name), 'latin1')}`;
    });
}
