// install and uninstall when something fails on the way: nothing of it may stay. main.cf and master.cf are links, as some configuration
// management has them, and hold a byte that is not UTF-8.
import assert from 'node:assert/strict';
import { appendFileSync, chmodSync, chownSync, lstatSync, mkdirSync, renameSync, statSync, symlinkSync } from 'node:fs';
import { before, describe, test } from 'node:test';
import type { asJson } from '../../src/doctor/finding';
import { needs, program } from '../requires';
import { userIds } from '../rig/accounts';
import { useSite } from './site';

describe('install when something prevents it', needs('root', 'postfix', 'dovecot', 'openssl', 'script'), () => {
  const site = useSite({ smtp: 'plain' });

  before(async () => {
    mkdirSync(site.file('managed'));
    for (const name of ['main.cf', 'master.cf']) {
      const managed = site.file(`managed/${name}`);
      renameSync(site.file(name), managed);
      appendFileSync(managed, Buffer.from('# \xe9\n', 'latin1'));
      chmodSync(managed, 0o640);
      chownSync(managed, 0, userIds('postfix').gid);
      symlinkSync(managed, site.file(name));
    }
    site.original = await site.configuration();
  });

  function assertLinks(): void {
    for (const name of ['main.cf', 'master.cf']) {
      assert.ok(lstatSync(site.file(name)).isSymbolicLink());
      const { mode, gid } = statSync(site.file(name));
      assert.deepEqual([mode & 0o777, gid], [0o640, userIds('postfix').gid]);
    }
  }

  const back = 'main\\.cf and master\\.cf were put back as they were';
  for (const [what, stub, error] of [
    [
      'postfix check fails',
      { check: 'echo no luck >&2; exit 7' },
      `postfix check failed \\(status 7: no luck\\); ${back}\nallow-nets: hint: the mail log says why`,
    ],
    [
      'postfix reload fails',
      { reload: 'echo no reload >&2; exit 3' },
      `postfix reload failed \\(status 3: no reload\\); ${back}, but Postfix did not load them\nallow-nets: hint: let it load the old files:\n  postfix -c \\S+ reload`,
    ],
    [
      'the new service does not answer',
      { reload: 'exit 0' },
      `the new service does not answer at \\S+ \\(connect E.*\\); ${back}\nallow-nets: hint: the mail log says why`,
    ],
  ] as const) {
    test(`${what}: both files are put back`, async () => {
      const { status, stderr } = site.installWith(stub);
      assert.match(stderr, new RegExp(`\nallow-nets: error: ${error}\n$`));
      assert.equal(status, 1);
      await site.assertUntouched();
      assertLinks();
    });
  }

  test('a Postfix that ends while it is changed is started again with the old files', async () => {
    const stop = `${program('postfix')} -c ${site.postfix.configDir} stop 2>/dev/null; exit 0`;
    const { status, stderr } = site.installWith({ reload: stop });
    assert.match(stderr, /put back as they were, and Postfix, which had ended, was started again\n/);
    assert.equal(status, 1);
    await site.assertUntouched();
    assert.deepEqual(await site.replies(), site.expected(false));
  });

  test('the database gets its group and mode back, too', () => {
    const { gid, mode } = statSync(site.db);
    const { status, stdout } = site.installWith({ reload: 'exit 3' }, '--user', 'nobody:daemon');
    assert.match(stdout, /chgrp \d+ \S+access.db\n/);
    assert.equal(status, 1);
    const after = statSync(site.db);
    assert.deepEqual([after.gid, after.mode], [gid, mode]);
  });

  test('wrong usage', () => {
    for (const [words, status, error] of [
      [['--service', 'a/b'], 2, 'a/b is not a name for a service\nallow-nets: hint: .*'],
      [['--usr', 'nobody'], 2, 'unknown option --usr\nallow-nets: hint: .*'],
      [['--log', 'some'], 2, '.*\nallow-nets: hint: .*'],
      [['-c', '/nonexistent', '--yes'], 1, 'postconf failed .*\nallow-nets: hint: is -c the folder of main.cf\\?'],
    ] as const) {
      const ran = site.run(['install', ...words]);
      assert.deepEqual([ran.status, ran.stdout], [status, '']);
      assert.match(ran.stderr, new RegExp(`^allow-nets: error: ${error}\n$`));
    }
  });

  test('on a terminal install asks, and no means no', async () => {
    const { status, stdout } = installOnTerminal('n');
    assert.match(stdout, /make these changes\? \[y\/N\] /);
    assert.match(stdout, /nothing was changed\r?\n$/);
    assert.equal(status, 1);
    await site.assertUntouched();
  });

  test('yes means yes; links, owner and mode are kept; another service name', async () => {
    const asked = installOnTerminal('y', '--service', 'who.may-send');
    assert.match(asked.stdout, /installed: service who\.may-send as nobody/);
    assert.equal(asked.status, 0);
    assert.deepEqual(await site.replies(), site.expected(true));
    assert.match(site.read('main.cf'), /^who\.may-send_time_limit = 3600$/m);
    assertLinks();
    assert.match(site.onPostfix('install', '--yes').stdout, /^already installed: service who\.may-send as nobody/);
  });

  test('doctor finds that the account cannot read main.cf, and so cannot run postlog; its command is right', () => {
    const json = site.onPostfix('doctor', '--json').stdout;
    const findings = JSON.parse(json) as ReturnType<typeof asJson>[];
    const [found, ...more] = findings.filter(({ status }) => status !== 'ok');
    assert.deepEqual(more, []);
    assert.match(
      found?.message ?? '',
      /^the account nobody cannot read \S+\/main.cf because of \S+, without which \S+postlog fails/,
    );
    site.shell(found?.remedy ?? '');
    const doctor = site.onPostfix('doctor');
    assert.equal(doctor.status, 0, doctor.stdout);
    chmodSync(site.file('main.cf'), 0o640);
  });

  test('a stopped Postfix', async () => {
    await site.postfix.command('postfix', 'stop');
    const last = JSON.parse(site.onPostfix('doctor', '--json').stdout).at(-1);
    assert.deepEqual([last.check, last.status, last.message], ['Postfix', 'fail', 'it is not running']);
    const { status, stderr } = site.onPostfix('uninstall', '--yes');
    assert.equal(
      stderr,
      `allow-nets: hint: Postfix is not running: the change takes effect when it starts:\n  postfix -c ${site.postfix.configDir} start\n`,
    );
    assert.equal(status, 0);
    assert.deepEqual(await site.configuration(), site.original);
    assertLinks();
    await site.postfix.command('postfix', 'start');
    assert.deepEqual(await site.replies(), site.expected(false));
  });

  function installOnTerminal(answer: string, ...words: readonly string[]) {
    const command = ['allow-nets install -c', site.postfix.configDir, ...words].join(' ');
    return site.shell(`echo ${answer} | script -qec '${command}' /dev/null`);
  }
});
