// Mail through a real Postfix that asks the program: who may relay, with real SMTP AUTH from real loopback addresses, and
// that clients without AUTH are treated as without it.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { needs } from '../requires';
import { askPolicy, describeWithPostfix, rcptAs } from '../rig/policy-set-up';
import { hasIPv6 } from '../rig/ports';
import { type ConnectOptions, SmtpClient } from '../rig/smtp-client';

const users = { test1: 'secret one', test2: 'secret two', 'o\'brien "x"': 'secret three' };

/** A listener that ends its restrictions in ways that can be told apart. */
const following = [
  'permit_sasl_authenticated',
  'permit_mynetworks',
  'check_client_access inline:{ 198.51.100.66=reject }',
  'reject_unauth_destination',
].join(', ');

describeWithPostfix(
  'mail through Postfix',
  needs('root', 'postfix', 'dovecot', 'openssl'),
  (policy) => {
    policy.allowNets('add', 'test1', '127.0.0.1', '::1');
    policy.allowNets('add', 'test2', '172.31.27.95/32');
    policy.allowNets('add', 'o\'brien "x"', '127.0.0.1');
    return {
      users,
      listeners: {
        checked: [askPolicy('unix:private/allow-nets', following)],
        unchecked: [`smtpd_recipient_restrictions=${following}`],
        text: [askPolicy('unix:private/with-text')],
      },
      services: [
        policy.service('allow-nets', '--persistent'),
        policy.service('with-text', '--persistent', '--reject-text', 'Ask the help desk about {user} at {address}'),
      ],
      parameters: {
        // Postfix asks these first, and by default they would refuse what is to reach the list with the policy.
        smtpd_relay_restrictions: '',
        mydestination: 'local.test',
        local_recipient_maps: '',
        local_transport: 'discard',
        mynetworks: '127.0.0.0/8 [::1]/128 203.0.113.0/24',
      },
    };
  },
  (suite) => {
    async function logIn(user: keyof typeof users, from: Partial<ConnectOptions> = {}) {
      const client = await SmtpClient.connect({ port: suite.postfix.ports.checked, ...from });
      await client.ehlo();
      assert.equal((await client.authPlain(user, users[user])).code, 235, `${user} authenticates`);
      await client.mail(`test1@example.com`);
      return client;
    }

    test('test1 from 127.0.0.1 relays', async () => {
      const client = await logIn('test1');
      assert.equal((await client.rcpt('friend@example.net')).code, 250);
      const sent = await client.data();
      await client.quit();
      assert.equal(sent.code, 250);
      const queued = /queued as (\w+)/.exec(sent.text)?.[1];
      await suite.postfix.waitForLog(new RegExp(`${queued}: to=<friend@example.net>.*status=sent`));
    });

    test('test2, allowed elsewhere, logs in from 127.0.0.1 and is refused', async () => {
      const client = await logIn('test2');
      const refused = await client.rcpt('friend@example.net');
      const data = await client.data();
      await client.quit();
      assert.equal(refused.code, 554);
      assert.match(refused.text, /^5\.7\.1 .*: test2 may not send mail from 127\.0\.0\.1$/);
      assert.equal(data.code, 554, 'nothing is sent without a recipient');
    });

    test('test1 is refused from another address, by AUTH LOGIN too', async () => {
      const client = await SmtpClient.connect({ port: suite.postfix.ports.checked, localAddress: '127.9.9.9' });
      await client.ehlo();
      assert.equal((await client.authLogin('test1', users.test1)).code, 235);
      await client.mail('test1@example.com');
      const refused = await client.rcpt('friend@example.net');
      await client.quit();
      assert.equal(refused.code, 554);
      assert.match(refused.text, /: test1 may not send mail from 127\.9\.9\.9$/);
    });

    test('test1 from ::1 relays, after STARTTLS', { skip: !hasIPv6 && 'this machine has no ::1' }, async () => {
      const client = await SmtpClient.connect({ port: suite.postfix.ports.checked, host: '::1' });
      await client.ehlo();
      await client.startTls();
      assert.equal((await client.authPlain('test1', users.test1)).code, 235);
      await client.mail('test1@example.com');
      const accepted = await client.rcpt('friend@example.net');
      await client.quit();
      assert.equal(accepted.code, 250);
    });

    test('a user name with a space and both quotes relays from its network only', async () => {
      const name = 'o\'brien "x"';
      for (const [localAddress, code] of [
        ['127.0.0.1', 250],
        ['127.0.0.2', 554],
      ] as const) {
        const client = await logIn(name, { localAddress });
        assert.equal((await client.rcpt('friend@example.net')).code, code, localAddress);
        await client.quit();
      }
    });

    test('--reject-text with spaces, as a word in braces in argv=', async () => {
      const client = await logIn('test2', { port: suite.postfix.ports.text });
      const refused = await client.rcpt('friend@example.net');
      await client.quit();
      assert.match(refused.text, /^5\.7\.1 .*: Ask the help desk about test2 at 127\.0\.0\.1$/);
    });

    describe('a client that has not logged in is treated as if the policy were not there', () => {
      const cases: [name: string, address: string, to: string, reply: RegExp][] = [
        ['of mynetworks, to anywhere', '203.0.113.9', 'friend@example.net', /^250 /],
        ['from outside, to a local domain', '198.51.100.1', 'someone@local.test', /^250 /],
        ['from outside, to anywhere', '198.51.100.1', 'friend@example.net', /^554 5\.7\.1 .*Relay access denied/],
        [
          'refused by the restriction that follows',
          '198.51.100.66',
          'someone@local.test',
          /^554 5\.7\.1 .*Access denied/,
        ],
        ['IPv6, to a local domain', '2001:db8:99::1', 'someone@local.test', /^250 /],
        ['IPv6, to anywhere', '2001:db8:99::1', 'friend@example.net', /^554 5\.7\.1 .*Relay access denied/],
        ['of no known address, to a local domain', '[UNAVAILABLE]', 'someone@local.test', /^250 /],
      ];
      for (const [name, address, to, reply] of cases) {
        test(name, async () => {
          const checked = await replyTo(suite.postfix.ports.checked, address, to);
          assert.equal(checked, await replyTo(suite.postfix.ports.unchecked, address, to));
          assert.match(checked, reply);
        });
      }
    });

    test('nothing of all this made Postfix or the program complain', () => {
      assert.deepEqual(suite.postfix.complaints(), []);
    });
  },
);

async function replyTo(port: number, address: string, to: string): Promise<string> {
  const { code, text } = await rcptAs(port, null, address, to);
  return `${code} ${text}`;
}
