// The files in examples/ at work: both pairs of master.cf and main.cf under a real Postfix, with the seed's rows put in as SQL.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, renameSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { needs } from '../requires';
import { clientAs, type PolicySetUp, setUpPolicy } from './policy-set-up';
import { type PrivatePostfix, startPrivatePostfix } from './private-postfix';

const example = (name: string) => readFileSync(`examples/${name}`, 'utf8').replace(/^#.*\n/gm, '');
const INSTALLED = '/usr/bin/env node /usr/local/lib/node_modules/postfix-allow-nets/bin/allow-nets.js';

/** main.cf text: a line that begins with white space goes on with the one before it. */
function parametersOf(text: string): Record<string, string> {
  const lines = text.replace(/\n[ \t]+/g, ' ').matchAll(/^(\S+) *= *(.*)$/gm);
  return Object.fromEntries([...lines].map(([, name = '', value = '']) => [name, value]));
}

for (const mode of ['persistent', 'one-shot']) {
  describe(`examples/${mode}.master.cf and .main.cf`, needs('root', 'postfix', 'dovecot', 'openssl', 'sqlite3'), () => {
    let policy: PolicySetUp;
    let postfix: PrivatePostfix<'smtp'>;
    before(async () => {
      policy = setUpPolicy('examples');
      execFileSync('sqlite3', [policy.db], { input: readFileSync('examples/seed.sql') });
      const service = example(`${mode}.master.cf`);
      assert.ok(service.includes(INSTALLED));
      const here = `${policy.program.node} ${policy.program.script} --db ${policy.db}`;
      postfix = await startPrivatePostfix({
        listeners: { smtp: [] },
        services: [service.replace(INSTALLED, here).trim()],
        parameters: parametersOf(example(`${mode}.main.cf`)),
      });
    });
    after(() => {
      postfix?.stop();
      policy?.remove();
    });

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
        const client = await clientAs(postfix.ports.smtp, user, address);
        const replies = [await client.rcpt('friend@example.net'), await client.rcpt('friend@example.net')];
        await client.quit();
        for (const { code, text } of replies) assert.equal(`${code} ${text}`, expected);
      });
    }
    test('nothing of it is worth a warning to Postfix', async () => {
      assert.doesNotMatch(postfix.log(), /warning:/);
    });
    test('trouble is a temporary error, whatever main.cf says', async () => {
      await postfix.command('postconf', 'smtpd_policy_service_default_action=DUNNO');
      await postfix.reload();
      renameSync(policy.db, `${policy.db}.gone`);
      const client = await clientAs(postfix.ports.smtp, 'test1', '127.0.0.1');
      const { code, text } = await client.rcpt('friend@example.net');
      await client.quit();
      assert.match(`${code} ${text}`, /^451 4\.3\.5 .*see the mail log$/);
    });
  });
}
