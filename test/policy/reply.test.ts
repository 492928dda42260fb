import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Verdict } from '../../src/policy/decide';
import { actionOf, DEFAULT_REJECT_TEXT } from '../../src/policy/reply';

const REFUSED: Verdict = { kind: 'refused', why: 'no-entry', subject: null, entry: null, passed: [] };
const ALLOWED: Verdict = {
  kind: 'allowed',
  subject: 'x',
  entry: { network: 'any', set: null, expires: null },
  passed: [],
};

const CASES: [user: string, address: string, text: string, reply: string][] = [
  ['bob', '192.0.2.1', DEFAULT_REJECT_TEXT, 'bob may not send mail from 192.0.2.1'],
  ['bob', '', DEFAULT_REJECT_TEXT, 'bob may not send mail from'],
  ['{address}', '{user}', '{user} {address}', '{address} {user}'],
  ['$&', '$1', '{user} {address} $& $1 %s', '$& $1 $& $1 %s'],
  ['b\nob\r\0\x7f', '\x1b[31m', '{user} {address}', 'b?ob??? ?[31m'],
  ['bob\n\naction=ok', '::1', '{user}', 'bob??action=ok'],
  ['josé\u{1f600}', '::1', '{user}', 'jos??'],
  ['\ud800', '::1', '{user}', '?'],
  ['bob', '::1', 'a\nb\tc', 'a?b?c'],
  ['bob', '::1', 'x'.repeat(2000), 'x'.repeat(380)],
  ['b'.repeat(65000), '::1', '{user}', 'b'.repeat(380)],
  ['bob', '::1', `${' '.repeat(500)}`, ''],
];

describe('an action', () => {
  for (const [user, address, text, reply] of CASES) {
    test(`${JSON.stringify(user).slice(0, 40)} ${JSON.stringify(text).slice(0, 40)}`, () => {
      const action = actionOf(REFUSED, { user, address }, text);
      assert.equal(action, `action=reject 5.7.1 ${reply}`.trimEnd());
      assert.ok(action.length <= 400);
      assert.match(action, /^action=reject 5\.7\.1[ -~]*$/);
    });
  }

  test('is dunno in every other case, never ok', () => {
    for (const verdict of [ALLOWED, { kind: 'no-user' } as const]) {
      assert.equal(actionOf(verdict, { user: 'x', address: 'y' }, 'ok'), 'action=dunno');
    }
  });
});
