// The way onto a running server, with a real Postfix and its own log: who has sent from where is learned, replay says that nobody would
// be refused, and from then on a stolen password is worth nothing elsewhere.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { needs } from '../requires';
import { askPolicy, describeWithPostfix, usualRestrictions } from '../rig/policy-set-up';
import { SmtpClient } from '../rig/smtp-client';

const users = { 'alice@example.com': 'secret', bob: 'secret', 'first, last': 'secret' };
const ATTACKER = '203.0.113.99';

/** Who sends what from where, and the entry that follows from it. */
const SENT: readonly [user: string, address: string, messages: number, network: string][] = [
  ['alice@example.com', '192.0.2.10', 3, '192.0.2.10/32'],
  ['alice@example.com', '2001:db8:1:2::5', 2, '2001:db8:1:2::/64'],
  ['bob', '198.51.100.7', 2, '198.51.100.7/32'],
  ['first, last', '192.0.2.10', 1, '192.0.2.10/32'],
  ['first, last', '::ffff:10.9.8.7', 1, '10.9.8.7/32'],
];

const open = `smtpd_recipient_restrictions=${usualRestrictions}`;
const listeners = {
  plain: [open],
  ports: [open, 'smtpd_client_port_logging=yes'],
  submission: [open, 'syslog_name=postfix/submission'],
  enforced: [askPolicy('unix:private/allow-nets')],
};
type Listener = keyof typeof listeners;

describeWithPostfix(
  'learn and replay on the log of a real Postfix',
  needs('root', 'postfix', 'dovecot', 'openssl'),
  (policy) => ({
    users,
    listeners,
    services: [policy.service('allow-nets', '--persistent')],
    parameters: { smtpd_relay_restrictions: '', enable_long_queue_ids: 'yes' },
  }),
  (suite) => {
    /** @returns the code of the answer to RCPT; the message is sent when it is 250 */
    async function send(listener: Listener, user: string, address: string, parameters = ''): Promise<number> {
      const client = await SmtpClient.logIn({ port: suite.postfix.ports[listener], user, address });
      await client.command('RSET');
      await client.command(`MAIL FROM:<sender@example.com>${parameters}`);
      const { code } = await client.rcpt('friend@example.net');
      if (code === 250) assert.equal((await client.data()).code, 250);
      await client.quit();
      return code;
    }

    /** Runs a command on the log as it is once Postfix has written all of it. */
    async function onLog(...words: string[]) {
      const from = suite.postfix.log().length;
      await (await SmtpClient.connect({ port: suite.postfix.ports.plain, localAddress: '127.0.0.250' })).quit();
      await suite.postfix.waitForLog(/ disconnect from .*\[127\.0\.0\.250\].*\n/, from);
      const file = join(suite.policy.folder, 'mail.log');
      writeFileSync(file, suite.postfix.log());
      const { node, script } = suite.policy.program;
      return spawnSync(node, [script, ...words, '--db', suite.policy.db, file], { encoding: 'utf8' });
    }

    test('users send from several addresses, and attackers try', async () => {
      const services = ['plain', 'ports', 'submission'] as const;
      let turn = 0;
      for (const [user, address, messages] of SENT) {
        for (let i = 0; i < messages; i++) {
          const listener = services[turn++ % services.length] ?? 'plain';
          const parameters = i === 1 ? ' AUTH=someone@example.com' : '';
          assert.equal(await send(listener, user, address, parameters), 250, `${user} from ${address}`);
        }
      }
      for (const [i, user] of Object.keys(users).entries()) {
        // Each from another address: Dovecot makes one that has failed wait.
        const session = { port: suite.postfix.ports.submission, user, address: `203.0.113.${i}`, password: 'guessed' };
        await assert.rejects(SmtpClient.logIn(session), /got 535 /);
      }
      // The database is empty: this one has a password and is refused by the policy.
      assert.equal(await send('enforced', 'alice@example.com', ATTACKER), 554);
    });

    test('learn finds exactly what was sent', async () => {
      const { status, stdout, stderr } = await onLog('learn', '--json');
      const rows = JSON.parse(stdout) as { user: string; network: string; messages: number }[];
      const found = rows.map(({ user, network, messages }) => `${user} ${network} ${messages}`);
      const expected = SENT.map(([user, , messages, network]) => `${user} ${network} ${messages}`);
      assert.deepEqual(found.sort(), expected.sort());
      assert.doesNotMatch(stderr, /left out/);
      assert.equal(status, 0);
    });

    test('learn --apply, and replay says that nobody would be refused', async () => {
      assert.match((await onLog('learn', '--apply')).stdout, /\nadded 5 entries of 3 users\n$/);
      const { status, stdout } = await onLog('replay');
      assert.match(stdout, /^deliveries {2}9\nallowed {5}9\nrefused {5}0\n/);
      assert.equal(status, 0);
    });

    test('enforced: users send from where they did, an attacker with the password is refused', async () => {
      for (const [user, address] of SENT) {
        assert.equal(await send('enforced', user, address), 250, `${user} from ${address}`);
        assert.equal(await send('enforced', user, ATTACKER), 554, `${user} from ${ATTACKER}`);
      }
    });
  },
);
