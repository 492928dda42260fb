// The run-time dependencies: each is pinned with its hash.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

interface Locked {
  readonly version: string;
  readonly integrity?: string;
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
}

const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
  packages: Record<string, Locked>;
};
const runTime = Object.entries(packages)
  .filter(([folder, { dev }]) => folder !== '' && dev !== true)
  .map(([folder, locked]) => ({ name: folder.replace(/^.*node_modules\//, ''), ...locked }));

test('each is pinned by version and hash, and one alone has an install script', () => {
  assert.ok(runTime.length > 3);
  for (const { name, version, integrity } of runTime) {
    assert.match(version, /^\d+\.\d+\.\d+/, name);
    assert.match(integrity ?? '', /^sha512-/, name);
  }
  const scripts = runTime.filter(({ hasInstallScript }) => hasInstallScript).map(({ name }) => name);
  assert.deepEqual(scripts, ['better-sqlite3']);
});

test('ip-address is free of GHSA-v2v4-37r5-5v8g', () => {
  const { version = '' } = runTime.find(({ name }) => name === 'ip-address') ?? {};
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  assert.ok(major * 1e6 + minor * 1e3 + patch >= 10_001_001, version);
});
