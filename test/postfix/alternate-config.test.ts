// The default main.cf while private instances are listed in it, and after.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { withFolder, withoutFolder } from './alternate-config';

const a = '/tmp/allow-nets-postfix-aaaaaa/etc';
const b = '/tmp/allow-nets-postfix-bbbbbb/etc';
const allThere = () => true;

describe('alternate_config_directories in the default main.cf', () => {
  const texts: [name: string, text: string | null][] = [
    ['of a usual server', '# a comment\nmyhostname = mail.example.com\nmynetworks = 127.0.0.0/8\n  [::1]/128\n'],
    [
      'with folders of the administrator',
      'alternate_config_directories = /etc/postfix-out,\n  /etc/postfix-in\nbiff = no\n',
    ],
    ['that is empty', ''],
    ['that is not there', null],
  ];
  for (const [name, text] of texts) {
    test(`a main.cf ${name} is as it was after two instances, in either order`, () => {
      const both = withFolder(withFolder(text, a, allThere), b, allThere);
      for (const [first, second] of [
        [a, b],
        [b, a],
      ] as const) {
        const one = withoutFolder(both, first) ?? '';
        assert.ok(one.includes(second) && !one.includes(first), one);
        assert.equal(withoutFolder(one, second), text);
      }
    });
  }

  test('a folder becomes part of the value, beside those of the administrator', () => {
    const text = 'alternate_config_directories = /etc/postfix-out,\n  /etc/postfix-in\nbiff = no\n';
    assert.equal(
      withFolder(text, a, allThere),
      `alternate_config_directories = /etc/postfix-out,\n    ${a}\n  /etc/postfix-in\nbiff = no\n`,
    );
  });

  test('what a killed test left goes with the next change', () => {
    const left = withFolder('biff = no\n', a, allThere);
    const next = withFolder(left, b, (folder) => folder !== a);
    assert.equal(withoutFolder(next, b), 'biff = no\n');
  });
});
