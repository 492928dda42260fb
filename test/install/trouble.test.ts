// install and uninstall where something is unusual or goes wrong on the way: nothing of it may stay.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Finding } from '../../src/doctor/finding';
import { needs, program } from '../requires';
import { userIds } from '../rig/accounts';
import { pathWith } from './postfix-stub';
import { INSIDE, Site } from './site';

describe('install when something prevents it', needs('root', 'postfix', 'dovecot', 'openssl', 'script'), () => {
  let site: Site<'smtp'>;
  let original: Awaited<ReturnType<Site<string>['configuration']>>;

  before(async () => {
    site = await Site.open({ smtp: 'plain' }, { listeners: { smtp: [] } });
    site.run(['init']);
    site.run(['add', 'alice', INSIDE]);
    // As some configuration management has it; and a byte that is not UTF-8.
    const { configDir } = site.postfix;
    mkdirSync(join(configDir, 'managed'));
    for (const name of ['main.cf', 'master.cf']) {
      const managed = join(configDir, 'managed', name);
      renameSync(join(configDir, name), managed);
      appendFileSync(managed, Buffer.from('# \xe9\n', 'latin1'));
      chmodSync(managed, 0o640);
      chownSync(managed, 0, userIds('postfix').gid);
      symlinkSync(managed, join(configDir, name));
    }
    original = await site.configuration();
  });
  after(() => site?.close());

  /** install or uninstall with another `postfix` command. */
  function run(words: readonly string[], stub: Readonly<Record<string, string>>) {
    return site.run([...words, '-c', site.postfix.configDir], { PATH: pathWith(stub) });
  }

  function assertLinks(): void {
    for (const name of ['main.cf', 'master.cf']) {
      const file = join(site.postfix.configDir, name);
      assert.ok(lstatSync(file).isSymbolicLink());
      assert.equal(statSync(file).mode & 0o777, 0o640);
      assert.equal(statSync(file).gid, userIds('postfix').gid);
    }
  }

  test('a reload that fails', async () => {
    const { status, stderr } = run(['install', '--yes'], { reload: 'echo no reload >&2; exit 3' });
    assert.equal(
      stderr,
      `allow-nets: hint: to see first who would be refused:\n  allow-nets install --yes -c ${site.postfix.configDir} --trial\n` +
        'allow-nets: error: postfix reload failed (status 3: no reload); ' +
        'main.cf and master.cf were put back as they were, but Postfix did not load them\n' +
        `allow-nets: hint: let it load the old files:\n  postfix -c ${site.postfix.configDir} reload\n`,
    );
    assert.equal(status, 1);
    assert.deepEqual(await site.configuration(), original);
    assertLinks();
    const { gid, mode } = statSync(site.db);
    const other = run(['install', '--yes', '--user', 'nobody:daemon'], { reload: 'exit 3' });
    assert.match(other.stdout, /chgrp \d+ \S+access.db\n/);
    assert.equal(other.status, 1);
    const after = statSync(site.db);
    assert.deepEqual([after.gid, after.mode], [gid, mode]);
  });

  test('a service that does not answer', async () => {
    const { status, stderr } = run(['install', '--yes'], { reload: 'exit 0' });
    assert.match(
      stderr,
      /\nallow-nets: error: the new service does not answer at \S+ \(.*ENOENT.*\); main.cf and master.cf were put back as they were\nallow-nets: hint: the mail log says why\n$/,
    );
    assert.equal(status, 1);
    assert.deepEqual(await site.configuration(), original);
  });

  test('a service of that name that is not ours', async () => {
    const foreign = 'allow-nets unix - n n - - pipe flags=R user=nobody argv=/bin/true\n';
    const file = join(site.postfix.configDir, 'master.cf');
    writeFileSync(file, `${original.master}${foreign}`, 'latin1');
    for (const command of ['install', 'uninstall']) {
      const { status, stderr } = site.onPostfix(command, '--yes');
      assert.match(
        stderr,
        /^allow-nets: error: .*service allow-nets.* not this program\nallow-nets: hint: .*--service NAME\n$/,
      );
      assert.equal(status, 1);
    }
    assert.equal(site.read('master.cf'), `${original.master}${foreign}`);
    writeFileSync(file, original.master, 'latin1');
  });

  test('wrong usage', () => {
    for (const [words, problem] of [
      [['--service', 'a/b'], 'a/b is not a name for a service'],
      [['--usr', 'nobody'], 'unknown option --usr'],
    ] as const) {
      const { status, stdout, stderr } = site.onPostfix('install', ...words);
      assert.equal(stdout, '');
      assert.match(stderr, new RegExp(`^allow-nets: error: ${problem}\nallow-nets: hint: `));
      assert.equal(status, 2);
    }
    const { status, stderr } = site.run(['install', '-c', '/nonexistent', '--yes']);
    assert.match(stderr, /^allow-nets: error: postconf failed .*\nallow-nets: hint: is -c the folder of main.cf\?\n$/);
    assert.equal(status, 1);
  });

  test('a terminal is asked, and no means no', async () => {
    const asked = onTerminal('n\n');
    assert.match(asked.stdout, /make these changes\? \[y\/N\] /);
    assert.match(asked.stdout, /nothing was changed\r?\n$/);
    assert.equal(asked.status, 1);
    assert.deepEqual(await site.configuration(), original);
  });

  test('yes means yes; links, owner and mode are kept; another service name', async () => {
    const asked = onTerminal('y\n', '--service', 'who.may-send');
    assert.match(asked.stdout, /installed: service who\.may-send as nobody/);
    assert.equal(asked.status, 0);
    assert.deepEqual(await site.replies(), site.expected(true));
    assert.match(site.read('main.cf'), /^who\.may-send_time_limit = 3600$/m);
    assertLinks();
    // The service user cannot read the managed main.cf, and so cannot run postlog: that is all that doctor finds, and its command is right.
    const json = site.onPostfix('doctor', '--json').stdout;
    const [found, ...more] = JSON.parse(json).filter((one: Finding) => one.status !== 'ok') as Finding[];
    assert.deepEqual(more, []);
    assert.match(
      found?.message ?? '',
      /^the account nobody cannot read \S+\/main.cf because of \S+, without which \S+postlog fails/,
    );
    spawnSync('sh', ['-c', found?.remedy ?? '']);
    const doctor = site.onPostfix('doctor');
    assert.equal(doctor.status, 0, doctor.stdout);
    chmodSync(join(site.postfix.configDir, 'main.cf'), 0o640);
    const second = site.onPostfix('install', '--yes');
    assert.equal(
      second.stderr,
      'allow-nets: error: the service who.may-send in master.cf is this program already\n' +
        `allow-nets: hint: change that one:\n  allow-nets install -c ${site.postfix.configDir} --yes --service who.may-send\n` +
        `allow-nets: hint: or add a second one:\n  allow-nets install -c ${site.postfix.configDir} --yes --service allow-nets\n`,
    );
    assert.equal(second.status, 1);
    const { stdout, stderr } = site.onPostfix('uninstall', '--yes');
    assert.equal(
      stderr,
      `allow-nets: hint: the service who.may-send is this program too:\n  allow-nets uninstall -c ${site.postfix.configDir} --service who.may-send\n`,
    );
    assert.equal(stdout, `there is nothing of allow-nets in ${site.postfix.configDir}\n`);
  });

  test('a stopped Postfix', async () => {
    await site.postfix.command('postfix', 'stop');
    const doctor = site.onPostfix('doctor', '--json');
    const last = JSON.parse(doctor.stdout).at(-1);
    assert.deepEqual([last.check, last.status, last.message], ['Postfix', 'fail', 'it is not running']);
    const { status, stderr } = site.onPostfix('uninstall', '--yes', '--service', 'who.may-send');
    assert.equal(
      stderr,
      `allow-nets: hint: Postfix is not running: the change takes effect when it starts:\n  postfix -c ${site.postfix.configDir} start\n`,
    );
    assert.equal(status, 0);
    assert.deepEqual(await site.configuration(), original);
    assertLinks();
    await site.postfix.command('postfix', 'start');
    assert.deepEqual(await site.replies(), site.expected(false));
  });

  function onTerminal(typed: string, ...words: readonly string[]) {
    const { node, script } = site.program;
    const command = [node, script, 'install', '-c', site.postfix.configDir, ...words].join(' ');
    return spawnSync(program('script'), ['-qec', command, '/dev/null'], {
      encoding: 'utf8',
      input: typed,
      env: { ...process.env, ALLOW_NETS_DB: site.db, NO_COLOR: '1' },
    });
  }
});
