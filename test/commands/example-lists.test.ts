// examples/lists: each list is loaded as its README says, by the script that the timer runs, too.
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, test } from 'node:test';
import { newDatabase } from '../rig/database';
import { mustRun, shell } from '../rig/run';
import { makeFolder } from '../rig/scratch';

const LISTS = path.resolve('examples/lists');
const GERMAN = ['192.0.2.0/24', '2001:db8::/32'];
const CASES: [file: string, options: string[], networks: string[]][] = [
  ['zone.txt', [], ['192.0.2.0/24', '198.51.100.7/32', '198.51.100.8/29', '198.51.100.16/30', '198.51.100.20/32', '2001:db8:1::/48']],
  ['ranges.csv', ['--country', 'DE'], GERMAN],
  ['ranges.csv', ['--country', 'DE', '--country', 'FR'], ['192.0.2.0/24', '198.51.100.0/25', '2001:db8::/32']],
  ['delegated.txt', ['--country', 'DE'], GERMAN],
  ['ranges.json', [], GERMAN],
]; // biome-ignore format: a table

const networksOf = (db: string): string[] =>
  JSON.parse(mustRun(['set', 'list', 'home', '--json'], { db })).map(({ network }: { network: string }) => network);

describe('an example of a published list', () => {
  for (const [file, options, networks] of CASES) {
    test(`${file} ${options.join(' ')} is loaded, and set list names the file`, () => {
      const db = newDatabase();
      mustRun(['set', 'load', 'home', path.join(LISTS, file), ...options], { db });
      assert.deepEqual(networksOf(db).sort(), [...networks].sort());
      const line = new RegExp(`^@home +${networks.length} networks +\\d{4}-\\d\\d-\\d\\dT.*Z from /.*/${file}.*\n$`);
      assert.match(mustRun(['set', 'list'], { db }), line);
    });
  }

  test('load-list.sh loads what curl brings, as the service runs it', () => {
    const db = newDatabase();
    const bin = makeFolder('curl');
    // It takes the file that stands for the URL.
    const curl = '#!/bin/sh\nwhile [ $# -gt 1 ]; do shift; [ "$1" = --output ] && out=$2; done\ncp "$1" "$out"\n';
    fs.writeFileSync(path.join(bin, 'curl'), curl, { mode: 0o755 });
    const script = fs.readFileSync(path.join(LISTS, 'load-list.sh'), 'utf8').replaceAll('/var/lib/allow-nets', bin);
    const file = path.join(bin, 'load-list.sh');
    fs.writeFileSync(file, script);
    const service = fs.readFileSync(path.join(LISTS, 'allow-nets-list.service'), 'utf8');
    const command = /^ExecStart=\/usr\/local\/sbin\/load-list\.sh https:\/\/lists\.example\.com\/delegated\.txt$/m;
    assert.match(service, command);
    const { status, stderr } = shell(`PATH=${bin}:$PATH; sh -e ${file} ${LISTS}/delegated.txt`, { db });
    assert.equal(status, 0, stderr);
    assert.deepEqual(networksOf(db), GERMAN);
  });
});
