// The package as people get it: packed, installed globally in an empty prefix with nothing but Node, and from there to mail through
// a real Postfix; then an upgrade of Node, of which the addon of another ABI is all that the program sees.
//
// The install script of better-sqlite3 runs as everywhere, but finds its prebuilt addon in a folder here: the one that this checkout has
// compiled. In trouble: needs what `npm ci` needs, a registry or npm's cache.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { makeScratchFolder, removeScratchFolder } from '../postfix/scratch-folder';
import { needs, program } from '../requires';
import { INSIDE, OUTSIDE, Site } from './site';

const SERVICES = { smtp: 'plain', own: 'plain' } as const;
const OWN = ['smtpd_recipient_restrictions = permit_sasl_authenticated, reject'];

describe('the package', needs('root', 'postfix', 'dovecot', 'openssl', 'cc'), () => {
  let folder: string;
  let prefix: string;
  let home: string;
  let site: Site<keyof typeof SERVICES>;
  let original: Awaited<ReturnType<Site<string>['configuration']>>;

  const environment = () => ({
    PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
    HOME: home,
    npm_config_cache: npmCache(),
    npm_config_better_sqlite3_local_prebuilds: join(folder, 'prebuilds'),
    npm_config_update_notifier: 'false',
    NO_COLOR: '1',
  });

  before(async () => {
    folder = makeScratchFolder('package');
    [prefix, home] = [join(folder, 'prefix'), join(folder, 'home')];
    for (const made of [prefix, home, join(folder, 'prebuilds')]) mkdirSync(made);
    packPrebuilt(join(folder, 'prebuilds'));
    // Not through prepare: other suites run the built file meanwhile.
    npm(['pack', '--ignore-scripts', '--pack-destination', folder]);
    const [tarball = ''] = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
    npm([
      'install',
      '--global',
      '--prefix',
      prefix,
      '--allow-scripts=better-sqlite3',
      '--prefer-offline',
      join(folder, tarball),
    ]);
    const script = realpathSync(join(prefix, 'bin/allow-nets'));
    site = await Site.open(
      SERVICES,
      { listeners: { smtp: [], own: OWN } },
      { node: process.execPath, script },
    );
    original = await site.configuration();
  });
  after(() => {
    site?.close();
    if (folder) removeScratchFolder(folder);
  });

  function npm(words: readonly string[]): string {
    return execFileSync('npm', words, { encoding: 'utf8', env: environment(), stdio: 'pipe' });
  }

  const packageFolder = () => join(prefix, 'lib/node_modules/postfix-allow-nets');
  const addon = () => join(packageFolder(), 'node_modules/better-sqlite3/build/Release/better_sqlite3.node');

  test('holds bin, examples, manual page, README, LICENSE, CHANGELOG and nothing else', () => {
    const names = readdirSync(packageFolder()).filter((name) => name !== 'node_modules');
    assert.deepEqual(names.sort(), [
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'bin',
      'examples',
      'man',
      'package.json',
    ]);
    assert.deepEqual(readdirSync(join(packageFolder(), 'bin')), ['allow-nets.js']);
    assert.deepEqual(readdirSync(join(packageFolder(), 'man')), ['allow-nets.8']);
  });

  test('gives the command and the manual page', () => {
    const run = spawnSync(join(prefix, 'bin/allow-nets'), ['--version'], {
      encoding: 'utf8',
      env: environment(),
    });
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
    assert.deepEqual([run.status, run.stdout, run.stderr], [0, `${version}\n`, '']);
    const page = join(prefix, 'share/man/man8/allow-nets.8');
    assert.equal(relative(packageFolder(), realpathSync(page)), 'man/allow-nets.8');
  });

  test('man finds it by its name', needs('man'), () => {
    const words = ['--where', 'allow-nets'];
    const MANPATH = join(prefix, 'share/man');
    const where = execFileSync(program('man'), words, {
      encoding: 'utf8',
      env: { ...environment(), MANPATH },
    });
    assert.match(where, /allow-nets\.8\n$/);
  });

  test('installs into Postfix and enforces', async () => {
    assert.equal(site.run(['init']).status, 0);
    assert.equal(site.run(['add', 'alice', INSIDE]).status, 0);
    const { status, stderr } = site.onPostfix('install', '--yes');
    assert.deepEqual([status, stderr], [0, '']);
    assert.ok(site.read('master.cf').includes(` ${join(packageFolder(), 'bin/allow-nets.js')} --persistent`));
    assert.deepEqual(await site.replies(), site.expected(true));
    const doctor = site.onPostfix('doctor');
    assert.deepEqual([doctor.status, doctor.stderr], [0, '']);
    assert.doesNotMatch(doctor.stdout, /^(warn|fail)/m);
  });

  test('an addon for another Node: a temporary error, and log and doctor name the same remedy', async () => {
    writeFileSync(join(folder, 'good.node'), readFileSync(addon()));
    installOtherAddon(folder, addon());
    await site.postfix.reload();
    const before = site.postfix.log().length;
    const { code, text } = await site.send('smtp', INSIDE);
    assert.match(`${code} ${text}`, /^451 4\.3\.5 .*Server configuration problem/);
    const hint = `rebuild it as the owner of the folder: cd ${packageFolder()} && npm rebuild better-sqlite3`;
    const problem = `better-sqlite3 was built for another Node.js than ${process.version}`;
    await site.postfix.waitForLog(
      new RegExp(`allow-nets\\[\\d+\\]: warning: ${literal(`${problem}; ${hint}`)}`),
      before,
    );
    await site.postfix.waitForLog(/exit status 78/, before);
    const doctor = site.onPostfix('doctor', '--json');
    const found = JSON.parse(doctor.stdout).find(({ check }: { check: string }) => check === 'addon');
    assert.deepEqual(found, { check: 'addon', status: 'fail', message: problem, remedy: hint });
    assert.equal(doctor.status, 1);
  });

  test('doctor --fix-addon mends it', async () => {
    const doctor = site.run(['doctor', '-c', site.postfix.configDir, '--fix-addon'], environment());
    assert.match(
      doctor.stderr,
      new RegExp(`^cd ${literal(packageFolder())} && \\S*npm rebuild better-sqlite3\n`),
    );
    assert.doesNotMatch(doctor.stdout, /^fail/m);
    assert.equal(doctor.status, 0);
    assert.deepEqual(await site.replies(), site.expected(true));
  });

  test('and so does the command that the log names', async () => {
    installOtherAddon(folder, addon());
    assert.equal(site.onPostfix('doctor').status, 1);
    execFileSync('npm', ['rebuild', 'better-sqlite3'], {
      cwd: packageFolder(),
      env: environment(),
      stdio: 'pipe',
    });
    assert.equal(site.onPostfix('doctor').status, 0);
  });

  test('uninstalls', async () => {
    const { status, stderr } = site.onPostfix('uninstall', '--yes');
    assert.deepEqual([status, stderr], [0, '']);
    assert.deepEqual(await site.configuration(), original);
    assert.equal((await site.send('smtp', OUTSIDE)).code, 250);
    npm(['uninstall', '--global', '--prefix', prefix, 'postfix-allow-nets']);
    assert.equal(existsSync(join(prefix, 'bin/allow-nets')), false);
  });
});

