// install and uninstall on a real Postfix. The proof is mail: on every service a client that has authenticated passes from inside and is
// refused from outside, and afterwards everything is as it was.
import assert from 'node:assert/strict';
import { chmodSync, existsSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { needs } from '../requires';
import { userIds } from '../rig/accounts';
import { stockMasterCf } from '../rig/master-cf';
import { makeFolder } from '../rig/scratch';
import { INSIDE, OUTSIDE, useSite } from './site';

const STOCK = { smtp: 'plain', submission: 'starttls', submissions: 'tls' } as const;

describe('Debian’s master.cf with submission as shipped', needs('root', 'postfix', 'dovecot', 'openssl'), () => {
  const site = useSite(STOCK, () => ({ masterCf: (ports) => stockMasterCf(ports, 'shipped') }));

  test('--dry-run prints everything and changes nothing', async () => {
    rmSync(site.db);
    const { status, stdout, stderr } = site.onPostfix('install', '--dry-run');
    assert.match(
      stderr,
      /allow-nets: hint: there is no database .*, which needs:\n {2}allow-nets install -c \S+ --force\n$/,
    );
    assert.match(stdout, /^ {2}\+ allow-nets unix {2}- {7}n {7}n {7}- {7}0 {7}spawn user=nobody\n {2}\+ {5}argv=/m);
    assert.match(
      stdout,
      /^ {2}\+ smtpd_recipient_restrictions = check_policy_service \{ unix:private\/allow-nets, \{ default_action = 451 4\.3\.5 .* \} \}$/m,
    );
    assert.match(stdout, /^entries: 0 users; everybody else who logs in is refused$/m);
    assert.match(stderr, /hint: to see first who would be refused:\n {2}allow-nets install -c \S+ --trial\n/);
    assert.match(stdout, /^ {2}- {3}-o smtpd_recipient_restrictions=permit_sasl_authenticated,reject$/m);
    assert.equal(status, 0);
    await site.assertUntouched();
    assert.equal(existsSync(site.db), false);
  });

  test('a database that lets nobody send is not enforced without --force', async () => {
    const missing = site.onPostfix('install', '--yes');
    assert.match(missing.stderr, /error: there is no database .*: every user would be refused\n/);
    assert.match(
      missing.stderr,
      /hint: first add who may send:\n {2}allow-nets init --db \S+ && allow-nets add USER NETWORK --db \S+\n.*\n.* learn .*\n.*\n.* --trial\n.*\n.* --force\n$/,
    );
    assert.equal(missing.status, 1);
    assert.equal(site.run(['init']).status, 0);
    const empty = site.onPostfix('install', '--yes');
    assert.match(empty.stderr, /lets no user send mail: every user would be refused\n/);
    assert.equal(empty.status, 1);
    await site.assertUntouched();
    assert.equal(site.run(['add', 'alice', INSIDE]).status, 0);
  });

  test('without a terminal and without --yes nothing is changed', async () => {
    const { status, stderr } = site.onPostfix('install');
    assert.match(
      stderr,
      /error: nothing was changed: standard input is not a terminal\nallow-nets: hint: make these changes without a question:\n {2}allow-nets install -c \S+ --yes\n/,
    );
    assert.equal(status, 1);
    await site.assertUntouched();
  });

  test('when the program cannot run as the service user, nothing is changed', async () => {
    const closed = makeFolder('closed');
    chmodSync(closed, 0o700);
    const { status, stderr } = site.onPostfix('install', '--yes', '--force', '--db', join(closed, 'access.db'));
    assert.match(stderr, /error: the account nobody cannot read \S+ because of \S+closed-\d+\n/);
    assert.equal(status, 1);
    await site.assertUntouched();
    for (const [user, complaint] of [
      ['no-such-user', 'there is no user no-such-user'],
      ['root', 'Postfix runs no service as root'],
      ['postfix', 'Postfix runs no service as postfix'],
    ] as const) {
      const refused = site.onPostfix('install', '--yes', '--user', user);
      assert.match(refused.stderr, new RegExp(`^allow-nets: error: ${complaint}\n`));
      assert.equal(refused.status, 1);
    }
  });

  test('installed, every service refuses from outside; the program runs as nobody', async () => {
    const { status, stdout, stderr } = site.onPostfix('install', '--yes');
    const trial = `allow-nets install -c ${site.postfix.configDir} --yes --trial`;
    assert.equal(stderr, `allow-nets: hint: to see first who would be refused:\n  ${trial}\n`);
    assert.match(
      stdout,
      /\ncopies of the files before: .*\ninstalled: service allow-nets as nobody, persistent, enforcing, database .*\n$/,
    );
    assert.equal(status, 0);
    assert.deepEqual(await site.replies(), site.expected(true));
    assert.equal(site.copies().filter((name) => name.startsWith('main.cf')).length, 1);
    assert.ok(site.copies().every((name) => stdout.includes(name)));
  });

  test('the database is for root and the group of the account', () => {
    const { gid } = userIds('nobody');
    for (const [file, mode] of [
      [dirname(site.db), 0o750],
      [site.db, 0o640],
    ] as const) {
      const stat = statSync(file);
      assert.deepEqual([stat.mode & 0o777, stat.uid, stat.gid], [mode, 0, gid], file);
      chmodSync(file, 0o755);
    }
    const { status, stdout } = site.onPostfix('install', '--yes');
    assert.match(stdout, /^chmod 750 \S+$\n.*\n^chmod 640 \S+$/m);
    assert.equal(status, 0);
    assert.equal(statSync(site.db).mode & 0o777, 0o640);
  });

  test('trouble is never a pass, whatever main.cf says', async () => {
    await site.postfix.command('postconf', 'smtpd_policy_service_default_action=DUNNO');
    await site.postfix.reload();
    renameSync(site.db, `${site.db}.gone`);
    for (const from of [INSIDE, OUTSIDE]) {
      assert.match(await site.send('submission', from), /^451 4\.3\.5 .*see the mail log$/);
    }
    renameSync(`${site.db}.gone`, site.db);
    await site.postfix.command('postconf', '-X', 'smtpd_policy_service_default_action');
    await site.postfix.reload();
  });

  test('a second install prints that it is installed and changes nothing', async () => {
    const installed = await site.configuration();
    const { status, stdout } = site.onPostfix('install', '--yes');
    assert.match(stdout, /^already installed: service allow-nets as nobody, persistent, enforcing, database .*\n$/);
    assert.equal(status, 0);
    assert.deepEqual(await site.configuration(), installed);
  });

  test('uninstall puts everything back, and mail passes from outside', async () => {
    // As a killed install leaves it: not a copy of anything.
    const half = site.file('main.cf.allow-nets-20261201-000000.allow-nets-new');
    writeFileSync(half, '');
    const { status, stdout, stderr } = site.onPostfix('uninstall', '--yes');
    rmSync(half);
    assert.equal(stderr, '');
    assert.ok(!stdout.includes(half));
    assert.match(
      stdout,
      /\nuninstalled: nothing asks allow-nets any more; the database stays\ncopies of the files .*:\n(\/\S*\/(main|master)\.cf\.\S+\n)+$/,
    );
    assert.ok(site.copies().every((name) => stdout.includes(name)));
    assert.equal(status, 0);
    assert.deepEqual(await site.configuration(), site.original);
    assert.deepEqual(await site.replies(), site.expected(false));
    assert.ok(existsSync(site.db));
    const again = site.onPostfix('uninstall', '--yes');
    assert.equal(again.stdout, `there is nothing of allow-nets in ${site.postfix.configDir}\n`);
    assert.equal(again.status, 0);
  });
});
