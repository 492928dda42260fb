// No user name, however hostile, breaks a reply, a log line or the connection to the program. faults/lookup has the names that look alike.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { needs } from '../requires';
import { askPolicy, clientAs, describeWithPostfix, programLines } from './policy-set-up';
import { SmtpClient } from './smtp-client';

/** Postfix itself makes `?` of control characters that come by XCLIENT; what is left reaches the program. */
// biome-ignore format: a list of words
const hostileNames: readonly (string | Buffer)[] = [
  'two\nlines', 'an answer\n\naction=ok\n\n', '\r\n\taction=dunno', `both ' and "`, "x' or '1'='1", "'; drop table access; --",
  'back\\slash\\', '{address}{user}{}', '$& $1 %s%n', 'a=b=c', 'test1 verdict=dunno', 'two words, and a comma',
  'jürgen@exämple.com', 'tеst1@example.com (with a Cyrillic letter)', 'emoji\u{1F600}', 'right\u202eto left',
  Buffer.from([0x61, 0xff, 0xfe, 0xc3, 0x28]), Buffer.from([0x61, 0x00, 0x62]), 'test1 ', '@', '@example.com', '*',
  'x'.repeat(250), 'ü'.repeat(40), // Postfix takes 255 bytes of xtext.
];

/** More than XCLIENT takes; Dovecot and Postfix take it in AUTH. */
const long = 'a'.repeat(1000);

describeWithPostfix(
  'hostile user names',
  needs('root', 'postfix', 'dovecot', 'openssl'),
  (policy) => {
    policy.allowNets('add', 'test1', '192.0.2.0/24');
    return {
      users: { [long]: 'secret', [`${long}b`]: 'secret' },
      listeners: { smtp: [askPolicy('unix:private/allow-nets')] },
      services: [policy.service('allow-nets', '--persistent', '--log', 'all')],
    };
  },
  (suite) => {
    /** The reply to one recipient after AUTH, from 127.0.0.1. */
    async function rcptAfterAuth(user: string) {
      const client = await SmtpClient.connect({ port: suite.postfix.ports.smtp });
      await client.ehlo();
      assert.equal((await client.authPlain(user, 'secret')).code, 235);
      await client.mail('sender@example.com');
      const reply = await client.rcpt('friend@example.net');
      await client.quit();
      return reply;
    }

    for (const name of hostileNames) {
      const printable = JSON.stringify(Buffer.from(name).toString('latin1')).slice(0, 60);
      test(`hostile name ${printable}: one printable reply, one printable log line`, async () => {
        const from = suite.postfix.log().length;
        const client = await clientAs(suite.postfix.ports.smtp, name, '192.0.2.1');
        const { code, text } = await client.rcpt('friend@example.net');
        assert.equal(code, 554, text);
        assert.match(text, /^5\.7\.1 [ -~]* may not send mail from 192\.0\.2\.1$/);
        // The connection to the program stands, and the next user gets an answer of his own.
        await client.xclient({ ADDR: '192.0.2.1', LOGIN: 'test1' });
        await client.mail('sender@example.com');
        assert.equal((await client.rcpt('friend@example.net')).code, 250);
        await client.quit();
        await suite.postfix.waitForLog(/allow-nets\[\d+\]: verdict=dunno user=test1 address=192\.0\.2\.1 /, from);
        const lines = programLines(suite.postfix.log().slice(from));
        assert.equal(lines.length, 2, lines.join('\n'));
        for (const line of lines)
          assert.match(line, /^verdict=(reject|dunno) user=[ -~]* address=192\.0\.2\.1 [ -~]*$/);
        assert.match(lines[0] ?? '', /^verdict=reject /);
      });
    }

    test('a user name of 1,000 characters, by AUTH', async () => {
      for (const user of [long, `${long}b`]) {
        const from = suite.postfix.log().length;
        const { code, text } = await rcptAfterAuth(user);
        assert.equal(code, 554);
        assert.match(text, /^5\.7\.1 <friend@example\.net>: Recipient address rejected: a{300,400}$/);
        await suite.postfix.waitForLog(
          /allow-nets\[\d+\]: verdict=reject user=a{255}\.\.\. address=127\.0\.0\.1 /,
          from,
        );
      }
      // Allowed from its network, while the name with one letter more is another user.
      suite.policy.allowNets('add', long, '127.0.0.1');
      assert.equal((await rcptAfterAuth(long)).code, 250);
      assert.equal((await rcptAfterAuth(`${long}b`)).code, 554);
    });

    test('no warning came of all this', () => {
      assert.deepEqual(suite.postfix.complaints(), []);
    });
  },
);
