// examples/webmail at work: the webmail logs in with the user's password and names the user's client by XCLIENT, in the order of Roundcube:
// EHLO, XCLIENT, STARTTLS (with tls:// only), AUTH. Without XCLIENT its own address is the client.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { needs } from '../requires';
import { askPolicy, describeWithPostfix, example } from './policy-set-up';
import { SmtpClient } from './smtp-client';

const WEBMAIL = '127.0.0.80';
const ANOTHER_HOST = '127.0.0.81';
/** `submissions` and `submission` as Debian ships them, and a service where TLS is optional. */
type Service = 'submissions' | 'submission' | 'may';

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
        may: [ask],
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
      client?: string;
      host?: string;
      service?: Service;
      password?: string;
    }

    /** The reply to the recipient. @throws when the server does not take XCLIENT or the password */
    async function send(session: Session): Promise<string> {
      const { user, client, host = WEBMAIL, service = 'submissions', password = 'secret' } = session;
      const smtp = await SmtpClient.connect({
        port: suite.postfix.ports[service],
        localAddress: host,
        tls: service === 'submissions',
      });
      try {
        await smtp.ehlo();
        if (client !== undefined) await smtp.xclient({ ADDR: client });
        if (service !== 'submissions') await smtp.startTls();
        const login = await smtp.authPlain(user, password);
        if (login.code !== 235) throw new Error(`${login.code} ${login.text}`);
        await smtp.mail(`${user}@example.com`);
        const { code, text } = await smtp.rcpt('friend@example.net');
        return `${code} ${text}`;
      } finally {
        smtp.close();
      }
    }

    const accepted = '250 2.1.5 Ok';
    const refused = (user: string, address: string) =>
      `554 5.7.1 <friend@example.net>: Recipient address rejected: ${user} may not send mail from ${address}`;
    const cases: [name: string, session: Session, reply: string][] = [
      ['an allowed client', { user: 'alice', client: '203.0.113.7' }, accepted],
      ['an allowed client, IPv6', { user: 'alice', client: '2001:db8:1::7' }, accepted],
      ['an allowed client, STARTTLS after XCLIENT', { user: 'alice', client: '203.0.113.7', service: 'may' }, accepted],
      ['a client that is not allowed', { user: 'alice', client: '198.51.100.7' }, refused('alice', '198.51.100.7')],
      ['an unknown client', { user: 'alice', client: '[UNAVAILABLE]' }, refused('alice', 'unknown')],
      ['without XCLIENT: the webmail is the client', { user: 'alice' }, refused('alice', WEBMAIL)],
      ['without XCLIENT, @webmail allowed: from anywhere', { user: 'bob' }, accepted],
      [
        'with XCLIENT, @webmail allowed: only from the webmail itself',
        { user: 'bob', client: '198.51.100.7' },
        refused('bob', '198.51.100.7'),
      ],
    ];
    for (const [name, session, reply] of cases) {
      test(name, async () => assert.equal(await send(session), reply));
    }

    test('where TLS is required, STARTTLS after XCLIENT is too late: tls:// does not work', async () => {
      await assert.rejects(
        send({ user: 'alice', client: '203.0.113.7', service: 'submission' }),
        /530 5\.7\.0 Must issue a STARTTLS command first/,
      );
    });

    test('XCLIENT does not replace the password', async () => {
      await assert.rejects(send({ user: 'alice', client: '203.0.113.7', password: 'wrong' }), /535 5\.7\.8/);
    });

    test('another host is not offered XCLIENT, and cannot use it', async () => {
      for (const [host, offered] of [
        [WEBMAIL, true],
        [ANOTHER_HOST, false],
      ] as const) {
        const smtp = await SmtpClient.connect({ port: suite.postfix.ports.may, localAddress: host });
        assert.equal(/^XCLIENT /m.test((await smtp.ehlo()).text), offered, host);
        await smtp.quit();
      }
      for (const service of ['may', 'submissions'] as const) {
        await assert.rejects(
          send({ user: 'alice', client: '203.0.113.7', host: ANOTHER_HOST, service }),
          /550 5\.7\.0/,
        );
      }
      assert.equal(await send({ user: 'alice', host: ANOTHER_HOST }), refused('alice', ANOTHER_HOST));
    });

    test('a client that the webmail has named cannot name another one', async () => {
      const smtp = await SmtpClient.connect({ port: suite.postfix.ports.may, localAddress: WEBMAIL });
      await smtp.ehlo();
      await smtp.xclient({ ADDR: '198.51.100.7' });
      await assert.rejects(smtp.xclient({ ADDR: '203.0.113.7' }), /550 5\.7\.0/);
      smtp.close();
    });
  },
);
