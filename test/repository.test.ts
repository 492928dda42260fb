// What holds for the whole repository: the folders of src/, the run-time dependencies, the table of tests in test/README.md.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';

test('the folders of src/ import each other one way', () => {
  /** The folder below src/, or the name of a file that lies in src/ itself: commands.ts is the table of commands/. */
  const placeOf = (path: string) => path.split('/')[1]?.replace(/\.ts$/, '') ?? '';
  const imports = new Map<string, Set<string>>();
  for (const name of readdirSync('src', { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.ts')) continue;
    const path = join('src', name);
    const place = placeOf(path);
    const targets = [...readFileSync(path, 'utf8').matchAll(/(?:from |\()'(\.[^']*)'/g)].map(([, target = '']) =>
      placeOf(normalize(join(dirname(path), target))),
    );
    imports.set(place, new Set([...(imports.get(place) ?? []), ...targets.filter((target) => target !== place)]));
  }
  assert.ok(imports.get('policy')?.has('rules'));
  // Take away whatever imports nothing that is left, until nothing more can go: only circles remain.
  for (let size = -1; size !== imports.size; ) {
    size = imports.size;
    for (const [place, targets] of imports) {
      if (![...targets].some((target) => imports.has(target))) imports.delete(place);
    }
  }
  assert.deepEqual([...imports.keys()], []);
});

test('main.ts names the files that a request passes through, ten at most', () => {
  const way = /The way of a request(.*?)After the reply/s.exec(readFileSync('src/main.ts', 'utf8'))?.[1] ?? '';
  const named = way.match(/(?<=^\/\/ {3}|; )(?:descriptor|\w+\/\w+)/gm) ?? [];
  assert.ok(named.length > 5 && named.length <= 10, named.join(' '));
  assert.deepEqual(
    named.filter((name) => !existsSync(`src/${name}.ts`)),
    [],
  );
});

test('run-time dependencies are pinned with their hash, and only one has an install script', () => {
  type Locked = { version: string; integrity?: string; dev?: boolean; hasInstallScript?: boolean };
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as { packages: Record<string, Locked> };
  const scripts: string[] = [];
  for (const [folder, { version, integrity, dev, hasInstallScript }] of Object.entries(packages)) {
    if (folder === '' || dev === true) continue;
    assert.match(`${version} ${integrity}`, /^\d+\.\d+\.\d+\S* sha512-/, folder);
    if (hasInstallScript) scripts.push(folder);
  }
  assert.deepEqual(scripts, ['node_modules/better-sqlite3']);
  // GHSA-v2v4-37r5-5v8g is fixed in 10.1.1.
  const [major = 0, minor = 0, patch = 0] = (packages['node_modules/ip-address']?.version ?? '').split('.').map(Number);
  assert.ok(major * 1e6 + minor * 1e3 + patch >= 10_001_001);
});

test('every test that test/README.md names exists', () => {
  const rows = readFileSync('test/README.md', 'utf8').match(/^\|.*\|$/gm) ?? [];
  const named = rows.flatMap((row) => row.match(/(?<=`)(?!examples)[\w-]+\/[\w-]+(?=`)/g) ?? []);
  const files = new Set(readdirSync('test', { recursive: true, encoding: 'utf8' }));
  assert.ok(named.length > 40, `only ${named.length} names are found`);
  assert.deepEqual(
    named.filter((name) => !files.has(`${name}.test.ts`)),
    [],
  );
});
