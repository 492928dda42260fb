import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, test } from 'node:test';
import { Trouble } from '../../src/failure';
import type { Verdict } from '../../src/policy/decide';
import { actionOf, DEFAULT_REJECT_TEXT, writeReply } from '../../src/policy/reply';
import { makeScratch } from './scratch';

const REFUSED: Verdict = { kind: 'refused', why: 'no-entry', subject: null, entry: null };
const ALLOWED: Verdict = {
  kind: 'allowed',
  subject: 'x',
  entry: { network: 'any', set: null, expires: null },
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
      const action = actionOf(REFUSED, { user, address, wellFormed: true }, text);
      assert.equal(action, `action=reject 5.7.1 ${reply}`.trimEnd());
      assert.ok(action.length <= 400);
      assert.match(action, /^action=reject 5\.7\.1[ -~]*$/);
    });
  }

  test('is dunno in every other case, never ok', () => {
    for (const verdict of [ALLOWED, { kind: 'no-user' } as const]) {
      assert.equal(actionOf(verdict, { user: 'x', address: 'y', wellFormed: true }, 'ok'), 'action=dunno');
    }
  });
});

describe('writing a reply', () => {
  const scratch = makeScratch();

  test('writes it with an empty line', () => {
    const file = path.join(scratch, 'reply');
    const descriptor = fs.openSync(file, 'w');
    assert.equal(writeReply(descriptor, 'action=dunno'), true);
    fs.closeSync(descriptor);
    assert.equal(fs.readFileSync(file, 'latin1'), 'action=dunno\n\n');
  });

  test('a full disk is trouble', () => {
    const full = fs.openSync('/dev/full', 'w');
    assert.throws(
      () => writeReply(full, 'action=dunno'),
      (error) => error instanceof Trouble && error.failure.kind === 'output',
    );
    fs.closeSync(full);
  });

  test('a peer that has gone is none', () => {
    const fifo = path.join(scratch, 'fifo');
    assert.equal(spawnSync('mkfifo', [fifo]).status, 0);
    const both = fs.openSync(fifo, 'r+');
    const writer = fs.openSync(fifo, 'w');
    fs.closeSync(both);
    assert.equal(writeReply(writer, 'action=dunno'), false);
    fs.closeSync(writer);
  });
});
