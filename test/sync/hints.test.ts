// A change by hand in a synced database: the hint says what the next sync will do, and the next sync does that.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeSite } from './site';

const AWAY =
  'allow-nets: hint: the next sync from cat takes this away again, unless its list has it too or it is added with --local\n';
const BACK = 'allow-nets: hint: the next sync from cat brings this back, unless it is taken out of its list too\n';

test('add and remove say what the next sync will do', () => {
  const site = makeSite();
  const list = site.file('list', 'alice,10.0.0.0/8\nbob,192.0.2.1\n');
  const sync = () => assert.equal(site.run('sync', '--', 'cat', list).status, 0);
  const cases: [words: string, hint: string, after: string[]][] = [
    ['add carol 10.0.0.0/8', AWAY, []],
    ['add alice 10.2.0.0/16', AWAY, []],
    ['add alice 10.0.0.0/8', '', []],
    ['add carol 10.0.0.0/8 --local', '', ['carol 10.0.0.0/8 local']],
    // It stays local.
    ['add carol 10.0.0.0/8 --note x', '', ['carol 10.0.0.0/8 local x']],
    ['remove alice 10.0.0.0/8', BACK, []],
    ['remove bob --all', BACK, []],
  ];
  const entries = ['alice 10.0.0.0/8', 'bob 192.0.2.1/32'];
  assert.equal(site.run('add', 'eve', 'any').stderr, '', 'before the first sync there is nothing to say');
  site.run('remove', 'eve', '--all');
  sync();
  for (const [words, hint, after] of cases) {
    const { status, stderr } = site.run(...words.split(' '));
    assert.deepEqual([status, stderr.replace(/^.*no entry left.*\n/m, '')], [0, hint], words);
    sync();
    const isLocal = (entry: string) => entry.includes(' local');
    assert.deepEqual(
      site.entries().filter((entry) => !isLocal(entry)),
      entries,
      words,
    );
    if (after.length > 0) assert.deepEqual(site.entries().filter(isLocal), after, words);
  }
  assert.doesNotMatch(site.run('remove', 'carol', '--all').stderr, /sync/);
});
