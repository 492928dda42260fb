// No user name, however hostile, breaks a reply, a log line or the connection to the program, or is taken for another one.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { needs } from '../requires';
import { askPolicy, clientAs, type PolicySetUp, programLines, setUpPolicy } from './policy-set-up';
import { type PrivatePostfix, startPrivatePostfix } from './private-postfix';

/** Postfix itself makes `?` of control characters that come by XCLIENT; the program must bear what is left. */
const hostileNames: readonly (string | Buffer)[] = [
  'two\nlines',
  'an answer\n\naction=ok\n\n',
  '\r\n\taction=dunno',
  `both ' and "`,
  "x' or '1'='1",
  "'; drop table access; --",
  'back\\slash\\',
  '{address}{user}{}',
  '$& $1 %s%n',
  'a=b=c',
  'test1 verdict=dunno',
  'two words, and a comma',
  'jürgen@exämple.com',
  'tеst1@example.com (with a Cyrillic letter)',
  'emoji\u{1F600}',
  'right\u202eto left',
  Buffer.from([0x61, 0xff, 0xfe, 0xc3, 0x28]),
  Buffer.from([0x61, 0x00, 0x62]),
  'x'.repeat(250),
  // Postfix takes 255 bytes of xtext.
  'ü'.repeat(40),
  'test1 ',
  '@',
  '@example.com',
  '*',
];

describe('hostile user names', needs('root', 'postfix', 'dovecot', 'openssl'), () => {
  let policy: PolicySetUp;
  let postfix: PrivatePostfix<'smtp'>;

  before(async () => {
    policy = setUpPolicy('names');
    policy.allowNets('add', 'test1', '192.0.2.0/24');
    postfix = await startPrivatePostfix({
      listeners: { smtp: [askPolicy('unix:private/allow-nets')] },
      services: [policy.service('allow-nets', '--persistent', '--log', 'all')],
    });
  });
  after(() => {
    postfix?.stop();
    policy?.remove();
  });

  for (const name of hostileNames) {
    const shown = JSON.stringify(Buffer.from(name).toString('latin1')).slice(0, 60);
    test(`hostile name ${shown}: one printable reply, one printable log line`, async () => {
      const from = postfix.log().length;
      const client = await clientAs(postfix.ports.smtp, name, '192.0.2.1');
      const { code, text } = await client.rcpt('friend@example.net');
      assert.equal(code, 554, text);
      assert.match(text, /^5\.7\.1 [ -~]* may not send mail from 192\.0\.2\.1$/);
      // The connection to the program stands, and the next user gets an answer of his own.
      await client.xclient({ ADDR: '192.0.2.1', LOGIN: 'test1' });
      await client.mail('sender@example.com');
      assert.equal((await client.rcpt('friend@example.net')).code, 250);
      await client.quit();
      await postfix.waitForLog(/allow-nets\[\d+\]: verdict=dunno user=test1 address=192\.0\.2\.1 /, from);
      const lines = programLines(postfix.log().slice(from));
      assert.equal(lines.length, 2, lines.join('\n'));
      for (const line of lines)
        assert.match(line, /^verdict=(reject|dunno) user=[ -~]* address=192\.0\.2\.1 [ -~]*$/);
      assert.match(lines[0] ?? '', /^verdict=reject /);
    });
  }

  test('no warning came of all this', () => {
    assert.deepEqual(postfix.log().match(/^.*(warning|error|fatal|panic):.*$/gm) ?? [], []);
  });
});
