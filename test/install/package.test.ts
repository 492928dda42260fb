// The package as people get it: `npm pack` and `npm install -g` into an empty prefix, with nothing but Node and a compiler, and from there to mail through
// a real Postfix; then an upgrade of Node, of which the addon of another ABI is all that the program sees.
//
// better-sqlite3 is downloaded or compiled here as everywhere: once. Whatever builds it again below is handed the addon that came out of
// that. In trouble: needs what `npm ci` needs, a registry or npm's cache, and the machine's settings for both (HOME is empty).
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
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

  const environment = (): NodeJS.ProcessEnv => ({
    PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
    HOME: home,
    NODE_EXTRA_CA_CERTS: process.env['NODE_EXTRA_CA_CERTS'],
    npm_config_cache: npmSetting('cache'),
    npm_config_userconfig: npmSetting('userconfig'),
    npm_config_prefix: prefix,
    npm_config_prefer_offline: 'true',
    npm_config_update_notifier: 'false',
    // Should it be compiled: most of the time, minutes, is the optimiser's, who is not tested here. These flags come after better-sqlite3's own.
    CFLAGS: '-O0',
    CXXFLAGS: '-O0',
    NO_COLOR: '1',
  });
  /** What builds the addon finds the one that is there already. */
  const prebuilt = () => ({
    ...environment(),
    npm_config_better_sqlite3_local_prebuilds: join(folder, 'prebuilds'),
  });

  before(async () => {
    folder = makeScratchFolder('package');
    [prefix, home] = [join(folder, 'prefix'), join(folder, 'home')];
    for (const made of [prefix, home, join(folder, 'prebuilds')]) mkdirSync(made);
    const checkout = copyCheckout(folder);
    npm(['pack'], checkout);
    const [tarball = ''] = readdirSync(checkout).filter((name) => name.endsWith('.tgz'));
    // What the README says about npm 12.
    const allow = Number.parseInt(npm(['--version']), 10) >= 12 ? ['--allow-scripts=better-sqlite3'] : [];
    npm(['install', '-g', ...allow, `./${tarball}`], checkout);
    packPrebuilt(join(packageFolder(), 'node_modules/better-sqlite3'), join(folder, 'prebuilds'));
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

  function npm(words: readonly string[], cwd = '.'): string {
    return execFileSync('npm', words, { cwd, encoding: 'utf8', env: environment(), stdio: 'pipe' });
  }

  const packageFolder = () => join(prefix, 'lib/node_modules/postfix-allow-nets');
  const addon = () => join(packageFolder(), 'node_modules/better-sqlite3/build/Release/better_sqlite3.node');

  test('holds bin, examples, manual page, README, LICENSE, CHANGELOG and nothing else', () => {
    const files = filesIn(packageFolder()).filter((name) => !name.startsWith('node_modules/'));
    const expected = [
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'bin/allow-nets.js',
      'man/allow-nets.8',
      'package.json',
      ...filesIn('examples').map((name) => `examples/${name}`),
    ];
    assert.deepEqual(files, expected.sort());
  });

  test('allowScripts names what has an install script, here and in a checkout', () => {
    const { allowScripts } = JSON.parse(readFileSync(join(packageFolder(), 'package.json'), 'utf8'));
    const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
    const building = Object.entries(packages as Record<string, { hasInstallScript?: boolean }>)
      .filter(([, { hasInstallScript }]) => hasInstallScript)
      .map(([path]) => path.replace(/^.*node_modules\//, ''))
      .filter((name) => name !== '');
    assert.deepEqual(Object.keys(allowScripts).sort(), building.sort());
    assert.ok(Object.values(allowScripts).every((value) => value === true));
    const readme = readFileSync(join(packageFolder(), 'README.md'), 'utf8');
    assert.match(readme, /npm install -g --allow-scripts=better-sqlite3 \.\/postfix-allow-nets-\*\.tgz/);
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
    const found = JSON.parse(doctor.stdout).find(({ check }: { check: string }) => check === 'program');
    assert.ok(found.message.includes(problem), found.message);
    const bin = dirname(process.execPath);
    const remedy = `cd ${packageFolder()} && env "PATH=${bin}:$PATH" npm rebuild better-sqlite3`;
    assert.deepEqual([found.status, found.remedy], ['fail', remedy]);
    assert.equal(doctor.status, 1);
    // Pasted where another Node.js comes first.
    const other = join(folder, 'other');
    mkdirSync(other);
    writeFileSync(join(other, 'node'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    const env = { ...prebuilt(), PATH: `${other}:${process.env['PATH']}` };
    execFileSync('sh', ['-c', remedy], { env, stdio: 'pipe' });
    assert.equal(site.onPostfix('doctor').status, 0);
    assert.deepEqual(await site.replies(), site.expected(true));
  });

  test('no addon, as npm 12 leaves it: log and doctor say how, and the command that they name mends it', async () => {
    rmSync(join(packageFolder(), 'node_modules/better-sqlite3/build'), { recursive: true });
    await site.postfix.reload();
    const before = site.postfix.log().length;
    assert.equal((await site.send('own', INSIDE)).code, 451);
    const hint = `build it as the owner of the folder: cd ${packageFolder()} && npm rebuild better-sqlite3 (npm 12 and newer leave it out unless told: npm install -g --allow-scripts=better-sqlite3)`;
    await site.postfix.waitForLog(new RegExp(`warning: .* is missing \\(.*\\); ${literal(hint)}`), before);
    const doctor = site.onPostfix('doctor', '--json');
    const found = JSON.parse(doctor.stdout).find(({ check }: { check: string }) => check === 'program');
    assert.match(found.remedy, /^cd \S+ && env "PATH=\S+:\$PATH" npm rebuild better-sqlite3$/);
    execFileSync('sh', ['-c', found.remedy], { env: prebuilt(), stdio: 'pipe' });
    assert.equal(site.onPostfix('doctor').status, 0);
    assert.deepEqual(await site.replies(), site.expected(true));
  });

  test('uninstalls', async () => {
    const { status, stderr } = site.onPostfix('uninstall', '--yes');
    assert.deepEqual([status, stderr], [0, '']);
    assert.deepEqual(await site.configuration(), original);
    assert.equal((await site.send('smtp', OUTSIDE)).code, 250);
    npm(['uninstall', '-g', 'postfix-allow-nets']);
    assert.equal(existsSync(join(prefix, 'bin/allow-nets')), false);
  });
});

const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** As the machine has it, for this user: a registry's address, its certificates and npm's cache are not what is tested. */
function npmSetting(name: string): string {
  return execFileSync('npm', ['config', 'get', name], { encoding: 'utf8' }).trim();
}

/** A checkout of its own, because `npm pack` builds, and other suites run the built file meanwhile. */
function copyCheckout(folder: string): string {
  const checkout = join(folder, 'checkout');
  mkdirSync(checkout);
  const left = new Set(['node_modules', '.git', 'bin', 'man', 'build']);
  for (const name of readdirSync('.').filter((one) => !left.has(one)))
    cpSync(name, join(checkout, name), { recursive: true });
  symlinkSync(realpathSync('node_modules'), join(checkout, 'node_modules'));
  return checkout;
}

/** Relative paths, sorted. */
function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}

/** The addon of a better-sqlite3 as prebuild-install looks for it. */
function packPrebuilt(module: string, into: string): void {
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
