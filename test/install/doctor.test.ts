// doctor on a real Postfix: nothing to say about a good installation; each fault is found, by its own check and no
// other, with the command that fixes it.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Finding } from '../../src/doctor/finding';
import { needs, program } from '../requires';
import { groupId, userIds } from '../rig/accounts';
import { makeCold } from '../rig/postfix-files';
import { makeFolder } from '../rig/scratch';
import { waitFor } from '../rig/wait-for';
import { INSIDE, Site } from './site';

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
    restoreDatabase();
  });
  after(() => site?.close());
  afterEach(() => {
    write('main.cf', good.main);
    write('master.cf', good.master);
    restoreDatabase();
  });

  /** The group that `user=` of the installed service gives. */
  function serviceGroup(): number {
    const [, group] = /user=nobody(?::(\S+))?/.exec(good.master) ?? [];
    return group === undefined ? userIds('nobody').gid : groupId(group);
  }

  function restoreDatabase(): void {
    rmSync(site.db, { force: true });
    copyFileSync(`${site.db}.good`, site.db);
    for (const [file, mode] of [
      [site.db, 0o640],
      [join(site.db, '..'), 0o750],
    ] as const) {
      chownSync(file, 0, serviceGroup());
      chmodSync(file, mode);
    }
  }

  function write(name: string, text: string): void {
    writeFileSync(join(site.postfix.configDir, name), text, 'latin1');
    makeCold(join(site.postfix.configDir, name));
  }

  function edit(name: 'main.cf' | 'master.cf', ...changes: readonly [from: string | RegExp, to: string][]): void {
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

  /** One finding by its check. */
  const findingOf = (check: string) => findings().all.find((one) => one.check === check);

  /** The check of the list with this target, in main.cf and in the -o of the service "own". */
  function ask(target: string): void {
    const check = /check_policy_service (\{(?:[^{}]|\{[^{}]*\})*\}|[^\s,]+)/;
    write(
      'main.cf',
      site.read('main.cf').replace(check, () => `check_policy_service ${target}`),
    );
    write(
      'master.cf',
      site.read('master.cf').replace(check, () => `check_policy_service ${target}`),
    );
  }

  /** A further -o of the service "own". */
  const withOption = (option: string) => edit('master.cf', [/-o \{? ?syslog_name/, `-o ${option} $&`]);

  /** A program in place of the installed one, with the name that doctor knows. */
  function standIn(code: string): string {
    const folder = join(makeFolder('stand-in'), 'bin');
    mkdirSync(folder);
    const file = join(folder, 'allow-nets.js');
    writeFileSync(file, code, { mode: 0o755 });
    edit('master.cf', [site.program.script, file]);
    return file;
  }

  test('a good installation', async () => {
    const start = site.postfix.log().length;
    const { status, all } = findings();
    assert.deepEqual(
      all.map(({ check, status: one }) => `${one} ${check}`),
      [
        'ok Postfix',
        'ok service allow-nets',
        'ok time limit',
        'ok database',
        'ok permissions',
        'ok disk',
        'ok integrity',
        'ok entries',
        'ok rows',
        'ok expired',
        'ok smtpd options',
        `ok ${asked('plain')}`,
        `ok ${asked('own')}`,
        'ok mode',
        'ok trial',
        'ok trouble',
        'ok refusals',
        'ok mail log',
        'ok program',
        'ok running',
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
    // The lines of both runs, so that the next test does not count them.
    await site.postfix.waitForLog(/(user=doctor@allow-nets\.invalid (?:.|\n)*){2}/, start);
  });

  test('nothing is changed: not Postfix and its queue, not the database; the log gets a refusal of its own', async () => {
    const root = join(site.postfix.configDir, '..');
    const look = () => [...contents(root), ...contents(join(site.db, '..'))];
    findings();
    // The lines of earlier runs are on their way.
    await sleep(2000);
    const before = look();
    const from = site.postfix.log().length;
    const { all } = findings();
    assert.ok(all.every(({ status }) => status === 'ok'));
    assert.deepEqual(look(), before);
    await site.postfix.waitForLog(/verdict=reject user=doctor@allow-nets\.invalid /, from);
    assert.equal(
      site.postfix
        .log()
        .slice(from)
        .match(/postfix\/allow-nets/g)?.length,
      1,
    );
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
    const statusOf = () =>
      findings().all.flatMap(({ check, status }) => (check === 'database' || check === 'program' ? [status] : []));
    assert.deepEqual(statusOf(), ['fail', 'fail']);
    edit('master.cf', [/user=nobody(:\S+)?/, 'user=nobody:daemon']);
    chownSync(join(site.db, '..'), 0, groupId('daemon'));
    assert.deepEqual(statusOf(), ['ok', 'ok']);
  });

  test('a log that the service user does not reach: the group that reaches it', (context) => {
    if ((statSync(program('postlog')).mode & 0o2000) !== 0) return context.skip('postlog is set-gid');
    const folder = join(site.postfix.queueDir, 'public');
    const { mode } = statSync(folder);
    chmodSync(folder, 0o2710);
    const found = findingOf('mail log');
    chmodSync(folder, mode & 0o7777);
    const syslog = statSync('/dev/log', { throwIfNoEntry: false })?.isSocket();
    assert.equal(found?.status, syslog ? 'warn' : 'fail');
    assert.match(found?.message ?? '', /postlog is not set-gid postdrop, so nobody does not reach /);
    assert.match(found?.remedy ?? '', /^allow-nets install -c \S+ --user nobody:postdrop$/);
  });

  test('a set-gid postlog before Postfix 3.7, where it gives its group to everybody', () => {
    const postlog = join(makeFolder('set-gid'), 'postlog');
    copyFileSync(program('postlog'), postlog);
    chmodSync(postlog, 0o2755);
    const mailLog = (version: string) => {
      edit('main.cf', [/$/, `mail_version = ${version}\n`]);
      const env = { PATH: `${dirname(postlog)}:${process.env['PATH']}` };
      const { stdout } = site.run(['doctor', '--json', '-c', site.postfix.configDir], env);
      write('main.cf', good.main);
      return (JSON.parse(stdout) as Finding[]).find(({ check }) => check === 'mail log');
    };
    const found = mailLog('3.6.4');
    assert.match(found?.message ?? '', /^\S+\/postlog is set-gid, which it must not be before Postfix 3\.7/);
    assert.equal(found?.remedy, `chmod g-s ${postlog}`);
    assert.notEqual(mailLog('3.7.11')?.remedy, found?.remedy);
  });

  test('faults of the configuration, which the named command fixes; the same command is printed once', async () => {
    edit(
      'main.cf',
      ['allow-nets_time_limit = 3600\n', ''],
      ['restrictions = check', 'restrictions = permit_sasl_authenticated, check'],
    );
    edit(
      'master.cf',
      [/allow-nets unix .* spawn/, 'allow-nets unix - - y - 1 spawn'],
      [/(restrictions ?= ?)check_policy_service (\{(?:[^{}]|\{[^{}]*\})*\}|\S+), /, '$1'],
    );
    const install = /^allow-nets install -c \S+$/;
    expectFindings(
      [
        'service allow-nets',
        'fail',
        /^private, unpriv, chroot, wakeup and maxproc are "- - y - 1" and must be "- n n - 0"$/,
        install,
      ],
      ['time limit', 'warn', /^allow-nets_time_limit is 1000s: /, install],
      [
        asked('plain'),
        'fail',
        /^never reached: permit_sasl_authenticated stands before it in smtpd_recipient/,
        install,
      ],
      [
        asked('own'),
        'fail',
        /^not asked: -o smtpd_recipient_restrictions=permit_sasl_authenticated, reject in master.cf/,
        install,
      ],
    );
    const { stdout } = site.onPostfix('doctor');
    assert.match(stdout, /\n {6}fix:\n {8}allow-nets install -c \S+\nwarn {2}time limit/);
    assert.equal(stdout.match(/^ {6}fix: as for "service allow-nets" above$/gm)?.length, 3);
    const installed = site.onPostfix('install', '--yes');
    assert.equal(installed.status, 0, installed.stderr);
    expectFindings();
    assert.deepEqual(await site.replies(), site.expected(true));
  });

  test('a trial in a list that no service with AUTH uses', () => {
    edit('main.cf', ['restrictions = check', 'restrictions = warn_if_reject check']);
    expectFindings(['trial', 'warn', /^trial for \d+: .* nobody is refused$/, /^allow-nets replay /]);
    const port = site.postfix.ports.plain;
    edit('master.cf', [new RegExp(`^${port} .*smtpd$`, 'm'), '$& -o smtpd_sasl_auth_enable=no']);
    expectFindings();
    assert.equal(findingOf('trial')?.status, 'ok');
  });

  test('one-shot without request_limit, trial, and a list that skips some', () => {
    edit('main.cf', ['restrictions = check', 'restrictions = warn_if_reject check']);
    edit('master.cf', [' --persistent', ''], ['check_policy_service', 'permit_mynetworks, check_policy_service']);
    expectFindings(
      [
        asked('own'),
        'warn',
        /^not reached by clients .*: permit_mynetworks stands before it in smtpd_recipient_restrictions of master.cf$/,
        /--one-shot --trial$/,
      ],
      ['mode', 'fail', /a second before each further recipient/, /^allow-nets install -c \S+ --one-shot --trial$/],
      ['trial', 'warn', /nobody is refused$/, /^allow-nets replay --db \S+ \S+$/],
    );
    assert.match(
      findingOf('trial')?.advice ?? '',
      /^see who would be refused before you run: allow-nets install -c \S+ --one-shot$/,
    );
  });

  test('what the program would not understand, and a user that Postfix would not take', () => {
    edit('master.cf', [/user=nobody(:\S+)?/, 'user=root'], [' --persistent', ' --presistent --persistent']);
    expectFindings(
      ['service allow-nets', 'fail', /^Postfix runs no service as root$/, /^allow-nets install -c \S+ --user nobody$/],
      ['service allow-nets', 'fail', /^unknown option --presistent$/, /^postfix -c \S+ reload$/],
    );
    write('master.cf', good.master.replace(/--db \S+/, '--db access.db'));
    const relative = findingOf('database');
    assert.match(relative?.message ?? '', /^there is no database \S+\/spool\/access.db: all mail/);
    write('master.cf', good.master.replace(/user=nobody(:\S+)?/, 'user=no-such-user'));
    expectFindings([
      'service allow-nets',
      'fail',
      /^there is no user no-such-user$/,
      /^useradd --system --no-create-home no-such-user$/,
    ]);
  });

  for (const [name, change] of [
    ['main.cf', () => edit('main.cf', [/$/, 'smtpd_policy_service_default_action = DUNNO\n'])],
    ['-o', () => withOption('smtpd_policy_service_default_action=dunno')],
    ['the check itself', () => ask('{ unix:private/allow-nets, { default_action = DUNNO } }')],
    ['the check itself, without braces', () => ask('{ unix:private/allow-nets, default_action=defer_if_reject }')],
    ['what is not understood', () => ask('{ unix:private/allow-nets, default_action=$nothing }')],
  ] as const) {
    test(`trouble that lets mail pass: default_action in ${name}`, () => {
      if (!name.includes('itself') && !name.includes('not')) ask('unix:private/allow-nets');
      change();
      const found = findingOf('trouble');
      assert.equal(found?.status, 'fail', JSON.stringify(found));
      assert.match(found?.message ?? '', /users may send from everywhere$/);
      assert.match(found?.remedy ?? '', /^allow-nets install -c/);
    });
  }

  test('a value with a blank ends smtpd: the command writes it in braces', () => {
    const restrictions =
      /-o \{?\s*smtpd_recipient_restrictions ?= ?(check_policy_service .*?), permit_sasl_authenticated, reject\s*\}?/;
    edit('master.cf', [restrictions, '-o smtpd_recipient_restrictions=permit_sasl_authenticated, reject']);
    const found = findingOf('smtpd options');
    assert.equal(found?.status, 'fail', JSON.stringify(found));
    assert.match(found?.message ?? '', /^\d+\/inet does not start: "reject" is not an option of smtpd$/);
    execFileSync('sh', ['-c', found?.remedy ?? 'false'], { stdio: 'pipe' });
    assert.equal(findingOf('smtpd options')?.status, 'ok');
    assert.match(site.read('master.cf'), /-o \{smtpd_recipient_restrictions=permit_sasl_authenticated, reject\}/);
  });

  test('refusals that are temporary', () => {
    edit('main.cf', [/$/, 'soft_bounce = yes\n']);
    withOption('access_map_reject_code=450');
    expectFindings(
      ['refusals', 'warn', /^soft_bounce = yes: /, /^postconf -c \S+ -X soft_bounce && postfix -c \S+ reload$/],
      [
        'refusals',
        'warn',
        /^-o access_map_reject_code=450 of \d+\/inet: /,
        /^postconf -c \S+ -PX \d+\/inet\/access_map_reject_code && /,
      ],
    );
  });

  test('two entries of one name: the last is the one that Postfix uses', () => {
    const [entry = ''] = /^allow-nets .*\n( .*\n)*/m.exec(good.master) ?? [];
    write('master.cf', `${entry.replace(/user=nobody\S*/, 'user=root')}${good.master}`);
    expectFindings([
      'same name',
      'warn',
      /^master.cf has 2 entries allow-nets\/unix; Postfix uses the last/,
      /^allow-nets install -c \S+$/,
    ]);
    assert.equal(site.onPostfix('install', '--yes').status, 0);
    assert.equal(site.read('master.cf').match(/^allow-nets /gm)?.length, 1);
    write('master.cf', `${good.master}${entry.replace(/argv=.*/s, 'argv=/bin/true\n')}`);
    expectFindings([
      'service',
      'fail',
      /Postfix uses the last, which does not run this program$/,
      /^postfix -c \S+ reload$/,
    ]);
  });

  test('who may read or write the database, and the command that narrows it', () => {
    const permissions = findingOf('permissions');
    assert.equal(permissions?.status, 'ok');
    for (const loosen of [() => chmodSync(site.db, 0o644), () => chmodSync(join(site.db, '..'), 0o755)]) {
      loosen();
      const found = findingOf('permissions');
      assert.equal(found?.status, 'warn');
      assert.match(
        found?.message ?? '',
        /has mode \d+ and group \d+, and should have \d+ and \d+ \(.*: whoever can read it/,
      );
      execFileSync('sh', ['-c', found?.remedy ?? 'false'], { stdio: 'pipe' });
      assert.equal(findingOf('permissions')?.status, 'ok');
    }
    chownSync(site.db, 0, groupId('daemon'));
    const closed = findingOf('database');
    assert.match(closed?.message ?? '', /^nobody cannot read/);
    execFileSync('sh', ['-c', closed?.remedy ?? 'false'], { stdio: 'pipe' });
    chmodSync(site.db, 0o666);
    expectFindings(['permissions', 'fail', /^everybody may write .*access.db/, /^chmod o-w .*access.db$/]);
    chmodSync(site.db, 0o640);
    chownSync(site.db, userIds('nobody').uid, serviceGroup());
    expectFindings([
      'permissions',
      'warn',
      /access.db belongs to nobody, who runs the program and needs no write permission/,
      /^chown root:\S+ \S+ && chmod 640 \S+$/,
    ]);
  });

  test('rows that do not do what they seem to', () => {
    sql("insert into access (user, network) values ('bob', '10.0.0.0/33'), ('carol', '@nowhere')");
    sql(
      "insert into access (user, network) values ('*@example.com', '10.0.0.0/8'), ('', 'any'), ('erin', '10.1.2.3/8'), ('example.com', '192.0.2.0/24')",
    );
    sql("insert into access (user, network, expires) values ('dave', '10.0.0.0/8', '2020-01-01T00:00:00Z')");
    sql("insert into access (user, network, expires) values ('alice', '10.0.0.0/8', '2020-01-01T00:00:00Z')");
    expectFindings(
      [
        'rows',
        'warn',
        /^6 grant nothing, or not what they seem to \( any: .*, \*@example.com 10.0.0.0\/8: .*, bob 10.0.0.0\/33: .*, and 3 more\)$/,
        /^allow-nets list/,
      ],
      ['expired', 'warn', /^every entry has expired of 1 user: dave$/, null],
    );
    sql("delete from access where user not in ('alice', 'erin', 'example.com')");
    assert.match(
      findingOf('rows')?.message ?? '',
      /^2 .*\(erin 10.1.2.3\/8: 10.1.2.3\/8 grants all of 10.0.0.0\/8, example.com 192.0.2.0\/24: .*\)$/,
    );
    sql('delete from access');
    expectFindings(['entries', 'fail', /no user may send mail$/, null]);
  });

  test('every user may send from the webmail', () => {
    sql(
      "insert into network_set (name, network) values ('office', '192.0.2.1'), ('webmail', '198.51.100.1'), ('front', '127.0.0.0/8')",
    );
    sql("insert into access (user, network) values ('alice', '@webmail'), ('alice', '@front'), ('alice', '@office')");
    sql("insert into access (user, network) values ('bob', '@webmail'), ('bob', '@front'), ('bob', '@office')");
    const found = findings().all.filter(({ check }) => check === 'webmail');
    assert.deepEqual(found.map(({ message }) => /set (\w+)/.exec(message)?.[1]).sort(), ['front', 'webmail']);
    assert.match(found[0]?.advice ?? '', /smtpd_authorized_xclient_hosts/);
    sql("delete from access; insert into access (user, network) values ('@example.com', '@webmail')");
    assert.match(findingOf('webmail')?.message ?? '', /^every user may send from the set webmail:/);
    sql("update access set user = 'alice'");
    assert.equal(findingOf('webmail'), undefined);
  });

  test('a database that cannot be read, is in write-ahead mode, is damaged, is none', () => {
    chmodSync(site.db, 0o600);
    expectFindings(
      ['database', 'fail', /^nobody cannot read .*access.db$/, /chmod 640 \S+access.db$/],
      ['program', 'fail', /no permission to read database/, null],
      ['answer', 'fail', /^no answer at /, null],
    );
    assert.equal(findings().all.at(-1)?.advice, 'see "database" above');
    chmodSync(site.db, 0o640);
    sql('pragma journal_mode = wal');
    const wal = findingOf('content');
    assert.match(wal?.message ?? '', /write-ahead mode/);
    assert.match(wal?.remedy ?? '', /^allow-nets tidy --db \S+access.db$/);
    restoreDatabase();
    for (const [version, message, advice] of [
      [99, /has schema version 99, this program knows \d+$/, /^install the version of postfix-allow-nets/],
      [0, /is not a database of allow-nets /, /^put a good copy in its place/],
    ] as const) {
      sql(`pragma user_version = ${version}`);
      const found = findingOf('content');
      assert.equal(found?.status, 'fail');
      assert.match(found?.message ?? '', message);
      assert.match(found?.advice ?? '', advice);
    }
    restoreDatabase();
    damage(site.db);
    const integrity = findings();
    assert.equal(integrity.status, 1);
    assert.ok(integrity.all.some(({ check, status }) => check === 'integrity' && status === 'fail'));
    writeFileSync(site.db, 'no database at all\n'.repeat(100));
    assert.match(findingOf('integrity')?.message ?? '', /file is not a database\)$/);
    rmSync(site.db);
    execFileSync('mkfifo', [site.db]);
    assert.match(findingOf('database')?.message ?? '', /is not a regular file$/);
    rmSync(site.db);
  });

  test('a missing database: a copy first, a new one would refuse everybody', () => {
    rmSync(site.db);
    const missing = findings().all.filter(({ status }) => status === 'fail');
    assert.deepEqual(
      missing.map(({ check, remedy }) => [check, remedy]),
      [
        ['database', null],
        ['program', null],
        ['answer', null],
      ],
    );
    assert.match(
      missing[0]?.advice ?? '',
      /^put a good copy in its place; mail waits until then\. Only for a new installation, .*: allow-nets init --db \S+access.db$/,
    );
  });

  test('a Node.js that is gone, a package that only root can read', () => {
    edit('master.cf', [`argv=${site.program.node}`, 'argv=/opt/gone/bin/node']);
    const gone = findingOf('program');
    assert.deepEqual([gone?.status, gone?.message], ['fail', 'there is no /opt/gone/bin/node any more']);
    assert.match(gone?.remedy ?? '', /^allow-nets install -c \S+$/);
    write('master.cf', good.master);
    const file = standIn(`require(${JSON.stringify(site.program.script)})`);
    chmodSync(file, 0o600);
    const closed = findingOf('program');
    assert.equal(closed?.message, `nobody cannot read ${file}`);
    const open = `chmod -R a+rX ${join(file, '../..')}`;
    assert.equal(closed?.remedy, open);
    execFileSync('sh', ['-c', open]);
    assert.equal(findingOf('program')?.status, 'ok');
    // A package of which only a dependency is closed, whose error does not say so.
    writeFileSync(file, 'require("dependency")');
    mkdirSync(join(file, '../../node_modules/dependency'), { recursive: true, mode: 0o755 });
    writeFileSync(join(file, '../../node_modules/dependency/index.js'), '', { mode: 0o600 });
    assert.equal(findingOf('program')?.remedy, open);
  });

  test('the fault of the program is not called a consequence of one that cannot stop it', () => {
    chmodSync(join(site.db, '..'), 0o757);
    standIn('process.exit(1)');
    const [permissions, found] = findings().all.filter(({ status }) => status === 'fail');
    assert.equal(permissions?.check, 'permissions');
    assert.deepEqual([found?.check, found?.advice], ['program', null]);
  });

  test('what is tried as the service user has a session of its own, and nothing open but its own pipes', () => {
    const seen = join(site.folder, 'seen');
    writeFileSync(seen, '');
    chmodSync(seen, 0o666);
    standIn(
      `const fs = require('node:fs');
       const fds = fs.readdirSync('/proc/self/fd').map((n) => { try { return fs.readlinkSync('/proc/self/fd/' + n); } catch { return ''; } });
       const session = fs.readFileSync('/proc/self/stat', 'utf8').replace(/.*\\) /, '').split(' ')[3];
       fs.appendFileSync(${JSON.stringify(seen)}, JSON.stringify([session === String(process.pid), fds]) + '\\n');
       fs.writeSync(1, 'action=dunno\\n\\n');`,
    );
    const leaked = openSync(site.db, 'r+');
    const stdio = [...Array(29).fill('ignore'), leaked];
    spawnSync(site.program.node, [site.program.script, 'doctor', '-c', site.postfix.configDir], { stdio });
    closeSync(leaked);
    const [line = ''] = readFileSync(seen, 'utf8').split('\n');
    const [ownSession, descriptors] = JSON.parse(line) as [boolean, string[]];
    assert.equal(ownSession, true);
    assert.ok(!descriptors.includes(site.db), descriptors.join());
  });

  test('a server that allows everybody, one that says something else, one that is not loaded', async () => {
    const file = standIn(
      `const fs = require('node:fs'); const b = Buffer.alloc(9000);
       while (fs.readSync(0, b) > 0) fs.writeSync(1, 'action=dunno\\n\\n');`,
    );
    await site.postfix.reload();
    const everybody = findingOf('answer');
    assert.equal(everybody?.status, 'fail', JSON.stringify(everybody));
    assert.match(
      everybody?.message ?? '',
      /^doctor@allow-nets.invalid from 192.0.2.1 is allowed at .*, but refused by /,
    );
    assert.match(everybody?.remedy ?? '', /^postfix -c \S+ reload$/);
    site.run(['add', '*', 'any']);
    const oneUser = findingOf('answer');
    site.run(['remove', '*', 'any']);
    assert.match(oneUser?.message ?? '', /^alice from 192.0.2.1 is allowed at .*, but refused by /);
    // It answers by hand, and dies under Postfix.
    writeFileSync(
      file,
      `const fs = require('node:fs');
       if (!fs.fstatSync(2).isSocket()) { fs.writeSync(1, 'action=dunno\\n\\n'); process.exit(); }
       fs.writeSync(1, '\\n\\n#\\n# Fatal error in , line 0\\n# Check failed: 12 == (*__errno_location ()).\\n'); process.abort();`,
    );
    const dead = findingOf('answer');
    assert.match(dead?.message ?? '', /not an answer of this program: "#/);
    assert.match(dead?.advice ?? '', /MemoryDenyWriteExecute= or LimitAS=.*--jitless --no-expose-wasm$/);
    write('master.cf', good.master);
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
    assert.match(none[1]?.message ?? '', /but lists ask unix:private\/allow-nets: mail is deferred$/);
    assert.match(none[1]?.remedy ?? '', /^allow-nets install -c \S+$/);
    for (const name of ['main.cf', 'master.cf'] as const)
      write(name, site.read(name).replaceAll('private/allow-nets', 'private/nets'));
    const renamed = findingOf('service');
    assert.match(renamed?.message ?? '', /but lists ask unix:private\/nets: mail is deferred$/);
    assert.match(renamed?.remedy ?? '', /^allow-nets install -c \S+ --service nets$/);
    write('main.cf', good.main);
    write('master.cf', good.master);
    await site.postfix.reload();
  });

  test('running programs of an older version', async () => {
    const file = standIn(`require(${JSON.stringify(site.program.script)})`);
    await site.postfix.reload();
    await site.send('plain', INSIDE);
    assert.match(findingOf('running')?.message ?? '', /^[1-9]\d* programs, of the installed version$/);
    await sleep(2500);
    chmodSync(file, 0o755);
    const old = findingOf('running');
    assert.equal(old?.status, 'warn');
    assert.match(old?.message ?? '', /were started before \S+ was installed$/);
    execFileSync('sh', ['-c', old?.remedy ?? 'false'], { stdio: 'pipe' });
    await waitFor('the old programs to end', () => findingOf('running')?.status === 'ok');
    write('master.cf', good.master);
    await site.postfix.reload();
  });

  test('somebody who is not root and may not look at the database', () => {
    const words = [site.program.script, 'doctor', '--json', '-c', site.postfix.configDir];
    const { stdout, stderr, status } = spawnSync(site.program.node, words, {
      uid: 65_533,
      gid: 65_533,
      encoding: 'utf8',
    });
    assert.deepEqual([status, stderr], [0, '']);
    const found = (JSON.parse(stdout) as Finding[]).filter((one) => one.status !== 'ok');
    assert.deepEqual(
      found.map(({ check, remedy }) => [check, remedy]),
      [
        ['root', `sudo allow-nets doctor -c ${site.postfix.configDir}`],
        ['database', `sudo allow-nets doctor -c ${site.postfix.configDir}`],
      ],
    );
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

/**
 * Every file with its mode, size, time and text; of sockets and folders the mode. What a running Postfix does by itself
 * in data/ and log/ is left out.
 */
function contents(root: string): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => !/^(data|log)\//.test(name))
    .sort()
    .map((name) => {
      const stat = statSync(join(root, name));
      if (!stat.isFile()) return `${name} ${stat.mode}`;
      return `${name} ${stat.mode} ${stat.mtimeMs} ${readFileSync(join(root, name), 'latin1')}`;
    });
}
