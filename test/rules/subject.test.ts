// The subjects of a user name, in their order, and which spellings are one name.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { subjectsOf } from '../../src/policy/decide';
import { foldName } from '../../src/rules/meaning';

const SUBJECTS: [user: string, subjects: string[]][] = [
  ['bob@example.com', ['bob@example.com', 'bob', '@example.com', '*']],
  ['Bob@Example.COM', ['bob@example.com', 'bob', '@example.com', '*']],
  ['bob', ['bob', '*']],
  ['BOB', ['bob', '*']],
  // A local part that would be a subject of another kind is none.
  ['a@b@example.com', ['a@b@example.com', '@example.com', '*']],
  ['*@example.com', ['*@example.com', '@example.com', '*']],
  ['@example.com@example.net', ['@example.com@example.net', '@example.net', '*']],
  ['@example.com', ['@example.com', '@example.com', '*']],
  ['bob@', ['bob@', 'bob', '@', '*']],
  ['@', ['@', '@', '*']],
  ['*', ['*', '*']],
  [' bob ', [' bob ', '*']],
  ['bob+tag@example.com', ['bob+tag@example.com', 'bob+tag', '@example.com', '*']],
  // Composed and decomposed spelling are one name; case goes with them.
  ['JOSE\u0301@Example.com', ['josé@example.com', 'josé', '@example.com', '*']],
  ['\u212Aim', ['kim', '*']], // the Kelvin sign is canonically the letter K
  // A composed small letter whose capital has no composed form.
  ['H\u0331', ['\u1e96', '*']],
  ['bob\u200b', ['bob\u200b', '*']],
  ['b\u043eb', ['b\u043eb', '*']], // a Cyrillic o stays another letter
];

describe('the subjects of a user name', () => {
  for (const [user, subjects] of SUBJECTS) {
    test(JSON.stringify(user), () => assert.deepEqual(subjectsOf(user), subjects));
  }

  test('a name with a NUL or with bytes that are not UTF-8 is not a subject, its other parts are', () => {
    assert.deepEqual(subjectsOf('b\ufffdb@example.com'), ['@example.com', '*']);
    assert.deepEqual(subjectsOf('bob@ex\ufffd'), ['bob', '*']);
    assert.deepEqual(subjectsOf('bob\0aaaa'), ['*']);
    assert.deepEqual(subjectsOf('\ufffd'), ['*']);
  });

  test('a name, its folded form and its other spellings fold to the same, for every letter there is', () => {
    const wrong: string[] = [];
    for (let code = 0; code < 0x110000; code++) {
      if (code >= 0xd800 && code < 0xe000) continue;
      const name = `x${String.fromCodePoint(code)}`;
      const spellings = [foldName(name), name.normalize('NFD'), name.normalize('NFC')];
      if (spellings.some((spelling) => foldName(spelling) !== foldName(name))) wrong.push(`U+${code.toString(16)}`);
    }
    assert.deepEqual(wrong, []);
  });
});
