// The configurations in examples/ and in README.md's chapter "By hand in Postfix" at work under a real Postfix, with the seed's rows put in as SQL.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, renameSync } from 'node:fs';
import { test } from 'node:test';
import type { Finding } from '../../src/doctor/finding';
import { needs } from '../requires';
import {
  askPolicy,
  clientAs,
  describeWithPostfix,
  example,
  installedService,
  programLines,
  rcptAs,
} from '../rig/policy-set-up';

/** main.cf text: a line that begins with white space goes on with the one before it. */
function parametersOf(text: string): Record<string, string> {
  const lines = text.replace(/\n[ \t]+/g, ' ').matchAll(/^(\S+) *= *(.*)$/gm);
  return Object.fromEntries([...lines].map(([, name = '', value = '']) => [name, value]));
}

/** master.cf and main.cf */
function readmeFiles(): [string, string] {
  const chapter =
    readFileSync('README.md', 'utf8')
      .split('\n## ')
      .find((text) => text.startsWith('By hand')) ?? '';
  const [master = '', main = ''] = chapter
    .replace(/^(?! {4}).*\n/gm, '')
    .replace(/^ {4}/gm, '')
    .split(/^# .*\.cf\n/m)
    .slice(1);
  return [master.replace('/path/to', '/usr/local/lib/node_modules/postfix-allow-nets'), main];
}

const files: Record<string, [master: string, main: string]> = {
  'README.md': readmeFiles(),
  'examples/persistent': [example('persistent.master.cf'), example('persistent.main.cf')],
  'examples/one-shot': [example('one-shot.master.cf'), example('one-shot.main.cf')],
};
for (const [name, [master, main]] of Object.entries(files)) {
  describeWithPostfix(
    `the configuration in ${name}`,
    needs('root', 'postfix', 'dovecot', 'openssl', 'sqlite3'),
    (policy) => {
      execFileSync('sqlite3', [policy.db], { input: readFileSync('examples/seed.sql') });
      return { listeners: { smtp: [] }, services: [installedService(policy, master)], parameters: parametersOf(main) };
    },
    (suite) => {
      const refused = 'Recipient address rejected: test2 may not send mail from 127.0.0.1';
      const cases = [
        ['test1', '127.0.0.1', '250 2.1.5 Ok'],
        ['test2', '172.31.27.95', '250 2.1.5 Ok'],
        ['test2', '127.0.0.1', `554 5.7.1 <friend@example.net>: ${refused}`],
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
      test('each refusal is logged, and no allowance and no warning', async () => {
        await suite.postfix.waitForLog(
          /(\/allow-nets\[\d+\]: verdict=reject user=test2 address=127\.0\.0\.1 .*\n.*){2}/s,
        );
        assert.equal(programLines(suite.postfix.log()).length, 2);
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

describeWithPostfix(
  'examples/hardened.master.cf: the program with the minimum that it needs',
  needs('root', 'postfix', 'dovecot', 'openssl', 'setpriv', 'prlimit'),
  (policy) => {
    policy.allowNets('add', 'test1', '192.0.2.0/24');
    return {
      listeners: { smtp: [askPolicy('unix:private/allow-nets')] },
      services: [installedService(policy, example('hardened.master.cf'))],
    };
  },
  (suite) => {
    test('mail is allowed and refused, and each refusal is logged', async () => {
      const from = suite.postfix.log().length;
      for (const [address, code] of [
        ['192.0.2.1', 250],
        ['198.51.100.1', 554],
      ] as const) {
        const client = await clientAs(suite.postfix.ports.smtp, 'test1', address);
        for (let i = 0; i < 20; i++) assert.equal((await client.rcpt(`r${i}@example.net`)).code, code);
        if (code === 250) assert.equal((await client.data()).code, 250);
        await client.quit();
      }
      await suite.postfix.waitForLog(/(postfix\/allow-nets\[\d+\]: verdict=reject user=test1 [^\n]*\n.*){20}/s, from);
      assert.equal(programLines(suite.postfix.log().slice(from)).length, 20);
      assert.doesNotMatch(suite.postfix.log(), /warning:/);
    });

    test('doctor finds no fault in it, and tries it in the way that it runs', () => {
      const words = ['doctor', '--json', '-c', suite.postfix.configDir];
      const findings = JSON.parse(suite.policy.allowNets(...words)) as Finding[];
      const messageOf = (check: string) => findings.find((finding) => finding.check === check)?.message ?? '';
      const faults = findings.filter(({ status }) => status === 'fail');
      assert.deepEqual(faults, []);
      assert.match(
        messageOf('service allow-nets'),
        /^\/usr\/bin\/setpriv --no-new-privs .* --persistent, run as nobody$/,
      );
      assert.match(messageOf('program'), /^answers when the account nobody runs it, with Node.js v\d+\./);
    });
  },
);
