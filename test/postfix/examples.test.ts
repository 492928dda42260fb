// The files in examples/ at work: both pairs of master.cf and main.cf under a real Postfix, with the seed's rows put in as SQL.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, renameSync } from 'node:fs';
import { test } from 'node:test';
import { needs } from '../requires';
import { clientAs, describeWithPostfix, example, exampleService, rcptAs } from '../rig/policy-set-up';

/** main.cf text: a line that begins with white space goes on with the one before it. */
function parametersOf(text: string): Record<string, string> {
  const lines = text.replace(/\n[ \t]+/g, ' ').matchAll(/^(\S+) *= *(.*)$/gm);
  return Object.fromEntries([...lines].map(([, name = '', value = '']) => [name, value]));
}

for (const mode of ['persistent', 'one-shot']) {
  describeWithPostfix(
    `examples/${mode}.master.cf and .main.cf`,
    needs('root', 'postfix', 'dovecot', 'openssl', 'sqlite3'),
    (policy) => {
      execFileSync('sqlite3', [policy.db], { input: readFileSync('examples/seed.sql') });
      return {
        listeners: { smtp: [] },
        services: [exampleService(policy, `${mode}.master.cf`)],
        parameters: parametersOf(example(`${mode}.main.cf`)),
      };
    },
    (suite) => {
      const cases = [
        ['test1', '127.0.0.1', '250 2.1.5 Ok'],
        ['test2', '172.31.27.95', '250 2.1.5 Ok'],
        [
          'test2',
          '127.0.0.1',
          '554 5.7.1 <friend@example.net>: Recipient address rejected: test2 may not send mail from 127.0.0.1',
        ],
        ['test3', '2001:db8:1::7', '250 2.1.5 Ok'],
      ] as const;
      for (const [user, address, expected] of cases) {
        test(`${user} from ${address}`, async () => {
          const client = await clientAs(suite.postfix.ports.smtp, user, address);
          const replies = [await client.rcpt('friend@example.net'), await client.rcpt('friend@example.net')];
          await client.quit();
          for (const { code, text } of replies) assert.equal(`${code} ${text}`, expected);
        });
      }
      test('nothing of it is worth a warning to Postfix', async () => {
        assert.doesNotMatch(suite.postfix.log(), /warning:/);
      });
      test('trouble is a temporary error, whatever main.cf says', async () => {
        await suite.postfix.command('postconf', 'smtpd_policy_service_default_action=DUNNO');
        await suite.postfix.reload();
        renameSync(suite.policy.db, `${suite.policy.db}.gone`);
        const { code, text } = await rcptAs(suite.postfix.ports.smtp, 'test1', '127.0.0.1');
        assert.match(`${code} ${text}`, /^451 4\.3\.5 .*see the mail log$/);
      });
    },
  );
}
