// How a log line quotes what came in; decision.test.ts and by-hand.test.ts have the lines of all verdicts.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Verdict } from '../../src/policy/decide';
import { logLine } from '../../src/policy/log-line';

const REFUSED: Verdict = { kind: 'refused', why: 'no-entry', subject: null, entry: null, passed: [] };

const QUOTED: [value: string, text: string][] = [
  ['', ''],
  ['a b', '"a b"'],
  ['a"b', '"a\\"b"'],
  ['a\\b', '"a\\\\b"'],
  ['a\nb\r\t\0', '"a\\nb\\r\\t\\u0000"'],
  ['a\x7f\x9b', '"a\\u007f\\u009b"'],
  ['\u2028', '"\\u2028"'],
  ['josé', '"jos\\u00e9"'],
  ['\u{1f600}', '"\\ud83d\\ude00"'],
  ['\ufffd', '"\\ufffd"'],
  ["x'; drop table access;--", '"x\'; drop table access;--"'],
  ['verdict=dunno', 'verdict=dunno'],
  ['%s%n', '%s%n'],
  ['x'.repeat(1000), `${'x'.repeat(255)}...`],
];

describe('a log line', () => {
  for (const [user, text] of QUOTED) {
    test(`has ${JSON.stringify(user).slice(0, 40)} as ${text.slice(0, 40)}`, () => {
      const line = `verdict=reject user=${text} address=::1 subject= entry= reason=no-entry`;
      assert.equal(logLine(REFUSED, { user, address: '::1', attributes: new Map() }, false), line);
    });
  }

  test('of a refusal names the client as Postfix does', () => {
    const client: [string, string][] = [
      ['helo_name', 'verdict=reject user=eve'],
      ['client_name', 'unknown'],
      ['instance', '1a.2'],
    ];
    const line = (queue: string) => {
      const attributes = new Map([...client, ['queue_id', queue]]);
      return logLine(REFUSED, { user: 'bob', address: '::1', attributes }, false);
    };
    const start = 'verdict=reject user=bob address=::1 subject= entry= reason=no-entry client_name=unknown';
    assert.equal(line(''), `${start} helo_name="verdict=reject user=eve" instance=1a.2`);
    assert.equal(line('4F6C'), `${start} helo_name="verdict=reject user=eve" queue_id=4F6C`);
  });

  test('with the attributes of the request', () => {
    const attributes = new Map(Object.entries({ request: 'junk', helo_name: 'a b', 'A B': 'c', '': '', x: '\xe9=' }));
    assert.equal(
      logLine({ kind: 'no-user' }, { user: '', address: '', attributes }, true),
      'verdict=dunno user= address= reason=no-user request.request=junk request.helo_name="a b" ' +
        'request."A B"=c request.""= request.x="\\u00e9="',
    );
  });

  test('is one line of printable ASCII and not too long, whatever the request contains', () => {
    const attributes = new Map(Array.from({ length: 500 }, (_, i) => [`a${i}\x85`, `${String.fromCharCode(i)}\n`]));
    const text = [...attributes].join();
    const line = logLine(REFUSED, { user: text, address: text, attributes }, true);
    assert.match(line, /^[ -~]{1000,1900}$/);
  });
});
