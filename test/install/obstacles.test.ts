// install on servers with something peculiar: limits under which Node.js dies, files that cannot be replaced, words that master.cf cannot hold, two
// entries of one name, an entry that was made by hand.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { servicesOf } from '../../src/postfix/config-text';
import { needs, program } from '../requires';
import { groupId } from '../rig/accounts';
import { makeFolder } from '../rig/scratch';
import { INSIDE, OUTSIDE, useSite } from './site';

describe('install against obstacles', needs('root', 'postfix', 'dovecot', 'openssl'), () => {
  const site = useSite({ smtp: 'plain' }, () => ({ listeners: { noAuth: ['smtpd_sasl_auth_enable = no'] } }));

  test('words that master.cf cannot contain are refused before anything is changed', async () => {
    const folder = join(makeFolder(), 'a}b');
    mkdirSync(folder);
    for (const words of [
      ['--db', join(folder, 'access.db')],
      ['--reject-text', 'no { brace'],
      ['--reject-text', ' blank'],
      ['--reject-text', 'two\nlines'],
    ]) {
      const { status, stderr } = site.onPostfix('install', '--yes', '--force', ...words);
      assert.match(stderr, /^allow-nets: error: master\.cf cannot hold ".*"\nallow-nets: hint: /);
      assert.equal(status, 1);
    }
    await site.assertUntouched();
    assert.match(await site.send('smtp', OUTSIDE), /^250 /);
  });

  test('a file that cannot be replaced: the reason, and nothing is left behind', async () => {
    const { configDir } = site.postfix;
    const main = site.file('main.cf');
    const store = makeFolder('store');
    const install = `allow-nets install -c ${configDir} --yes`;
    const readOnly = (folder: string) => `mount --bind ${folder} ${folder} && mount -o remount,bind,ro ${folder}`;
    const full = (folder: string) =>
      `mount -t tmpfs -o size=64k full ${folder} && cp -a ${configDir}/. ${folder} &&
        { head -c 1m /dev/zero > ${folder}/rest 2>/dev/null; true; }`;
    const immutable = (name: string) =>
      `chattr +i ${site.file(name)} && { ${install}; status=$?; chattr -i ${site.file(name)}; exit $status; }`;
    const changed = (name: string) =>
      new RegExp(
        `error: ${site.file(name)} cannot be replaced \\(operation not permitted\\); main\\.cf and master\\.cf were put back as they were\nallow-nets: hint: if it is immutable, allow the change:\n  chattr -i ${site.file(name)}\n$`,
      );
    const mayBeImmutable = spawnSync('chattr', ['+i', main]).status === 0;
    if (mayBeImmutable) execFileSync('chattr', ['-i', main]);
    const cases: [script: string, reason: RegExp][] = [
      [`mount --bind ${main} ${main} && ${install}`, /main\.cf cannot be replaced \(it is a mount point/],
      [
        `${readOnly(configDir)} && ${install}`,
        /no copy of main\.cf and master\.cf can be made in .* \(read-only file system\)/,
      ],
      [
        `mv ${main} ${store} && ln -s ${store}/main.cf ${main} && ${readOnly(store)} &&
          { ${install}; status=$?; umount ${store}; mv -f ${store}/main.cf ${main}; exit $status; }`,
        /main\.cf, a link to \S+\/store\S+\/main\.cf, cannot be replaced \(read-only file system\)/,
      ],
      [
        `${full(store)} && mount --bind ${store} ${configDir} && ${install}`,
        /main\.cf and master\.cf can be made in .* \(no space left on device\)\n.*: free some space there; then:\n {2}allow-nets install /,
      ],
      [
        `${full(store)} && TMPDIR=${store} ${install}`,
        /error: no file can be written in \S+store\S* \(ENOSPC.*\)\n.*hint: free some space there, or name another folder:\n {2}TMPDIR=/,
      ],
      ...(mayBeImmutable ? ['main.cf', 'master.cf'] : []).map((name): [string, RegExp] => [
        immutable(name),
        changed(name),
      ]),
    ];
    for (const [script, reason] of cases) {
      const { status, stderr } = site.shell(`unshare -m sh -c '${script}'`);
      assert.match(stderr, reason);
      assert.equal(status, 1, stderr);
      await site.assertUntouched();
    }
  });

  /** Limits of the unit of Postfix under which Node.js does not start without flags, and the words that run Postfix under them. */
  const LIMITS = {
    LimitAS: ['prlimit', '--as=600000000'],
    // prctl(PR_SET_MDWE), of Linux 6.3 and newer: x86-64 has it as system call 157, ARM as 167.
    MemoryDenyWriteExecute: [
      'perl',
      '-e',
      `syscall(${process.arch === 'arm64' ? 167 : 157}, 65, 1, 0, 0, 0) == 0 or exit 77; exec @ARGV`,
    ],
  };
  for (const [name, [limiter = '', ...words]] of Object.entries(LIMITS)) {
    test(`${name}=: both files are put back, and with --jitless it works`, async (t) => {
      if (spawnSync(limiter, [...words, 'true']).status !== 0) return t.skip('not in this kernel');
      await site.postfix.command('postfix', 'stop');
      execFileSync(limiter, [...words, program('postfix'), '-c', site.postfix.configDir, 'start']);
      const { status, stderr } = site.onPostfix('install', '--yes');
      assert.match(
        stderr,
        /error: the new service does not answer at .*; main\.cf and master\.cf were put back as they were\nallow-nets: hint: /,
      );
      assert.match(stderr, new RegExp(`${name}=`));
      assert.match(stderr, /--jitless --no-expose-wasm/);
      assert.equal(status, 1);
      await site.assertUntouched();
      assert.match(await site.send('smtp', OUTSIDE), /^250 /);
      const { node, script } = site.program;
      appendFileSync(
        site.file('master.cf'),
        `allow-nets unix - n n - 0 spawn user=nobody\n    argv=${node} --jitless --no-expose-wasm ${script} --persistent\n`,
      );
      const flags = site.onPostfix('install', '--yes');
      assert.equal(flags.status, 0, flags.stderr);
      assert.match(site.read('master.cf'), /argv=\S+ --jitless --no-expose-wasm \S+allow-nets\.js --persistent --db /);
      assert.deepEqual(await site.replies(), site.expected(true));
      assert.equal(site.onPostfix('uninstall', '--yes').status, 0);
      for (const copy of site.copies()) rmSync(site.file(copy));
      await site.assertUntouched();
      await site.postfix.command('postfix', 'stop');
      await site.postfix.command('postfix', 'start');
    });
  }

  test('an entry of our name that is not this program: install and uninstall leave it alone', () => {
    const foreign = 'allow-nets unix - n n - - pipe flags=R user=nobody argv=/bin/true\n';
    writeFileSync(site.file('master.cf'), `${site.original.master}${foreign}`);
    for (const command of ['install', 'uninstall']) {
      const { status, stderr } = site.onPostfix(command, '--yes');
      const error =
        /^allow-nets: error: .*service allow-nets.* not this program\nallow-nets: hint: .*--service NAME\n$/;
      assert.match(stderr, error);
      assert.equal(status, 1);
    }
    assert.equal(site.read('master.cf'), `${site.original.master}${foreign}`);
    writeFileSync(site.file('master.cf'), site.original.master);
  });

  test('the words around the program in argv= stay, and options go to it', () => {
    const { node, script } = site.program;
    appendFileSync(
      site.file('master.cf'),
      `allow-nets unix - n n - 0 spawn user=nobody\n argv=/usr/bin/prlimit --core=0 ${node} ${script} --log=none\n`,
    );
    const text = '{user} is not welcome from {address}';
    const { status, stdout, stderr } = site.onPostfix('install', '--yes', '--reject-text', text);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^entries: 1 user; everybody else who logs in is refused$/m);
    assert.match(stderr, /hint: \d+\/inet offers no AUTH and shares a list with the check/);
    const before = ['user=nobody', 'argv=/usr/bin/prlimit', '--core=0'];
    const options = ['--persistent', '--db', site.db, '--log=none', '--reject-text', text];
    const entry = servicesOf(site.read('master.cf')).find(({ name }) => name === 'allow-nets');
    assert.deepEqual(entry?.words, [...before, node, script, ...options]);
    assert.match(site.onPostfix('install', '--yes').stdout, /^already installed: /);
  });

  test('of two entries with our name, the first, which Postfix does not use, is removed', async () => {
    assert.match(await site.send('smtp', OUTSIDE), /alice is not welcome from 127\.0\.0\.9$/);
    const second = site.read('master.cf').match(/^allow-nets .*\n.*\n/m)?.[0] ?? '';
    appendFileSync(site.file('master.cf'), second.replace('user=nobody', 'user=daemon'));
    assert.equal(site.onPostfix('install', '--yes').status, 0);
    assert.deepEqual(site.read('master.cf').match(/^allow-nets .*user=.*$/gm)?.length, 1);
    assert.match(site.read('master.cf'), /^allow-nets .*user=daemon$/m);
    assert.match(await site.send('smtp', INSIDE), /^250 /);
    assert.equal(site.onPostfix('uninstall', '--yes').status, 0);
    assert.deepEqual(await site.configuration(), site.original);
  });

  test('a service that Postfix has paused, because it could not run in a chroot, is mended by install', async () => {
    await site.postfix.command('postconf', 'service_throttle_time=15s');
    assert.equal(site.onPostfix('install', '--yes').status, 0);
    const right = site.read('master.cf');
    writeFileSync(site.file('master.cf'), right.replace(/^(allow-nets unix +- +n +)n/m, '$1y'));
    await site.postfix.reload();
    assert.match(site.onPostfix('doctor').stdout, /^fail {2}service allow-nets .*\n.*\n +allow-nets install /m);
    const { status, stderr } = site.onPostfix('install', '--yes');
    assert.match(stderr, /hint: no answer yet: Postfix pauses a service/);
    assert.equal(status, 0, stderr);
    assert.equal(site.read('master.cf'), right);
    assert.equal(site.onPostfix('uninstall', '--yes').status, 0);
    await site.postfix.command('postconf', '-X', 'service_throttle_time');
    assert.deepEqual(await site.configuration(), site.original);
  });

  test('if postlog is not set-gid and Postfix writes the log, the account gets its group', (t) => {
    const publicDir = join(site.postfix.queueDir, 'public');
    if ((statSync(program('postlog')).mode & 0o2000) !== 0) return t.skip('postlog is set-gid here');
    execFileSync('chmod', ['o-x', publicDir]);
    assert.match(site.onPostfix('install', '--dry-run').stdout, /spawn user=nobody:postdrop$/m);
    execFileSync('chmod', ['o+x', publicDir]);
    assert.match(site.onPostfix('install', '--dry-run').stdout, /spawn user=nobody$/m);
  });

  test('without a service that offers AUTH there is nothing to install', async () => {
    await site.postfix.command('postconf', 'smtpd_sasl_auth_enable=no');
    const { status, stderr } = site.onPostfix('install', '--yes');
    const error = /^allow-nets: error: no smtpd service offers AUTH.*\nallow-nets: hint: .*-o in the submission/;
    assert.match(stderr, error);
    assert.equal(status, 1);
  });

  test('init does not change folders of other accounts', () => {
    const made = join(makeFolder(), 'made');
    const db = join(made, 'deep/access.db');
    const init = (user: string) => assert.equal(site.run(['init', '--db', db, '--user', user]).status, 0);
    const modes = () => [made, join(made, 'deep')].map((folder) => statSync(folder).mode & 0o777);
    init('daemon');
    assert.deepEqual(modes(), [0o755, 0o750]);
    assert.equal(statSync(db).gid, groupId('daemon'));
    execFileSync('chmod', ['755', join(made, 'deep')]);
    appendFileSync(join(made, 'deep/other'), '');
    init('nobody');
    assert.deepEqual(modes(), [0o755, 0o755]);
    assert.notEqual(statSync(db).gid, groupId('daemon'));
  });
});
