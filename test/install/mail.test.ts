// install and uninstall on a real Postfix. The proof is mail: on every service a client that has authenticated passes from inside and is
// refused from outside, and afterwards everything is as it was.
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { needs } from '../requires';
import { userIds } from '../rig/accounts';
import { stockMasterCf } from '../rig/master-cf';
import { pathWith } from './postfix-stub';
import { INSIDE, OUTSIDE, Site } from './site';

const STOCK = { smtp: 'plain', submission: 'starttls', submissions: 'tls' } as const;
const noListeners = { smtp: [], submission: [], submissions: [] };

type Configuration = Awaited<ReturnType<Site<string>['configuration']>>;

describe('Debian’s master.cf with submission as shipped', needs('root', 'postfix', 'dovecot', 'openssl'), () => {
  let site: Site<keyof typeof STOCK>;
  let original: Configuration;

  before(async () => {
    site = await Site.open(STOCK, {
      listeners: noListeners,
      masterCf: (ports) => stockMasterCf(ports, 'shipped'),
    });
    original = await site.configuration();
  });
  after(() => site?.close());

  test('--dry-run prints everything and changes nothing', async () => {
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
    assert.deepEqual(await site.configuration(), original);
    assert.deepEqual(site.copies(), []);
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
    assert.deepEqual(await site.configuration(), original);
    assert.equal(site.run(['add', 'alice', INSIDE]).status, 0);
  });

  test('without a terminal and without --yes nothing is changed', async () => {
    const { status, stderr } = site.onPostfix('install');
    assert.match(
      stderr,
      /error: nothing was changed: standard input is not a terminal\nallow-nets: hint: make these changes without a question:\n {2}allow-nets install -c \S+ --yes\n/,
    );
    assert.equal(status, 1);
    assert.deepEqual(await site.configuration(), original);
  });

  test('when postfix check fails, both files are put back as they were', async () => {
    const { status, stderr } = site.run(['install', '-c', site.postfix.configDir, '--yes'], {
      PATH: pathWith({ check: 'echo no luck >&2; exit 7' }),
    });
    assert.match(
      stderr,
      /allow-nets: error: postfix check failed \(status 7: no luck\); main.cf and master.cf were put back as they were\n$/,
    );
    assert.equal(status, 1);
    assert.deepEqual(await site.configuration(), original);
    assert.deepEqual(await site.replies(), site.expected(false));
  });

  test('when the program cannot run as the service user, nothing is changed', async () => {
    const closed = join(site.folder, 'closed');
    mkdirSync(closed, { mode: 0o700 });
    const { status, stderr } = site.onPostfix('install', '--yes', '--force', '--db', join(closed, 'access.db'));
    assert.match(stderr, /error: the account nobody cannot read \S+ because of \S+closed\n/);
    assert.equal(status, 1);
    assert.deepEqual(await site.configuration(), original);
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
    // The copies of the attempt that failed are gone.
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
      const { code, text } = await site.send('submission', from);
      assert.match(`${code} ${text}`, /^451 4\.3\.5 .*see the mail log$/);
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
    const { status, stdout, stderr } = site.onPostfix('uninstall', '--yes');
    assert.equal(stderr, '');
    assert.match(
      stdout,
      /\nuninstalled: nothing asks allow-nets any more; the database stays\ncopies of the files .*:\n(\/\S*\/(main|master)\.cf\.\S+\n)+$/,
    );
    assert.ok(site.copies().every((name) => stdout.includes(name)));
    assert.equal(status, 0);
    assert.deepEqual(await site.configuration(), original);
    assert.deepEqual(await site.replies(), site.expected(false));
    assert.ok(existsSync(site.db));
    const again = site.onPostfix('uninstall', '--yes');
    assert.equal(again.stdout, `there is nothing of allow-nets in ${site.postfix.configDir}\n`);
    assert.equal(again.status, 0);
  });
});

describe('Debian’s master.cf in the $mua_ style', needs('root', 'postfix', 'dovecot', 'openssl'), () => {
  let site: Site<keyof typeof STOCK>;
  let original: Configuration;

  before(async () => {
    site = await Site.open(STOCK, {
      listeners: noListeners,
      masterCf: (ports) => stockMasterCf(ports, 'mua'),
      parameters: {
        // A long one over several lines.
        mua_recipient_restrictions: '\n    # whoever has logged in\n    permit_sasl_authenticated,\n    reject',
        smtpd_recipient_restrictions:
          'reject_non_fqdn_recipient\n    # our own\n    permit_mynetworks,\n    permit_sasl_authenticated\n\n    reject_unauth_destination',
      },
    });
    original = await site.configuration();
    site.run(['init']);
    site.run(['add', 'alice', INSIDE]);
  });
  after(() => site?.close());

  test('in a trial nobody is refused, and the log says who would be', async () => {
    const { status, stdout } = site.onPostfix('install', '--yes', '--trial', '--user', 'daemon');
    assert.match(stdout, /\ninstalled: service allow-nets as daemon, persistent, trial: no user is refused/);
    assert.equal(status, 0);
    assert.deepEqual(await site.replies(), site.expected(false));
    for (const port of Object.values(site.postfix.ports)) assert.ok(port > 0);
    const warnings = site.postfix.log().match(/reject_warning: RCPT from .*alice may not send/g) ?? [];
    assert.equal(warnings.length, 3);
  });

  test('install again ends the trial, as the same user', async () => {
    const { status, stdout } = site.onPostfix('install', '--yes');
    assert.match(stdout, /\ninstalled: service allow-nets as daemon, persistent, enforcing/);
    assert.equal(status, 0);
    assert.deepEqual(await site.replies(), site.expected(true));
  });

  test('--one-shot changes the mode, without a wait for further recipients', async () => {
    const { status } = site.onPostfix('install', '--yes', '--one-shot');
    assert.equal(status, 0);
    assert.deepEqual(await site.replies(), site.expected(true));
    const begin = performance.now();
    assert.equal((await site.send('submission', INSIDE, 8)).code, 250);
    const last = performance.now() - begin;
    const doctor = site.onPostfix('doctor', '--json');
    const mode = JSON.parse(doctor.stdout).find(({ check }: { check: string }) => check === 'mode');
    assert.deepEqual(mode, {
      check: 'mode',
      status: 'ok',
      message: 'one process for each request',
      advice: null,
      remedy: null,
    });
    // Seven further recipients would have waited a second each.
    assert.ok(last < 7000, `${last} ms`);
  });

  test('and without it the mode is persistent again', async () => {
    const { status, stdout } = site.onPostfix('install', '--yes');
    assert.match(stdout, /\ninstalled: service allow-nets as daemon, persistent, enforcing/);
    assert.equal(status, 0);
    assert.doesNotMatch(site.read('main.cf'), /request_limit/);
    assert.deepEqual(await site.replies(), site.expected(true));
  });

  test('uninstall puts everything back', async () => {
    assert.equal(site.onPostfix('uninstall', '--yes').status, 0);
    assert.deepEqual(await site.configuration(), original);
    assert.deepEqual(await site.replies(), site.expected(false));
  });
});
