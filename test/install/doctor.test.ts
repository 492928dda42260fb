// doctor on a real Postfix: nothing to say about a good installation; each fault is found, by its own check and no
// other, with the command that fixes it.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { needs, program } from '../requires';
import { groupId, userIds } from '../rig/accounts';
import { makeLookOlder } from '../rig/postfix-files';
import { makeFolder, newFile } from '../rig/scratch';
import { waitFor } from '../rig/wait-for';
import { assertFaults, commandsIn, faultsIn } from './doctor-output';
import { INSIDE, pathWith, useSite } from './site';

const OWN = ['smtpd_recipient_restrictions = permit_sasl_authenticated, reject', 'syslog_name = postfix/own'];

/** What install writes in front of a list. */
const CHECK = /check_policy_service (\{(?:[^{}]|\{[^{}]*\})*\}|[^\s,]+)/;

describe('doctor', needs('root', 'postfix', 'dovecot', 'openssl', 'sqlite3'), () => {
  const site = useSite({ plain: 'plain', own: 'plain' }, () => ({ listeners: { own: OWN } }));
  let good: { main: string; master: string };
  let group: { name: string; id: number };

  before(() => {
    const installed = site.onPostfix('install', '--yes');
    assert.equal(installed.status, 0, installed.stderr);
    good = { main: site.read('main.cf'), master: site.read('master.cf') };
    const [, named] = /user=nobody:(\S+)/.exec(good.master) ?? [];
    const { gid } = userIds('nobody');
    group = named === undefined ? { name: groupName(gid), id: gid } : { name: named, id: groupId(named) };
    copyFileSync(site.db, `${site.db}.good`);
    restoreDatabase();
  });
  afterEach(() => {
    write('main.cf', good.main);
    write('master.cf', good.master);
    restoreDatabase();
  });

  function restoreDatabase(): void {
    rmSync(site.db, { force: true });
    copyFileSync(`${site.db}.good`, site.db);
    for (const [file, mode] of [
      [site.db, 0o640],
      [dirname(site.db), 0o750],
    ] as const) {
      chownSync(file, 0, group.id);
      chmodSync(file, mode);
    }
  }

  function write(name: 'main.cf' | 'master.cf', text: string): void {
    writeFileSync(site.file(name), text, 'latin1');
    makeLookOlder(site.file(name));
  }

  function edit(name: 'main.cf' | 'master.cf', ...changes: readonly [from: string | RegExp, to: string][]): void {
    const text = changes.reduce((now, [from, to]) => now.replace(from, to), site.read(name));
    assert.notEqual(text, site.read(name));
    write(name, text);
  }

  /** Runs doctor, and compares what is not ok. `names`: more names for texts. */
  function expectFaults(expected: string, names: Readonly<Record<string, string>> = {}) {
    const ran = site.onPostfix('doctor');
    const found = faultsIn(ran, {
      [site.postfix.configDir]: 'DIR',
      [site.postfix.queueDir]: 'SPOOL',
      [site.db]: 'DB',
      [dirname(site.db)]: 'FOLDER',
      [site.program.script]: 'SCRIPT',
      [site.program.node]: 'NODE',
      [`${site.postfix.ports.plain}/inet`]: 'PLAIN',
      [`${site.postfix.ports.own}/inet`]: 'OWN',
      [`for ${site.postfix.ports.plain}:`]: 'for PLAIN:',
      [`-M '${site.postfix.ports.own}/inet=${site.postfix.ports.own} `]: "-M 'OWN=PORT ",
      [join(site.postfix.configDir, '..', 'log', 'mail.log')]: 'LOG',
      [`${group.id} (${group.name})`]: 'GROUP',
      [`${group.name} `]: 'GROUP ',
      [`group ${group.id}`]: 'group GROUP',
      ...names,
    });
    assertFaults(found, expected);
    assert.equal(ran.stderr, '');
    assert.equal(ran.status, found.startsWith('fail') || found.includes('\nfail') ? 1 : 0);
    return ran;
  }

  const sql = (text: string) => execFileSync('sqlite3', [site.db, text]);

  /** The check of each list with this target. */
  function ask(target: string): void {
    for (const name of ['main.cf', 'master.cf'] as const) edit(name, [CHECK, `check_policy_service ${target}`]);
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

  /** Runs a command of a fix as root's shell does. */
  function paste(command = 'false'): void {
    const { status, stderr } = site.shell(command);
    assert.equal(status, 0, stderr);
  }
  const entry = () => /^allow-nets .*\n( .*\n)*/m.exec(good.master)?.[0] ?? '';

  /** `then`: the first command fixes it. */
  const FAULTS: readonly [name: string, fault: () => void, expected: string, then?: 'paste'][] = [
    ['the entry, the time limit, and lists that do not ask', () => {
      edit('main.cf', ['allow-nets_time_limit = 3600\n', ''], ['= check', '= permit_sasl_authenticated, check']);
      edit('master.cf', [/allow-nets unix .* spawn/, 'allow-nets unix - - y - 1 spawn']);
      edit('master.cf', [/(restrictions ?= ?)check_policy_service (\{(?:[^{}]|\{[^{}]*\})*\}|\S+), /, '$1']);
    }, `
fail service allow-nets: private, unpriv, chroot, wakeup and maxproc are "- - y - 1" and must be "- n n - 0"
  $ allow-nets install -c DIR
warn time limit: allow-nets_time_limit is 1000s: Postfix kills the program after that time, in the middle of a session
  as for "service allow-nets" above
fail asked by PLAIN: never reached: permit_sasl_authenticated stands before it in smtpd_recipient_restrictions
  as for "service allow-nets" above
fail asked by OWN: not asked: -o smtpd_recipient_restrictions=permit_sasl_authenticated, reject in master.cf replaces the list of main.cf
  as for "service allow-nets" above
`, 'paste'],
    ['a table that may permit, ahead of the check', () => edit('main.cf', ['= check', '= check_client_access cidr:/x, check']), `
warn asked by PLAIN: not reached by clients that are permitted before: check_client_access cidr:/x stands before it in smtpd_recipient_restrictions
  put the check before check_client_access cidr:/x, unless that is meant; then: $ postfix -c DIR reload
`],
    ['a list that is too long to judge', () => {
      const classes = Array.from({ length: 40 }, (_, i) => `c${i} = c${i + 1} c${i + 1}\n`).join('');
      const names = Array.from({ length: 41 }, (_, i) => `c${i}`).join(' ');
      edit('main.cf', ['= check', '= c0, check'], [/$/, `${classes}c40 =\nsmtpd_restriction_classes = ${names}\n`]);
    }, `
warn asked by PLAIN: not reached by clients that are permitted before: a part that is too long to judge stands before it in smtpd_recipient_restrictions
  $ allow-nets install -c DIR
`, 'paste'],
    ['one-shot without request_limit, trial, and a list that skips some', () => {
      edit('main.cf', ['= check', '= warn_if_reject check']);
      edit('master.cf', [' --persistent', ''], ['check_policy_service', 'permit_mynetworks, check_policy_service']);
    }, `
warn asked by OWN: not reached by clients that are permitted before: permit_mynetworks stands before it in smtpd_recipient_restrictions of master.cf
  $ allow-nets install -c DIR --one-shot --trial
fail mode: one process for each request, but without request_limit=1: Postfix waits a second before each further recipient
  as for "asked by OWN" above
warn trial: trial for PLAIN: who would be refused is logged as reject_warning, and no user is refused
  see who would be refused: $ allow-nets replay --db DB LOG
  then end the trial: $ allow-nets install -c DIR --one-shot
`],
    ['no service with AUTH', () => edit('main.cf', [/smtpd_sasl_auth_enable = yes/, 'smtpd_sasl_auth_enable = no']), `
warn asked: no smtpd service offers AUTH, so there is no user to ask about
  set smtpd_sasl_auth_enable=yes, as a rule with -o in the submission service; then: $ postfix -c DIR reload
`],
    ['options that the program does not know, run as root', () => edit('master.cf', [/user=nobody(:\S+)?/, 'user=root'], [' --persistent', ' --presistent --persistent']), `
fail service allow-nets: Postfix runs no service as root
  take nobody, or an account made for this, with --user: $ allow-nets install -c DIR --user nobody
fail service allow-nets: unknown option --presistent
  correct argv= of allow-nets in master.cf; then: $ postfix -c DIR reload
`],
    ['a command in argv=', () => edit('master.cf', [' --persistent', ' list --persistent']), `
fail service allow-nets: list is a command and does not belong in argv=
  correct argv= of allow-nets in master.cf; then: $ postfix -c DIR reload
fail program, see "service allow-nets"
`],
    ['an account that does not exist', () => edit('master.cf', [/user=nobody(:\S+)?/, 'user=no-such-user']), `
fail service allow-nets: there is no user no-such-user
  make it: $ useradd --system --no-create-home no-such-user
  or let another account run the program: $ allow-nets install -c DIR --user nobody
`],
    ['no account', () => edit('master.cf', [/user=nobody(:\S+)?/, '']), `
fail service allow-nets: there is no user=
  $ allow-nets install -c DIR --user nobody
`],
    ['default_action in main.cf lets mail pass', () => {
      ask('unix:private/allow-nets');
      edit('main.cf', [/$/, 'smtpd_policy_service_default_action = DUNNO\n']);
    }, `
fail trouble: while the program does not answer, default_action is "DUNNO": users may send from everywhere
  $ allow-nets install -c DIR
`, 'paste'],
    ['a value with a blank, at which smtpd ends', () =>
      edit('master.cf', [/-o \{? ?smtpd_recipient_restrictions ?= ?.*reject\s*\}?/, '-o smtpd_recipient_restrictions=permit_mynetworks, reject']), `
fail smtpd options: OWN does not start: "reject" is not an option of smtpd
  write a value with a blank in braces: $ postconf -c DIR -M 'OWN=PORT inet n - n - - smtpd -o {smtpd_recipient_restrictions=permit_mynetworks, reject} -o {syslog_name = postfix/own}' && postfix -c DIR reload
fail asked by OWN: not asked: -o smtpd_recipient_restrictions=permit_mynetworks, in master.cf replaces the list of main.cf
  $ allow-nets install -c DIR
`, 'paste'],
    ['refusals that are temporary', () => {
      edit('main.cf', [/$/, 'soft_bounce = yes\n']);
      withOption('access_map_reject_code=450');
    }, `
warn refusals: soft_bounce = yes: a refusal is temporary, and the client tries again for days
  $ postconf -c DIR -X soft_bounce && postfix -c DIR reload
warn refusals: -o access_map_reject_code=450 of OWN: a refusal is temporary, and the client tries again for days
  $ postconf -c DIR -PX OWN/access_map_reject_code && postfix -c DIR reload
`],
    ['two entries of our name', () => write('master.cf', `${entry().replace(/user=nobody\S*/, 'user=root')}${good.master}`), `
warn same name: master.cf has 2 entries allow-nets/unix; Postfix uses the last
  $ allow-nets install -c DIR
`, 'paste'],
    ['two entries of our name, the last of which runs something else', () => write('master.cf', `${good.master}${entry().replace(/argv=.*/s, 'argv=/bin/true\n')}`), `
fail service: master.cf has several entries allow-nets/unix; Postfix uses the last, which does not run this program
  delete the entry that is not wanted from master.cf; then: $ postfix -c DIR reload
`],
    ['a service that is gone', () => write('master.cf', good.master.replace(entry(), '')), `
fail service: no service in master.cf runs this program, but lists ask unix:private/allow-nets: mail is deferred
  $ allow-nets install -c DIR
`],
    ['a service that is not loaded', () => edit('master.cf', [/^allow-nets /m, 'other ']), `
warn time limit: other_time_limit is 1000s: Postfix kills the program after that time, in the middle of a session
  $ allow-nets install -c DIR --service other
fail asked by PLAIN: not asked: smtpd_recipient_restrictions does not have it
  as for "time limit" above
fail asked by OWN: not asked: -o smtpd_recipient_restrictions=check_policy_service { unix:private/allow-nets, { default_action = 451 4.3.5 Policy service not available; see the mail log } }, permit_sasl_authenticated, reject in master.cf replaces the list of main.cf
  as for "time limit" above
fail answer: no answer at SPOOL/private/other (connect ENOENT SPOOL/private/other)
  the mail log says why
  then let Postfix load the service anew: $ postfix -c DIR reload
`],
    ['a database that everybody can read', () => chmodSync(site.db, 0o644), `
warn permissions: DB has mode 644 and group GROUP, and should have 640 and GROUP: whoever can read it can hold up a change
  $ chgrp GROUP DB && chmod 640 DB
`, 'paste'],
    ['a folder that everybody can read', () => chmodSync(dirname(site.db), 0o755), `
warn permissions: FOLDER has mode 755 and group GROUP, and should have 750 and GROUP: whoever can read it can hold up a change
  $ chgrp GROUP FOLDER && chmod 750 FOLDER
`, 'paste'],
    ['a database that everybody can write', () => chmodSync(site.db, 0o666), `
fail permissions: everybody may write DB, and so let anybody send
  $ chmod o-w DB
`],
    ['a database of the service account', () => chownSync(site.db, userIds('nobody').uid, group.id), `
warn permissions: DB belongs to nobody, who runs the program and needs no write permission: whoever can read it can hold up a change
  $ chown root:GROUP DB && chmod 640 DB
`, 'paste'],
    ['a database of another group', () => chownSync(site.db, 0, groupId('daemon')), `
fail database: the account nobody cannot read DB
  $ chgrp GROUP DB && chmod 640 DB
fail program, see "database"
fail answer, see "database"
`, 'paste'],
    ['a database that is missing', () => rmSync(site.db), `
fail database: there is no database DB: all mail of users waits
  put the file back from a copy: $ cp COPY DB.new && mv DB.new DB && allow-nets init --db DB
  for a new installation, where every user is refused at first, run as root: $ allow-nets init --db DB
fail program, see "database"
fail answer, see "database"
`],
    ['a database that is a FIFO', () => execFileSync('sh', ['-c', `rm ${site.db} && mkfifo ${site.db}`]), `
fail database: DB is not a regular file
  name the right file with --db, or put a good copy in its place: $ cp COPY DB.new && mv DB.new DB && allow-nets init --db DB
fail answer, see "database"
`],
    ['a database in write-ahead mode', () => sql('pragma journal_mode = wal'), `
fail content: database DB is in write-ahead mode, which the service user cannot read reliably
  set it back by running as root: $ allow-nets tidy --db DB
fail program, see "content"
fail answer, see "content"
`],
    ['a database of a newer version', () => sql('pragma user_version = 99'), `
fail content: database DB has schema version 99, this program knows 1
  install the version of postfix-allow-nets that made it, or a newer one
fail program, see "content"
fail answer, see "content"
`],
    ['a damaged database', () => writeFileSync(site.db, readFileSync(site.db).fill(0xa5, 4096)), `
fail integrity: database DB cannot be used (malformed database schema (dovecot) - incomplete input)
  put a good copy in its place: $ cp COPY DB.new && mv DB.new DB && allow-nets init --db DB
  without a copy, save what can be read: $ sqlite3 DB '.clone "DB.recovered"' && sqlite3 DB.recovered 'pragma user_version = 1'
fail program, see "integrity"
fail answer, see "integrity"
`],
    ['rows that do not do what they seem to', () =>
      sql(`insert into access (user, network) values ('bob', '10.0.0.0/33'), ('carol', '@nowhere'), ('', 'any'),
          ('*@example.com', '10.0.0.0/8'), ('erin', '10.1.2.3/8'), ('example.com', '192.0.2.0/24')`), `
warn rows: 6 grant nothing, or not what they seem to ( any: the user is empty, *@example.com 10.0.0.0/8: no user is called *@example.com, bob 10.0.0.0/33: the network cannot be read, and 3 more)
  the list marks them: $ allow-nets list --db DB
`],
    ['entries that have expired', () =>
      sql(`insert into access (user, network, expires) values ('dave', '10.0.0.0/8', '2020-01-01T00:00:00Z'),
          ('alice', '10.0.0.0/8', '2020-01-01T00:00:00Z')`), `
warn expired: all entries have expired of 1 user: dave
  such users are refused until they get a new entry: $ allow-nets add USER NETWORK --db DB
`],
    ['no entry', () => sql('delete from access'), `
fail entries: none is in force: no user may send mail
  add who may send: $ allow-nets add USER NETWORK --db DB
`],
    ['a set of a webmail, which all users have', () =>
      sql(`insert into network_set (name, network) values ('office', '192.0.2.1'), ('webmail', '198.51.100.1');
          delete from access; insert into access (user, network) values
          ('alice', '127.0.0.7'), ('alice', '@office'), ('@example.com', '@office'), ('alice', '@Webmail'), ('@example.com', '@webmail')`), `
warn webmail: every user may send from the set webmail: if it is a webmail, a stolen password works there from everywhere
  let the webmail, at ADDRESS, name its clients with XCLIENT: $ postconf -c DIR smtpd_authorized_xclient_hosts=ADDRESS && postfix -c DIR reload
  then take the set from each user: $ allow-nets remove USER @webmail --db DB
`],
    ['a Node.js that is gone', () => edit('master.cf', [`argv=${site.program.node}`, 'argv=/opt/gone/node']), `
fail program: there is no /opt/gone/node any more
  $ allow-nets install -c DIR
`, 'paste'],
  ]; // biome-ignore format: a table
  for (const [name, fault, expected, then] of FAULTS) {
    test(name, () => {
      fault();
      const ran = expectFaults(expected);
      if (then === undefined) return;
      for (const command of commandsIn(ran)) paste(command.replace(/^allow-nets install/, '$& --yes'));
      expectFaults('');
    });
  }

  test('a good installation: a line for each check, and nothing is changed except one line in the log', async () => {
    const look = () => [...contents(join(site.postfix.configDir, '..')), ...contents(dirname(site.db))];
    site.onPostfix('doctor');
    // The lines of earlier runs are on their way.
    await sleep(2000);
    const before = look();
    const from = site.postfix.log().length;
    const { status, stdout, stderr } = site.onPostfix('doctor');
    assert.deepEqual([status, stderr], [0, '']);
    const { plain, own } = site.postfix.ports;
    const checks = [
      ...['Postfix', 'service allow-nets', 'time limit', 'database', 'permissions', 'disk', 'integrity', 'entries'],
      ...['rows', 'expired', 'smtpd options', `asked by ${plain}/inet`, `asked by ${own}/inet`, 'mode', 'trial'],
      ...['trouble', 'refusals', 'mail log', 'program', 'running', 'answer'],
    ];
    const lines = stdout.trimEnd().split('\n');
    assert.deepEqual(
      lines.map((line) => line.split(/ {2,}/).slice(0, 2)),
      checks.map((check) => ['ok', check]),
    );
    assert.match(lines.at(-1) ?? '', /spool\/private\/allow-nets answered in \d+ ms$/);
    assert.deepEqual(look(), before);
    await site.postfix.waitForLog(/verdict=reject user=doctor@allow-nets\.invalid /, from);
    assert.equal(site.postfix.log().slice(from).split('postfix/allow-nets').length, 2);
  });

  test('--json, --config-dir, a relative database, and a user who has no permission', () => {
    edit('master.cf', [/--db \S+/, '--db access.db']);
    const cwd = join(site.postfix.configDir, '..');
    const doctor = (...words: string[]) =>
      spawnSync(site.program.node, [site.program.script, 'doctor', '--json', ...words], { cwd, encoding: 'utf8' });
    const db = join(site.postfix.queueDir, 'access.db');
    const missing = JSON.parse(doctor('-c', 'etc').stdout).find((one: { check: string }) => one.check === 'database');
    assert.deepEqual(missing, {
      check: 'database',
      status: 'fail',
      message: `there is no database ${db}: all mail of users waits`,
      advice: 'put the file back from a copy',
      remedy: `cp COPY ${db}.new && mv ${db}.new ${db} && allow-nets init --db ${db}`,
      more: [
        {
          advice: 'for a new installation, where every user is refused at first, run as root',
          remedy: `allow-nets init --db ${db}`,
        },
      ],
    });
    write('master.cf', good.master);
    const words = [site.program.script, 'doctor', '-c', site.postfix.configDir];
    const ran = spawnSync(site.program.node, words, { uid: 65_533, gid: 65_533, encoding: 'utf8' });
    assertFaults(
      faultsIn(ran, { [site.postfix.configDir]: 'DIR', [site.db]: 'DB' }),
      `
warn root: only root can try what the service user does
  $ sudo allow-nets doctor -c DIR
warn database: only root can look at DB
  as for "root" above
`,
    );
    assert.equal(ran.status, 0);
    const none = site.run(['doctor', '-c', '/nonexistent']);
    assertFaults(faultsIn(none, {}), '\nfail Postfix: postconf failed ...\n  is -c the folder of main.cf?\n');
    assert.equal(none.status, 1);
  });

  test('files that only a group may read: the group in user= counts, Postfix ignores other groups', () => {
    edit('master.cf', [/user=nobody(:\S+)?/, 'user=nobody:daemon']);
    for (const file of [site.db, dirname(site.db)]) chownSync(file, 0, groupId('daemon'));
    // The running program still has the other group.
    assert.match(
      site.onPostfix('doctor').stdout,
      /^ok {4}database(.*\n)*ok {4}program(.*\n)*fail {2}answer .*without an answer/m,
    );
  });

  test('a log that the service user cannot reach: doctor names the group that can', (context) => {
    if ((statSync(program('postlog')).mode & 0o2000) !== 0) return context.skip('postlog is set-gid');
    const folder = join(site.postfix.queueDir, 'public');
    const { mode } = statSync(folder);
    chmodSync(folder, 0o2710);
    const { stdout } = site.onPostfix('doctor');
    chmodSync(folder, mode & 0o7777);
    assert.match(
      stdout,
      /^(warn|fail) +mail log +\S+postlog is not set-gid postdrop, so the account nobody does not reach .*\n.*\n {8}allow-nets install -c \S+ --user nobody:postdrop$/m,
    );
  });

  test('a set-gid postlog before Postfix 3.7, where it gives its group to everybody', () => {
    const postlog = join(makeFolder('set-gid'), 'postlog');
    copyFileSync(program('postlog'), postlog);
    chmodSync(postlog, 0o2755);
    const doctor = (version: string) => {
      edit('main.cf', [/$/, `mail_version = ${version}\n`]);
      const env = { PATH: `${dirname(postlog)}:${process.env['PATH']}` };
      const { stdout } = site.run(['doctor', '-c', site.postfix.configDir], env);
      write('main.cf', good.main);
      return stdout;
    };
    const found = doctor('3.6.4');
    assert.match(found, /mail log +\S+\/postlog is set-gid, which it must not be before Postfix 3\.7/);
    assert.ok(found.includes(`\n        chmod g-s ${postlog}\n`));
    assert.ok(!doctor('3.7.11').includes('chmod g-s'));
  });

  test('a package that only root can read, and one with a closed dependency', () => {
    const file = standIn(`require(${JSON.stringify(site.program.script)})`);
    const names = { [dirname(dirname(file))]: 'PACKAGE' };
    chmodSync(file, 0o600);
    const open = '\n  $ chmod -R a+rX PACKAGE\n';
    const ran = expectFaults(`fail program: the account nobody cannot read PACKAGE/bin/allow-nets.js${open}`, names);
    paste(commandsIn(ran)[0]);
    expectFaults('');
    writeFileSync(file, 'require("dependency")');
    const dependency = join(dirname(file), '../node_modules/dependency');
    mkdirSync(dependency, { recursive: true });
    writeFileSync(join(dependency, 'index.js'), '', { mode: 0o600 });
    expectFaults(`fail program: not everybody can read PACKAGE/node_modules/dependency/index.js${open}`, names);
  });

  test('a fault of the program is not reported as a consequence of an unrelated one', () => {
    chmodSync(dirname(site.db), 0o757);
    standIn(
      'console.error("allow-nets: error: what is wrong\\nallow-nets: hint: do this:\\n  ls /\\nallow-nets: hint: and that"); process.exit(1)',
    );
    expectFaults(`
fail permissions: everybody may write FOLDER, and so let anybody send
  $ chmod o-w FOLDER
fail program: the policy program does not answer when the account nobody runs it: what is wrong
  do this: $ ls /
  and that
`);
  });

  test('a program that doctor runs as the service user has its own session, and only its own pipes are open', () => {
    const seen = newFile('');
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
    assert.deepEqual([ownSession, descriptors.includes(site.db)], [true, false]);
  });

  test('a ps that cannot print the age of programs (busybox)', () => {
    const PATH = pathWith('ps', 'echo "ps: bad -o argument etimes" >&2; exit 1');
    const ran = site.run(['doctor', '-c', site.postfix.configDir], { PATH });
    assertFaults(
      faultsIn(ran, { [site.postfix.configDir]: 'DIR' }),
      `
warn running: ps does not print the age of programs (etimes), so theirs is unknown
  install procps, or after each upgrade load the installed version: $ postfix -c DIR reload
`,
    );
    assert.equal(ran.status, 0);
  });

  const noSyslog = { skip: existsSync('/dev/log') && 'there is a syslog daemon' };
  test('no syslog daemon: Postfix logs to a file after a stop and a start', noSyslog, () => {
    edit('main.cf', [/^maillog_file = .*\n/m, '']);
    const postconf = 'postconf -c DIR maillog_file=/var/log/postfix.log';
    expectFaults(`
fail mail log: no syslog daemon listens at /dev/log: warnings and refusals are lost
  start a syslog daemon, or let Postfix write the log itself: $ postfix -c DIR stop && ${postconf} && postfix -c DIR start
`);
  });

  test('a server that allows everybody, one that dies under Postfix, one that was started before an upgrade', async () => {
    const file = standIn(
      `const fs = require('node:fs'); const b = Buffer.alloc(9000);
       while (fs.readSync(0, b) > 0) fs.writeSync(1, 'action=dunno\\n\\n');`,
    );
    await site.postfix.reload();
    const reload = '\n  $ postfix -c DIR reload\n';
    expectFaults(
      `fail answer: doctor@allow-nets.invalid from 192.0.2.1 is allowed at SPOOL/private/allow-nets, but refused by DB${reload}`,
    );
    site.run(['add', '*', 'any']);
    expectFaults(
      `fail answer: alice from 192.0.2.1 is allowed at SPOOL/private/allow-nets, but refused by DB${reload}`,
    );
    restoreDatabase();
    writeFileSync(
      file,
      `const fs = require('node:fs');
       if (!fs.fstatSync(2).isSocket()) { fs.writeSync(1, 'action=dunno\\n\\n'); process.exit(); }
       fs.writeSync(1, '\\n\\n#\\n# Fatal error in , line 0\\n# Check failed: 12 == (*__errno_location ()).\\n'); process.abort();`,
    );
    // The programs that began before the file was written have no part in this.
    await site.postfix.reload();
    expectFaults(`
fail answer: no answer at SPOOL/private/allow-nets (not an answer of this program: "#...)
  ...MemoryDenyWriteExecute= or LimitAS=...--jitless --no-expose-wasm
  then let Postfix load the service anew: $ postfix -c DIR reload
`);
    writeFileSync(file, `require(${JSON.stringify(site.program.script)})`);
    await site.postfix.reload();
    await site.send('plain', INSIDE);
    expectFaults('');
    await sleep(2500);
    chmodSync(file, 0o755);
    const old = expectFaults(
      `warn running: ... of ... running programs were started before ${file} was installed${reload}`,
    );
    paste(commandsIn(old)[0]);
    await waitFor('the old programs to end', () => faultsIn(site.onPostfix('doctor'), {}) === '');
    write('master.cf', good.master);
    await site.postfix.reload();
  });
});

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

function groupName(id: number): string {
  return new RegExp(`^([^:]*):[^:]*:${id}:`, 'm').exec(readFileSync('/etc/group', 'utf8'))?.[1] ?? '';
}
