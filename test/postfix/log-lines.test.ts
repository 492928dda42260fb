// What the program writes to Postfix's own mail log, and when: through postlog, run by the service user.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { needs } from '../requires';
import { askPolicy, clientAs, describeWithPostfix, programLines, rcptAs } from '../rig/policy-set-up';
import { SmtpClient } from '../rig/smtp-client';

describeWithPostfix(
  'log lines',
  needs('root', 'postfix', 'dovecot', 'openssl'),
  (policy) => {
    policy.allowNets('add', 'test1', '192.0.2.0/24');
    return {
      listeners: {
        reject: [askPolicy('unix:private/reject')],
        all: [askPolicy('unix:private/all')],
        none: [askPolicy('unix:private/none')],
        once: [askPolicy('{ unix:private/once, request_limit=1 }')],
      },
      services: [
        policy.service('reject', '--persistent'),
        policy.service('all', '--persistent', '--log', 'all'),
        policy.service('none', '--persistent', '--log', 'none'),
        policy.service('once'),
      ],
    };
  },
  (suite) => {
    for (const log of ['reject', 'once'] as const) {
      test(`${log}: a refusal is logged while the session goes on, an allowance is not`, async () => {
        const from = suite.postfix.log().length;
        const allowed = await clientAs(suite.postfix.ports[log], 'test1', '192.0.2.1');
        assert.equal((await allowed.rcpt('friend@example.net')).code, 250);
        const refused = await clientAs(suite.postfix.ports[log], 'test1', '198.51.100.1');
        assert.equal((await refused.rcpt('friend@example.net')).code, 554);
        await suite.postfix.waitForLog(/ postfix\/allow-nets\[\d+\]: /, from);
        await allowed.quit();
        await refused.quit();
        const lines = programLines(suite.postfix.log().slice(from));
        assert.equal(lines.length, 1, lines.join('\n'));
        assert.match(lines[0] ?? '', /^verdict=reject user=test1 address=198\.51\.100\.1 subject=test1 entry=( |$)/);
      });
    }

    test('--log all logs allowances and requests without a user too, with the attributes of the request', async () => {
      const from = suite.postfix.log().length;
      const client = await clientAs(suite.postfix.ports.all, 'test1', '192.0.2.1');
      assert.equal((await client.rcpt('friend@example.net')).code, 250);
      const refused = await clientAs(suite.postfix.ports.all, 'test1', '2001:db8::1');
      assert.equal((await refused.rcpt('friend@example.net')).code, 554);
      const stranger = await SmtpClient.connect({ port: suite.postfix.ports.all });
      await stranger.ehlo();
      await stranger.mail('sender@example.com');
      await stranger.rcpt('friend@example.net');
      const wanted = [
        /^verdict=dunno user=test1 address=192\.0\.2\.1 subject=test1 entry=192\.0\.2\.0\/24 .*recipient=friend@example\.net/,
        /^verdict=reject user=test1 address=2001:db8::1 subject=test1 .*sender=sender@example\.com/,
        /^verdict=dunno user= address=127\.0\.0\.1 .*protocol_state=RCPT/,
      ];
      for (const pattern of wanted) await suite.postfix.waitForLog(new RegExp(pattern.source.replace('^', ': ')), from);
      const lines = programLines(suite.postfix.log().slice(from));
      assert.equal(lines.length, wanted.length, lines.join('\n'));
      for (const each of [client, refused, stranger]) await each.quit();
    });

    test('--log none logs nothing', async () => {
      const from = suite.postfix.log().length;
      assert.equal((await rcptAs(suite.postfix.ports.none, 'test1', '198.51.100.1')).code, 554);
      // What comes after it in the log shows that nothing more is to come.
      assert.equal((await rcptAs(suite.postfix.ports.reject, 'test1', '198.51.100.2')).code, 554);
      await suite.postfix.waitForLog(/address=198\.51\.100\.2/, from);
      assert.deepEqual(
        programLines(suite.postfix.log().slice(from)).filter((line) => line.includes('198.51.100.1 ')),
        [],
      );
    });

    test('none of this caused a warning', () => {
      assert.deepEqual(suite.postfix.complaints(), []);
    });
  },
);
