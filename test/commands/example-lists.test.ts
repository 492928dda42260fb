// examples/lists: each list is loaded as its README says, by the script that the timer runs, too.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, test } from 'node:test';
import { mustRun, programFolder } from '../rig/run';
import { newPath } from '../rig/scratch';

const LISTS = path.resolve('examples/lists');
const GERMAN = ['192.0.2.0/24', '2001:db8::/32'];
const CASES: [file: string, options: string[], networks: string[]][] = [
  ['zone.txt', [], ['192.0.2.0/24', '198.51.100.7/32', '198.51.100.8/29', '198.51.100.16/30', '198.51.100.20/32', '2001:db8:1::/48']],
  ['ranges.csv', ['--country', 'DE'], GERMAN],
  ['ranges.csv', ['--country', 'DE', '--country', 'FR'], ['192.0.2.0/24', '198.51.100.0/25', '2001:db8::/32']],
  ['delegated.txt', ['--country', 'DE'], GERMAN],
  ['ranges.json', [], GERMAN],
]; // biome-ignore format: a table

function newDatabase(): { db: string; run: (...words: string[]) => string } {
  const db = newPath();
  const run = (...words: string[]) => mustRun([...words, '--db', db]);
  run('init');
  return { db, run };
}

const networksOf = (run: (...words: string[]) => string) =>
  JSON.parse(run('set', 'list', 'home', '--json')).map(({ network }: { network: string }) => network);

describe('an example of a published list', () => {
  for (const [file, options, networks] of CASES) {
    test(`${file} ${options.join(' ')}`, () => {
      const { run } = newDatabase();
      run('set', 'load', 'home', path.join(LISTS, file), ...options);
      assert.deepEqual(networksOf(run).sort(), [...networks].sort());
      const [summary] = JSON.parse(run('set', 'list', '--json'));
      assert.equal(summary.set, 'home');
      assert.equal(summary.networks, networks.length);
      assert.ok(summary.source.startsWith(path.join(LISTS, file)), summary.source);
      assert.match(run('set', 'list'), /^@home +\d+ networks +\d{4}-\d\d-\d\dT.*Z from \/.*\n$/);
    });
  }

  test('load-list.sh, as the service runs it', () => {
    const { db, run } = newDatabase();
    const bin = path.join(path.dirname(db), 'bin');
    fs.mkdirSync(bin);
    // curl takes the file that stands for the URL.
    fs.writeFileSync(
      path.join(bin, 'curl'),
      '#!/bin/sh\nwhile [ $# -gt 1 ]; do shift; [ "$1" = --output ] && out=$2; done\ncp "$1" "$out"\n',
      { mode: 0o755 },
    );
    const script = fs
      .readFileSync(path.join(LISTS, 'load-list.sh'), 'utf8')
      .replaceAll('/var/lib/allow-nets', path.dirname(db));
    const service = fs.readFileSync(path.join(LISTS, 'allow-nets-list.service'), 'utf8');
    assert.match(
      service,
      /^ExecStart=\/usr\/local\/sbin\/load-list\.sh https:\/\/lists\.example\.com\/delegated\.txt$/m,
    );
    const ran = spawnSync('sh', ['-e', '-c', script, 'load-list.sh', path.join(LISTS, 'delegated.txt')], {
      encoding: 'utf8',
      env: { PATH: `${bin}:${programFolder()}:/usr/bin:/bin`, ALLOW_NETS_DB: db },
    });
    assert.equal(ran.status, 0, ran.stderr);
    assert.deepEqual(networksOf(run), GERMAN);
  });
});
