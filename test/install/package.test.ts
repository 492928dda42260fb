// The package as people get it: README's commands typed into a fresh clone, with nothing but Node and a compiler, which
// nodes.test.ts takes from there to mail; then an upgrade of Node, of which the addon of another ABI is all that the program sees.
//
// better-sqlite3 has been downloaded or compiled by the `npm ci` before the tests; whatever builds it again is handed
// that addon.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { needs } from '../requires';
import { addonForAnotherNode } from '../rig/other-addon';
import { run } from '../rig/run';
import { makeFolder, removeFolder } from '../rig/scratch';
import { copyCheckout, Npm, packPrebuilt } from './npm';
import { pathWith } from './site';

/** As the README has it. */
const INSTALL = 'npm ci && npm pack && npm install -g ./postfix-allow-nets-*.tgz';

/** better-sqlite3 13 holds addons for every Node.js: there is nothing to rebuild. */
const TIED = { skip: Number(process.versions['napi']) >= 10 && 'better-sqlite3 13 is tied to no Node.js' };

describe('the package', needs('cc'), () => {
  let folder: string;
  let npm: Npm;

  before(() => {
    folder = makeFolder('package');
    const prebuilds = join(folder, 'prebuilds');
    packPrebuilt(prebuilds);
    npm = new Npm(folder, prebuilds);
    // What the README says about npm 12.
    const allow = Number.parseInt(npm.run(['--version']), 10) >= 12 ? '--allow-scripts=better-sqlite3 ' : '';
    npm.shell(INSTALL.replace('-g ', `-g ${allow}`), copyCheckout(folder, 'none'));
    npm.runCommandOfInit(process.execPath);
  });
  after(() => removeFolder(folder));

  const packageFolder = () => npm.packageFolder;
  const allowNets = (...words: string[]) =>
    run(words, { command: [join(npm.prefix, 'bin/allow-nets')], env: npm.env, db: join(folder, 'db/access.db') });

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
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
    assert.deepEqual(allowNets('--version'), { status: 0, stdout: `${version}\n`, stderr: '' });
    const page = join(npm.prefix, 'share/man/man8/allow-nets.8');
    assert.equal(relative(packageFolder(), realpathSync(page)), 'man/allow-nets.8');
  });

  test('an addon for another Node.js, and none, as npm 12 leaves it: the command of the hint repairs it', TIED, () => {
    const module = join(packageFolder(), 'node_modules/better-sqlite3');
    const addon = join(module, 'build/Release/better_sqlite3.node');
    const rebuild = `cd ${packageFolder()} && PATH=${dirname(process.execPath)}:$PATH npm rebuild better-sqlite3`;
    assert.equal(allowNets('init').status, 0);
    for (const [harm, problem] of [
      [() => copyFileSync(addonForAnotherNode(), addon), /better-sqlite3 was built for another Node\.js than v/],
      [() => rmSync(join(module, 'build'), { recursive: true }), / is missing in /],
    ] as const) {
      harm();
      const { status, stderr } = allowNets('list');
      assert.equal(status, 1);
      assert.match(stderr, problem);
      const [, remedy = ''] = /^allow-nets: hint: .* as the owner of the folder:\n {2}(.*)$/m.exec(stderr) ?? [];
      assert.equal(remedy, rebuild);
      // Pasted where another Node.js comes first.
      execFileSync('sh', ['-c', remedy], { env: { ...npm.env, PATH: pathWith('node', 'exit 1') }, stdio: 'pipe' });
      assert.deepEqual(allowNets('list'), { status: 0, stdout: '', stderr: '' });
    }
  });
});

/** Relative paths, sorted. */
function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}
