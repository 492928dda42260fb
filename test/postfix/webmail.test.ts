// examples/webmail at work: the webmail logs in with the user's password and names the user's client by XCLIENT, in the order of Roundcube 1.6:
// EHLO, XCLIENT, STARTTLS (with tls:// only), AUTH. Without XCLIENT its own address is the client.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { needs } from '../requires';
import { askPolicy, describeWithPostfix, example } from '../rig/policy-set-up';
import { SmtpClient, sendMail } from '../rig/smtp-client';

const WEBMAIL = '127.0.0.80';
const ANOTHER_HOST = '127.0.0.81';
const STARTS = { submission: 'starttls', submissions: 'tls' } as const;
type Service = keyof typeof STARTS;

describeWithPostfix(
  'webmail',
  needs('root', 'postfix', 'dovecot', 'openssl'),
  (policy) => {
    policy.allowNets('set', 'add', 'webmail', WEBMAIL);
    policy.allowNets('add', 'alice', '203.0.113.0/24', '2001:db8:1::/48');
    policy.allowNets('add', 'bob', '@webmail');
    const [, parameter = '', value] =
      /^(smtpd_authorized_xclient_hosts) = (.*)$/m.exec(example('webmail/main.cf')) ?? [];
    assert.equal(value, '192.0.2.80');
    const ask = askPolicy('unix:private/allow-nets');
    return {
      users: { alice: 'secret', bob: 'secret' },
      listeners: {
        submission: [ask, 'smtpd_tls_security_level=encrypt', 'smtpd_tls_auth_only=yes'],
        submissions: [ask, 'smtpd_tls_wrappermode=yes'],
      },
      services: [policy.service('allow-nets', '--persistent')],
      parameters: { [parameter]: WEBMAIL },
    };
  },
  (suite) => {
    interface Session {
      user: string;
      /** What the webmail names by XCLIENT ADDR; none: no XCLIENT. */
      address?: string;
      localAddress?: string;
      password?: string;
    }

    const on = (service: Service) => ({ port: suite.postfix.ports[service], localAddress: WEBMAIL });

    const accepted = '250 2.1.5 Ok';
    const refused = (user: string, address: string) =>
      `554 5.7.1 <friend@example.net>: Recipient address rejected: ${user} may not send mail from ${address}`;
    const cases: [name: string, session: Session, reply: string | RegExp][] = [
      ['an allowed client', { user: 'alice', address: '203.0.113.7' }, accepted],
      ['an allowed client, IPv6', { user: 'alice', address: '2001:db8:1::7' }, accepted],
      ['a client that is not allowed', { user: 'alice', address: '198.51.100.7' }, refused('alice', '198.51.100.7')],
      ['an unknown client', { user: 'alice', address: '[UNAVAILABLE]' }, refused('alice', 'unknown')],
      ['without XCLIENT: the webmail is the client', { user: 'alice' }, refused('alice', WEBMAIL)],
      ['without XCLIENT, @webmail allowed: from anywhere', { user: 'bob' }, accepted],
      [
        'with XCLIENT, @webmail allowed: only from the webmail itself',
        { user: 'bob', address: '198.51.100.7' },
        refused('bob', '198.51.100.7'),
      ],
      [
        'XCLIENT does not replace the password',
        { user: 'alice', address: '203.0.113.7', password: 'no' },
        /535 5\.7\.8/,
      ],
      [
        'another host, with XCLIENT',
        { user: 'alice', address: '203.0.113.7', localAddress: ANOTHER_HOST },
        /550 5\.7\.0/,
      ],
    ];
    for (const service of ['submission', 'submissions'] as const) {
      for (const [name, session, reply] of cases) {
        test(`${service}: ${name}`, async () => {
          const sent = sendMail({ ...on(service), start: STARTS[service], ...session });
          if (typeof reply === 'string') assert.equal(await sent, reply);
          else await assert.rejects(sent, reply);
        });
      }
    }

    test('another host is not offered XCLIENT', async () => {
      for (const host of [WEBMAIL, ANOTHER_HOST]) {
        const smtp = await SmtpClient.connect({ ...on('submission'), localAddress: host });
        assert.equal(/^XCLIENT /m.test((await smtp.ehlo()).text), host === WEBMAIL, host);
        await smtp.quit();
      }
    });

    test('a client that the webmail has named cannot name another one', async () => {
      const smtp = await SmtpClient.connect({ ...on('submissions'), tls: true });
      await smtp.ehlo();
      await smtp.xclient({ ADDR: '198.51.100.7' });
      await assert.rejects(smtp.xclient({ ADDR: '203.0.113.7' }), /550 5\.7\.0/);
      smtp.close();
    });
  },
);
