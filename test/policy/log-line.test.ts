import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Verdict } from '../../src/policy/decide';
import { logLine } from '../../src/policy/log-line';

const refused = (
  why: 'no-entry' | 'no-address' | 'not-covered' | 'expired' | 'blocked',
  subject: string | null,
): Verdict => ({
  kind: 'refused',
  why,
  subject,
  entry: why === 'expired' ? { network: '10.0.0.0/8', set: null, expires: 'x' } : null,
  passed: [],
});
const allowed = (network: string, set: string | null): Verdict => ({
  kind: 'allowed',
  subject: 'bob',
  entry: { network, set, expires: null },
  passed: [],
});

const CASES: [verdict: Verdict, user: string, address: string, line: string][] = [
  [{ kind: 'no-user' }, '', '::1', 'verdict=dunno user= address=::1 reason=no-user'],
  [allowed('any', null), 'bob', '::1', 'verdict=dunno user=bob address=::1 subject=bob entry=any'],
  [allowed('::/0', 'office'), 'bob', '::1', 'verdict=dunno user=bob address=::1 subject=bob entry=@office:::/0'],
  [refused('no-entry', null), 'bob', '', 'verdict=reject user=bob address= subject= entry= reason=no-entry'],
  [refused('expired', '*'), 'b', 'c', 'verdict=reject user=b address=c subject=* entry=10.0.0.0/8 reason=expired'],
  ...(
    [
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
    ] as const
  ).map(([user, text]): [Verdict, string, string, string] => [
    refused('not-covered', 'x'),
    user,
    '::1',
    `verdict=reject user=${text} address=::1 subject=x entry= reason=not-covered`,
  ]),
];

const withAttributes = (...attributes: [string, string][]) => new Map(attributes);

describe('a log line', () => {
  for (const [verdict, user, address, line] of CASES) {
    test(line.slice(0, 80), () => {
      assert.equal(logLine(verdict, { user, address, attributes: new Map() }, false), line);
    });
  }

  test('of a refusal names the client as Postfix does', () => {
    const client: [string, string][] = [
      ['helo_name', 'verdict=reject user=eve'],
      ['client_name', 'unknown'],
      ['instance', '1a.2'],
    ];
    const line = (queue: string) => {
      const attributes = withAttributes(...client, ['queue_id', queue]);
      return logLine(refused('no-entry', null), { user: 'bob', address: '::1', attributes }, false);
    };
    const start = 'verdict=reject user=bob address=::1 subject= entry= reason=no-entry client_name=unknown';
    assert.equal(line(''), `${start} helo_name="verdict=reject user=eve" instance=1a.2`);
    assert.equal(line('4F6C'), `${start} helo_name="verdict=reject user=eve" queue_id=4F6C`);
  });

  test('with the attributes that came in', () => {
    const attributes = withAttributes(
      ['request', 'smtpd_access_policy'],
      ['helo_name', 'a b'],
      ['A B', 'c'],
      ['', ''],
      ['x', '\xe9='],
    );
    assert.equal(
      logLine({ kind: 'no-user' }, { user: '', address: '', attributes }, true),
      'verdict=dunno user= address= reason=no-user request.request=smtpd_access_policy request.helo_name="a b" ' +
        'request."A B"=c request.""= request.x="\\u00e9="',
    );
  });

  test('is one line of printable ASCII and not too long, whatever came in', () => {
    const attributes = new Map(Array.from({ length: 500 }, (_, i) => [`a${i}\x85`, `${String.fromCharCode(i)}\n`]));
    const text = [...attributes].join();
    const line = logLine(refused('no-entry', null), { user: text, address: text, attributes }, true);
    assert.match(line, /^[ -~]{1000,1900}$/);
  });
});