const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** The user's own cache, which `npm ci` has filled. */
function npmCache(): string {
  return execFileSync('npm', ['config', 'get', 'cache'], { encoding: 'utf8' }).trim();
}

/** The addon that this checkout has, as prebuild-install looks for it. */
function packPrebuilt(into: string): void {
  const module = dirname(realpathSync('node_modules/better-sqlite3/package.json'));
  const { version } = JSON.parse(readFileSync(join(module, 'package.json'), 'utf8'));
  const { platform, arch, versions } = process;
  const libc = existsSync('/etc/alpine-release') ? 'musl' : '';
  const name = `better-sqlite3-v${version}-node-v${versions.modules}-${platform}${libc}-${arch}.tar.gz`;
  const words = ['-C', module, '-czf', join(into, name), 'build/Release/better_sqlite3.node'];
  execFileSync('tar', words);
}

/** What dlopen sees of an addon that was built for another Node.js (node.h, `struct node_module`). */
function installOtherAddon(folder: string, addon: string): void {
  const source = join(folder, 'addon.c');
  writeFileSync(
    source,
    `struct { int version; unsigned flags; void *handle; const char *file; void *init, *context; const char *name; void *data, *link; }
       module = { 999, 0, 0, "addon.c", 0, 0, "better_sqlite3", 0, 0 };
     extern void node_module_register(void *);
     __attribute__((constructor)) static void start(void) { node_module_register(&module); }\n`,
  );
  execFileSync(program('cc'), ['-shared', '-fPIC', '-nostdlib', '-o', `${source}.node`, source]);
  copyFileSync(`${source}.node`, addon);
}
