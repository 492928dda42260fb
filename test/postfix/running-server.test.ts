// The chapter "Start on a running server" of the README: trial, learn, replay, enforce. The session runs against a real Postfix, and
// what it says is compared word for word; then mail shows that it is so.
// To write it anew after a wanted change: UPDATE=1 node test/run.mjs running-server
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { needs } from '../requires';
import { ROOT, replay } from '../transcript';
import { describeWithPostfix, rcptAs, usualRestrictions } from './policy-set-up';

const SESSION = join(ROOT, 'examples/sessions/start-on-a-running-server.txt');

describeWithPostfix(
  'start on a running server',
  needs('root', 'postfix', 'dovecot', 'openssl'),
  () => ({
    listeners: { submission: [`smtpd_recipient_restrictions=${usualRestrictions}`] },
    parameters: { smtpd_relay_restrictions: '', mynetworks: '192.0.2.1' },
  }),
  (suite) => {
    const rcpt = async (user: string, address: string) =>
      (await rcptAs(suite.postfix.ports.submission, user, address)).code;

    test('before it, whoever has the password sends from everywhere', async () => {
      assert.equal(await rcpt('dave@example.com', '198.18.4.9'), 250);
    });

    test('the session', () => {
      const session = readFileSync(SESSION, 'utf8');
      const now = replay(session, {
        program: suite.policy.program,
        env: { MAIL_CONFIG: suite.postfix.configDir },
        places: {
          '/var/lib/allow-nets/access.db': suite.policy.db,
          '/var/log/mail.log': join(ROOT, 'examples/mail.log'),
        },
      });
      if ((process.env['UPDATE'] ?? '') !== '') writeFileSync(SESSION, now);
      assert.equal(now, readFileSync(SESSION, 'utf8'));
    });

    test('after it, users send from where they did, and a thief does not', async () => {
      const rows: [user: string, address: string, code: number][] = [
        ['alice@example.com', '198.51.100.20', 250],
        ['alice@example.com', '2001:db8:77:1::1', 250],
        ['carol@example.com', '192.0.2.80', 250],
        ['dave@example.com', '198.51.100.22', 250],
        ['dave@example.com', '198.18.4.9', 554],
        ['alice@example.com', '198.18.4.9', 554],
        ['somebody', '192.0.2.80', 554],
      ];
      for (const [user, address, code] of rows) assert.equal(await rcpt(user, address), code, `${user} at ${address}`);
    });
  },
);
