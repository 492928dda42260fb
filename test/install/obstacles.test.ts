// install on servers with something peculiar: limits under which Node.js dies, files that cannot be replaced, words that master.cf cannot hold, two
// entries of one name, an entry that was made by hand.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { servicesOf } from '../../src/postfix/config-text';
import { needs, program } from '../requires';
import { pathWith } from './postfix-stub';
import { INSIDE, OUTSIDE, Site } from './site';

describe('install against obstacles', needs('root', 'postfix', 'dovecot', 'openssl'), () => {
  let site: Site<'smtp' | 'plain'>;
  let original: Awaited<ReturnType<Site<string>['configuration']>>;
  const file = (name: string) => join(site.postfix.configDir, name);

  before(async () => {
    const noAuth = ['smtpd_sasl_auth_enable = no'];
    site = await Site.open({ smtp: 'plain', plain: 'plain' }, { listeners: { smtp: [], plain: noAuth } });
    site.run(['init']);
    site.run(['add', 'alice', INSIDE]);
    original = await site.configuration();
  });
  after(() => site?.close());

  const entry = () => servicesOf(site.read('master.cf')).find(({ name }) => name === 'allow-nets');

  async function assertUntouched(): Promise<void> {
    assert.deepEqual(await site.configuration(), original);
    assert.deepEqual(
      readdirSync(site.postfix.configDir).filter((name) => name.includes('allow-nets')),
      [],
    );
  }

  test('words that master.cf cannot contain are refused before anything is changed', async () => {
    const folder = join(site.folder, 'a}b');
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
    await assertUntouched();
    assert.equal((await site.send('smtp', OUTSIDE)).code, 250);
  });

  test('a file that cannot be replaced: the reason, and nothing is left behind', async () => {
    const { node, script } = site.program;
    const command = [node, script, 'install', '-c', site.postfix.configDir, '--yes'].join(' ');
    for (const [mount, reason] of [
      [`mount --bind ${file('main.cf')} ${file('main.cf')}`, /main\.cf cannot be replaced \(it is a mount point/],
      [
        `mount --bind ${site.postfix.configDir} ${site.postfix.configDir} && mount -o remount,bind,ro ${site.postfix.configDir}`,
        /no copy of main\.cf and master\.cf can be made in .* \(read-only file system\)/,
      ],
    ] as const) {
      const ran = spawnSync('unshare', ['-m', 'sh', '-c', `${mount} && exec ${command}`], {
        encoding: 'utf8',
        env: { ...process.env, NO_COLOR: '1', ALLOW_NETS_DB: site.db },
      });
      assert.match(ran.stderr, reason);
      assert.equal(ran.status, 1, ran.stderr);
      await assertUntouched();
    }
  });

  for (const name of ['main.cf', 'master.cf']) {
    test(`${name} is immutable`, async (t) => {
      if (spawnSync('chattr', ['+i', file(name)]).status !== 0) return t.skip('no immutable files here');
      try {
        const { status, stderr } = site.onPostfix('install', '--yes');
        assert.match(
          stderr,
          new RegExp(
            `error: ${file(name)} cannot be replaced \\(operation not permitted\\); main\\.cf and master\\.cf were put back as they were\nallow-nets: hint: if it is immutable, allow the change:\n  chattr -i ${file(name)}\n$`,
          ),
        );
        assert.equal(status, 1);
      } finally {
        execFileSync('chattr', ['-i', file(name)]);
      }
      await assertUntouched();
    });
  }

  test('main.cf is a link into a read-only store', async () => {
    const { node, script } = site.program;
    const store = join(site.folder, 'store');
    const commands = [
      `mkdir ${store} && mv ${file('main.cf')} ${store} && ln -s ${store}/main.cf ${file('main.cf')}`,
      `mount --bind ${store} ${store} && mount -o remount,bind,ro ${store}`,
      `{ ${node} ${script} install -c ${site.postfix.configDir} --yes; status=$?; umount ${store};` +
        ` mv -f ${store}/main.cf ${file('main.cf')}; rmdir ${store}; exit $status; }`,
    ];
    const ran = spawnSync('unshare', ['-m', 'sh', '-c', commands.join(' && ')], {
      encoding: 'utf8',
      env: { ...process.env, NO_COLOR: '1', ALLOW_NETS_DB: site.db },
    });
    assert.match(ran.stderr, /main\.cf, a link to \S+\/store\/main\.cf, cannot be replaced \(read-only file system\)/);
    assert.equal(ran.status, 1, ran.stderr);
    await assertUntouched();
  });

  test('a Postfix that ends while it is changed is started again with the old files', async () => {
    const stop = `${program('postfix')} -c ${site.postfix.configDir} stop 2>/dev/null; exit 0`;
    const { status, stderr } = site.run(['install', '-c', site.postfix.configDir, '--yes'], {
      PATH: pathWith({ reload: stop }),
    });
    assert.match(stderr, /put back as they were, and Postfix, which had ended, was started again\n/);
    assert.equal(status, 1);
    await assertUntouched();
    assert.equal((await site.send('smtp', OUTSIDE)).code, 250);
  });

  /** Limits of the unit of Postfix under which Node.js does not start without flags, as words that run Postfix. */
  const LIMITS = {
    'LimitAS=': {
      words: ['prlimit', '--as=600000000'],
      cause: /LimitAS=/,
    },
    // prctl(PR_SET_MDWE), of Linux 6.3 and newer: x86-64 has it as system call 157, ARM as 167.
    'MemoryDenyWriteExecute=': {
      words: [
        'perl',
        '-e',
        `syscall(${process.arch === 'arm64' ? 167 : 157}, 65, 1, 0, 0, 0) == 0 or exit 77; exec @ARGV`,
      ],
      cause: /MemoryDenyWriteExecute=/,
    },
  };
  for (const [name, { words, cause }] of Object.entries(LIMITS)) {
    test(`${name}: both files are put back, and with --jitless it works`, async (t) => {
      const [limiter = '', ...rest] = words;
      if (spawnSync(limiter, [...rest, 'true']).status !== 0) return t.skip('not in this kernel');
      await site.postfix.command('postfix', 'stop');
      execFileSync(limiter, [...rest, program('postfix'), '-c', site.postfix.configDir, 'start']);
      const { status, stderr } = site.onPostfix('install', '--yes');
      assert.match(
        stderr,
        /error: the new service does not answer at .*; main\.cf and master\.cf were put back as they were\nallow-nets: hint: /,
      );
      assert.match(stderr, cause);
      assert.match(stderr, /--jitless --no-expose-wasm/);
      assert.equal(status, 1);
      await assertUntouched();
      assert.equal((await site.send('smtp', OUTSIDE)).code, 250);
      const { node, script } = site.program;
      appendFileSync(
        file('master.cf'),
        `allow-nets unix - n n - 0 spawn user=nobody\n    argv=${node} --jitless --no-expose-wasm ${script} --persistent\n`,
      );
      const flags = site.onPostfix('install', '--yes');
      assert.equal(flags.status, 0, flags.stderr);
      assert.match(site.read('master.cf'), /argv=\S+ --jitless --no-expose-wasm \S+allow-nets\.js --persistent --db /);
      assert.equal((await site.send('smtp', INSIDE)).code, 250);
      assert.equal((await site.send('smtp', OUTSIDE)).code, 554);
      assert.equal(site.onPostfix('uninstall', '--yes').status, 0);
      for (const copy of site.copies()) rmSync(file(copy));
      await assertUntouched();
      await site.postfix.command('postfix', 'stop');
      await site.postfix.command('postfix', 'start');
    });
  }

  test('the words around the program in argv= stay, and options go to it', () => {
    const { node, script } = site.program;
    appendFileSync(
      file('master.cf'),
      `allow-nets unix - n n - 0 spawn user=daemon argv=/bin/false\nallow-nets unix - n n - 0 spawn user=nobody\n argv=/usr/bin/prlimit --core=0 ${node} ${script} --log=none\n`,
    );
    const foreign = site.onPostfix('install', '--yes');
    assert.match(foreign.stderr, /service allow-nets that is not this program/);
    const lines = site.read('master.cf').replace(/.*argv=\/bin\/false\n/, '');
    execFileSync('tee', [file('master.cf')], { input: lines });
    const text = '{user} is not welcome from {address}';
    const { status, stdout, stderr } = site.onPostfix('install', '--yes', '--reject-text', text);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^entries: 1 user; everybody else who logs in is refused$/m);
    assert.match(stderr, /hint: \d+\/inet offers no AUTH and shares a list with the check/);
    assert.deepEqual(entry()?.words, [
      'user=nobody',
      'argv=/usr/bin/prlimit',
      '--core=0',
      node,
      script,
      '--persistent',
      '--db',
      site.db,
      '--log=none',
      '--reject-text',
      text,
    ]);
    const wrong = site.onPostfix('install', '--yes', '--log', 'some');
    assert.equal(wrong.status, 2);
    const again = site.onPostfix('install', '--yes');
    assert.match(again.stdout, /^already installed: /);
  });

  test('of two entries with our name, the first, which Postfix does not use, is removed', async () => {
    const { text } = await site.send('smtp', OUTSIDE);
    assert.match(text, /alice is not welcome from 127\.0\.0\.9$/);
    const second = site.read('master.cf').match(/^allow-nets .*\n.*\n/m)?.[0] ?? '';
    appendFileSync(file('master.cf'), second.replace('user=nobody', 'user=daemon'));
    assert.equal(site.onPostfix('install', '--yes').status, 0);
    assert.equal(site.read('master.cf').match(/^allow-nets /gm)?.length, 1);
    assert.match(site.read('master.cf'), /^allow-nets .*user=daemon$/m);
    assert.equal((await site.send('smtp', INSIDE)).code, 250);
    assert.equal(site.onPostfix('uninstall', '--yes').status, 0);
    assert.deepEqual(await site.configuration(), original);
  });

  test('if postlog is not set-gid and Postfix writes the log, the account gets its group', (t) => {
    const postlog = program('postlog');
    const publicDir = join(site.postfix.queueDir, 'public');
    if ((statSync(postlog).mode & 0o2000) !== 0) return t.skip('postlog is set-gid here');
    const { mode } = statSync(publicDir);
    execFileSync('chmod', ['o-x', publicDir]);
    const { stdout } = site.onPostfix('install', '--dry-run');
    assert.match(stdout, /spawn user=nobody:postdrop$/m);
    execFileSync('chmod', [(mode & 0o7777).toString(8), publicDir]);
    assert.match(site.onPostfix('install', '--dry-run').stdout, /spawn user=nobody$/m);
  });

  test('without a service that offers AUTH there is nothing to install', async () => {
    await site.postfix.command('postconf', 'smtpd_sasl_auth_enable=no');
    const { status, stderr } = site.onPostfix('install', '--yes');
    assert.match(
      stderr,
      /^allow-nets: error: no smtpd service offers AUTH.*\nallow-nets: hint: .*-o in the submission/,
    );
    assert.equal(status, 1);
    assert.equal(existsSync(file('main.cf.allow-nets-new')), false);
  });

  test('init does not change folders of other accounts', () => {
    const db = join(site.folder, 'made/deep/access.db');
    assert.equal(site.run(['init', '--db', db, '--user', 'daemon']).status, 0);
    assert.equal(statSync(join(site.folder, 'made')).mode & 0o777, 0o755);
    assert.equal(statSync(join(site.folder, 'made/deep')).mode & 0o777, 0o750);
    const { gid } = statSync(db);
    assert.ok(readFileSync('/etc/group', 'utf8').includes(`daemon:x:${gid}:`));
    execFileSync('chmod', ['755', join(site.folder, 'made/deep')]);
    appendFileSync(join(site.folder, 'made/deep/other'), '');
    assert.equal(site.run(['init', '--db', db, '--user', 'nobody']).status, 0);
    assert.equal(statSync(join(site.folder, 'made/deep')).mode & 0o777, 0o755);
    assert.notEqual(statSync(db).gid, gid);
    rmSync(join(site.folder, 'made'), { recursive: true });
  });
});
