// What is printed depends on the lines only, not on their order.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { newDatabase } from '../rig/database';
import { run } from '../rig/run';
import { newFile } from '../rig/scratch';
import { taken } from './small-log';

const db = newDatabase();
// Networks that several entries allow in part.
for (const [user, ...networks] of [
  ['alice', '2001:db8:0:1::/65', '2001:db8:0:1:8000::/65', '192.0.2.0/25', '192.0.2.128/25'],
  ['bob', '198.51.100.0/24', '198.51.100.0/25'],
] as const) {
  assert.equal(run(['add', user, ...networks, '--db', db]).status, 0);
}

// Users and networks that are alike in all numbers.
const LINES = ['00', '07', '59'].flatMap((minute) => {
  const line = (user: string, address: string) => taken(user, address, `2026-11-04T05:${minute}:54Z`);
  const alike = ['dora', 'carl', '@evil', '*'].flatMap((user) =>
    [9, 3, 200].map((end) => line(user, `203.0.113.${end}`)),
  );
  const alice = ['2001:db8:0:1::1', '2001:db8:0:1:8000::1', '192.0.2.1', '192.0.2.129'];
  const bob = ['198.51.100.7', '198.51.100.201', 'unknown'];
  return [...alike, ...alice.map((address) => line('alice', address)), ...bob.map((address) => line('bob', address))];
});

for (const words of [
  ['learn', '--v4-prefix', '24'],
  ['learn', '--json', '--v6-prefix', '128'],
  ['replay', '--json'],
]) {
  test(words.join(' '), () => {
    const printed = (lines: readonly string[]) => run([...words, '--db', db, newFile(lines.join(''))]);
    const wanted = printed(LINES);
    assert.ok(wanted.stdout.length > 100);
    for (const shuffled of fc.sample(fc.shuffledSubarray(LINES, { minLength: LINES.length }), {
      numRuns: 4,
      seed: 1,
    })) {
      assert.deepEqual(printed(shuffled), wanted);
    }
  });
}
