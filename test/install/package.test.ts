// The package as people get it: README's commands typed into a fresh clone, with nothing but Node and a compiler, and
// from there to mail through a real Postfix; then an upgrade of Node, of which the addon of another ABI is all that the
// program sees.
//
// better-sqlite3 has been downloaded or compiled by the `npm ci` before the tests; whatever builds it again is handed
// that addon.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { needs, program } from '../requires';
import { makeFolder, removeFolder } from '../rig/scratch';
import { waitFor } from '../rig/wait-for';
import { copyCheckout, Npm, packPrebuilt } from './npm';
import { INSIDE, OUTSIDE, Site } from './site';

/** As the README has it. */
const INSTALL = 'npm ci && npm pack && npm install -g ./postfix-allow-nets-*.tgz';

const SERVICES = { smtp: 'plain', own: 'plain' } as const;
const OWN = ['smtpd_recipient_restrictions = permit_sasl_authenticated, reject'];

/** better-sqlite3 13 holds addons for every Node.js: there is nothing to rebuild. */
const TIED = { skip: Number(process.versions['napi']) >= 10 && 'better-sqlite3 13 is tied to no Node.js' };

describe('the package', needs('root', 'postfix', 'dovecot', 'openssl', 'cc'), () => {
  let folder: string;
  let npm: Npm;
  let site: Site<keyof typeof SERVICES>;
  let original: Awaited<ReturnType<Site<string>['configuration']>>;

  before(async () => {
    folder = makeFolder('package');
    const prebuilds = join(folder, 'prebuilds');
    packPrebuilt(prebuilds);
    npm = new Npm(folder, prebuilds);
    // What the README says about npm 12.
    const allow = Number.parseInt(npm.run(['--version']), 10) >= 12 ? '--allow-scripts=better-sqlite3 ' : '';
    npm.shell(INSTALL.replace('-g ', `-g ${allow}`), copyCheckout(folder, 'none'));
    npm.runCommandOfInit(process.execPath);
    const script = realpathSync(join(npm.prefix, 'bin/allow-nets'));
    site = await Site.open(SERVICES, { listeners: { smtp: [], own: OWN } }, { node: process.execPath, script });
    original = await site.configuration();
  });
  after(() => {
    site?.close();
    if (folder) removeFolder(folder);
  });

  const packageFolder = () => npm.packageFolder;
  const rebuild = () => `cd ${packageFolder()} && PATH=${dirname(process.execPath)}:$PATH npm rebuild better-sqlite3`;
  const addon = () => join(packageFolder(), 'node_modules/better-sqlite3/build/Release/better_sqlite3.node');

  /** The first refusal after a reload, for which an smtpd that Postfix ends may still have answered. */
  const unpassed = (name: keyof typeof SERVICES) =>
    waitFor('mail to be refused', async () => {
      const reply = await site.send(name, INSIDE);
      return reply.code === 250 ? null : reply;
    });

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
    assert.ok(readme.includes(INSTALL));
    assert.match(readme, /--allow-scripts=better-sqlite3/);
  });

  test('gives the command and the manual page', () => {
    const run = spawnSync(join(npm.prefix, 'bin/allow-nets'), ['--version'], {
      encoding: 'utf8',
      env: npm.env,
    });
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
    assert.deepEqual([run.status, run.stdout, run.stderr], [0, `${version}\n`, '']);
    const page = join(npm.prefix, 'share/man/man8/allow-nets.8');
    assert.equal(relative(packageFolder(), realpathSync(page)), 'man/allow-nets.8');
  });

  test('man finds the page by its name', needs('man'), () => {
    const words = ['--where', 'allow-nets'];
    const MANPATH = join(npm.prefix, 'share/man');
    const where = execFileSync(program('man'), words, {
      encoding: 'utf8',
      env: { ...npm.env, MANPATH },
    });
    assert.match(where, /allow-nets\.8\n$/);
  });

  test('installs into Postfix and enforces', async () => {
    assert.equal(site.run(['init']).status, 0);
    assert.equal(site.run(['add', 'alice', INSIDE]).status, 0);
    const { status, stderr } = site.onPostfix('install', '--yes');
    assert.equal(status, 0, stderr);
    assert.ok(site.read('master.cf').includes(` ${join(packageFolder(), 'bin/allow-nets.js')} --persistent`));
    assert.deepEqual(await site.replies(), site.expected(true));
    const doctor = site.onPostfix('doctor');
    assert.deepEqual([doctor.status, doctor.stderr], [0, '']);
    assert.doesNotMatch(doctor.stdout, /^(warn|fail)/m);
  });

  test('an addon for another Node.js: a temporary error, and log and doctor name the remedy', TIED, async () => {
    installOtherAddon(folder, addon());
    await site.postfix.reload();
    const before = site.postfix.log().length;
    const { code, text } = await unpassed('smtp');
    assert.match(`${code} ${text}`, /^451 4\.3\.5 .*Policy service not available; see the mail log/);
    const hint = `rebuild it as the owner of the folder: ${rebuild()}`;
    const problem = `better-sqlite3 was built for another Node.js than ${process.version}`;
    await site.postfix.waitForLog(
      new RegExp(`allow-nets\\[\\d+\\]: warning: ${literal(`${problem}; ${hint}`)}`),
      before,
    );
    await site.postfix.waitForLog(/exit status 78/, before);
    const doctor = site.onPostfix('doctor', '--json');
    const found = JSON.parse(doctor.stdout).find(({ check }: { check: string }) => check === 'program');
    assert.ok(found.message.includes(problem), found.message);
    assert.deepEqual([found.status, found.remedy], ['fail', rebuild()]);
    assert.equal(doctor.status, 1);
    // Pasted where another Node.js comes first.
    const other = join(folder, 'other');
    mkdirSync(other);
    writeFileSync(join(other, 'node'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    const env = { ...npm.env, PATH: `${other}:${process.env['PATH']}` };
    execFileSync('sh', ['-c', found.remedy], { env, stdio: 'pipe' });
    assert.equal(site.onPostfix('doctor').status, 0);
    assert.deepEqual(await site.replies(), site.expected(true));
  });

  test(
    'no addon, as npm 12 leaves it: log and doctor say how, and the command that doctor names works',
    TIED,
    async () => {
      rmSync(join(packageFolder(), 'node_modules/better-sqlite3/build'), { recursive: true });
      await site.postfix.reload();
      const before = site.postfix.log().length;
      assert.equal((await unpassed('own')).code, 451);
      const hint = `build it as the owner of the folder: ${rebuild()}`;
      await site.postfix.waitForLog(new RegExp(`warning: .* is missing in .*; ${literal(hint)}`), before);
      const doctor = site.onPostfix('doctor', '--json');
      const found = JSON.parse(doctor.stdout).find(({ check }: { check: string }) => check === 'program');
      assert.equal(found.remedy, rebuild());
      execFileSync('sh', ['-c', found.remedy], { env: npm.env, stdio: 'pipe' });
      assert.equal(site.onPostfix('doctor').status, 0);
      assert.deepEqual(await site.replies(), site.expected(true));
    },
  );

  test('uninstalls', async () => {
    const { status, stderr } = site.onPostfix('uninstall', '--yes');
    assert.deepEqual([status, stderr], [0, '']);
    assert.deepEqual(await site.configuration(), original);
    assert.equal((await site.send('smtp', OUTSIDE)).code, 250);
    npm.run(['uninstall', '-g', 'postfix-allow-nets']);
    assert.equal(existsSync(join(npm.prefix, 'bin/allow-nets')), false);
  });
});

const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** Relative paths, sorted. */
function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
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
