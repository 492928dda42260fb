// Files are named in any order: what is printed depends on the lines only.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { database, file, run } from './command';
import { randomFrom } from './random';
import { taken } from './small-log';

const db = database();
for (const [user, ...networks] of [
  ['alice', '2001:db8:0:1::/65', '2001:db8:0:1:8000::/65', '192.0.2.0/25', '192.0.2.128/25'],
  ['bob', '198.51.100.0/24', '198.51.100.0/25'],
] as const) {
  for (const network of networks) assert.equal(run(['add', user, network, '--db', db]).status, 0);
}

/** Users and networks that are alike in all numbers, and networks that several entries allow in part. */
const LINES: string[] = [];
for (const minute of ['00', '07', '59']) {
  const when = `2026-11-04T05:${minute}:54Z`;
  for (const half of ['1', '8000::1'])
    LINES.push(taken('alice', `2001:db8:0:1:${half}`.replace(':1:1', ':1::1'), when));
  for (const end of [1, 129]) LINES.push(taken('alice', `192.0.2.${end}`, when));
  for (const user of ['dora', 'carl', '@evil', '*']) {
    for (const end of [9, 3, 200]) LINES.push(taken(user, `203.0.113.${end}`, when));
  }
  for (const end of [7, 201]) LINES.push(taken('bob', `198.51.100.${end}`, when));
  LINES.push(taken('bob', 'unknown', when));
}

const COMMANDS = [
  ['learn', '--v4-prefix', '24'],
  ['learn', '--json', '--v4-prefix', '24'],
  ['learn', '--v6-prefix', '128'],
  ['replay'],
  ['replay', '--json'],
];

describe('in any order', () => {
  for (const words of COMMANDS) {
    test(words.join(' '), () => {
      const printed = (lines: readonly string[]) => run([...words, '--db', db, file(lines.join(''))]);
      const random = randomFrom(words.length);
      const wanted = printed(LINES);
      assert.ok(wanted.stdout.length > 100);
      for (let i = 0; i < 4; i++) {
        const shuffled = [...LINES];
        for (let at = shuffled.length - 1; at > 0; at--) {
          const other = random.below(at + 1);
          [shuffled[at], shuffled[other]] = [shuffled[other] as string, shuffled[at] as string];
        }
        assert.deepEqual(printed(shuffled), wanted);
      }
    });
  }
});
