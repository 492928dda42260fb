// Debian's own master.cf with submission and submissions, as most servers run them: the policy must be put where these services look,
// and where that is; STARTTLS, TLS from the first byte, smtpd in its chroot, and the texts that the client shows.
import assert from 'node:assert/strict';
import { renameSync } from 'node:fs';
import { test } from 'node:test';
import { needs } from '../requires';
import { stockMasterCf } from './master-cf';
import { describeWithPostfix, usualRestrictions } from './policy-set-up';
import { SmtpClient } from './smtp-client';

const services = ['smtp', 'submission', 'submissions'] as const;
type Service = (typeof services)[number];
const check = 'check_policy_service unix:private/allow-nets';

for (const style of ['shipped', 'mua'] as const) {
  describeWithPostfix<Service>(
    `Debian's master.cf, ${style}`,
    needs('root', 'postfix', 'dovecot', 'openssl'),
    (policy) => {
      policy.allowNets('add', 'test1', '127.0.0.1');
      policy.allowNets('add', 'test2', '172.31.27.95');
      return {
        users: { test1: 'secret', test2: 'secret' },
        listeners: { smtp: [], submission: [], submissions: [] },
        masterCf: (ports) => `${stockMasterCf(ports, style)}${policy.service('allow-nets', '--persistent')}\n`,
        parameters: {
          smtpd_recipient_restrictions: `${check}, ${usualRestrictions}`,
          mua_client_restrictions: '',
          mua_helo_restrictions: '',
          mua_sender_restrictions: '',
          mua_relay_restrictions: '',
          mua_recipient_restrictions: 'permit_sasl_authenticated, reject',
        },
      };
    },
    (suite) => {
      /** The code that each service gives to a user's recipient. */
      async function replies(user: string): Promise<Record<Service, number>> {
        const [smtp, submission, submissions] = (await texts(user)).map((reply) => Number(reply.slice(0, 3)));
        return { smtp, submission, submissions } as Record<Service, number>;
      }

      /** The whole replies, in the order of `services`. */
      async function texts(user: string): Promise<string[]> {
        const all: string[] = [];
        for (const service of services) {
          const client = await SmtpClient.connect({
            port: suite.postfix.ports[service],
            tls: service === 'submissions',
          });
          await client.ehlo();
          if (service === 'submission') await client.startTls();
          assert.equal((await client.authPlain(user, 'secret')).code, 235, service);
          await client.mail(`${user}@example.com`);
          const { code, text } = await client.rcpt('friend@example.net');
          all.push(`${code} ${text}`);
          await client.quit();
        }
        return all;
      }

      test('a check in main.cf alone is asked on the smtp service only', async () => {
        assert.deepEqual(await replies('test1'), { smtp: 250, submission: 250, submissions: 250 });
        assert.deepEqual(await replies('test2'), { smtp: 554, submission: 250, submissions: 250 });
      });

      test('put where the services look, it refuses on each', async () => {
        // Without a space: postconf -P takes none.
        const list = `${check.replace(' ', ',')},permit_sasl_authenticated,reject`;
        if (style === 'mua') await suite.postfix.command('postconf', '-e', `mua_recipient_restrictions=${list}`);
        else {
          for (const port of [suite.postfix.ports.submission, suite.postfix.ports.submissions]) {
            await suite.postfix.command('postconf', '-P', `${port}/inet/smtpd_recipient_restrictions=${list}`);
          }
        }
        await suite.postfix.reload();
        assert.deepEqual(await replies('test1'), { smtp: 250, submission: 250, submissions: 250 });
        assert.deepEqual(await replies('test2'), { smtp: 554, submission: 554, submissions: 554 });
      });

      test('what the client shows: a refusal, and trouble', async () => {
        const rejected = '<friend@example.net>: Recipient address rejected:';
        const refusal = `554 5.7.1 ${rejected} test2 may not send mail from 127.0.0.1`;
        assert.deepEqual(await texts('test2'), [refusal, refusal, refusal]);
        const away = `${suite.policy.db}.away`;
        renameSync(suite.policy.db, away);
        try {
          for (const reply of await texts('test1')) assert.match(reply, /^451 4\.3\.5 /);
        } finally {
          renameSync(away, suite.policy.db);
        }
        assert.deepEqual(await replies('test1'), { smtp: 250, submission: 250, submissions: 250 });
      });

      test('submission takes no password without TLS', async () => {
        const client = await SmtpClient.connect({ port: suite.postfix.ports.submission });
        assert.doesNotMatch((await client.ehlo()).text, /AUTH/);
        assert.equal((await client.authPlain('test1', 'secret')).code, 530);
        await client.quit();
      });
    },
  );
}
