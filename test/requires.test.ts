// The rule for suites whose programs are not installed.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { missing } from './packages.mjs';
import { whenLacking } from './requires';

describe('what a suite needs', () => {
  const nowhere = () => undefined;
  const anywhere = (program: string) => `/usr/bin/${program}`;

  test('a missing program is named with its Debian package', () => {
    assert.deepEqual(missing(['postfix', 'dovecot'], nowhere), [
      'postfix (Debian package postfix)',
      'dovecot (Debian package dovecot-core)',
    ]);
    assert.deepEqual(missing(['postfix', 'dovecot'], anywhere), []);
  });

  test('a name that is not in the table is a mistake of the suite', () => {
    assert.throws(() => missing(['postfxi'], anywhere), /postfxi is not in the table/);
  });

  test('what is missing skips the suite with the reason, and is an error with CI=true', () => {
    assert.deepEqual(whenLacking([], true), { skip: false });
    assert.deepEqual(whenLacking(['a (Debian package b)'], false), {
      skip: 'LEFT OUT: needs a (Debian package b)',
    });
    assert.throws(() => whenLacking(['a (Debian package b)'], true), /left out.*needs a \(Debian package b\)/);
  });
});
