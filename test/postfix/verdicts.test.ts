// The program's verdicts as Postfix applies them, for users and client addresses that come by XCLIENT: the order of the subjects, the two
// families, and changes of the database between two recipients.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { needs } from '../requires';
import { askPolicy, clientAs, describeWithPostfix, rcptAs } from '../rig/policy-set-up';

/** Networks of each user, as the commands store them. */
const entries: readonly (readonly string[])[] = [
  ['test1', '192.0.2.0/25', '2001:db8:1::/48'],
  ['alice@example.com', '192.0.2.1'],
  ['alice', '192.0.2.2'],
  ['@example.com', '192.0.2.3'],
  ['v4', '0.0.0.0/0'],
  ['v6', '::/0'],
  ['anywhere', 'any'],
];

describeWithPostfix(
  'verdicts through Postfix',
  needs('root', 'postfix', 'dovecot', 'openssl'),
  (policy) => {
    for (const words of entries) policy.allowNets('add', ...words);
    return {
      listeners: { smtp: [askPolicy('unix:private/allow-nets')] },
      services: [policy.service('allow-nets', '--persistent')],
    };
  },
  (suite) => {
    describe('users and addresses by XCLIENT', () => {
      const cases: [user: string, address: string, allowed: boolean][] = [
        ['test1', '192.0.2.127', true],
        ['test1', '192.0.2.128', false],
        ['test1', '2001:db8:1:ffff::1', true],
        ['test1', '2001:db8:2::1', false],
        ['TEST1', '192.0.2.1', true],
        ['nobody', '192.0.2.1', false],
        // The first subject with an entry decides alone.
        ['alice@example.com', '192.0.2.1', true],
        ['alice@example.com', '192.0.2.3', false],
        ['alice@example.org', '192.0.2.2', true],
        ['bob@Example.COM', '192.0.2.3', true],
        ['bob', '192.0.2.3', false],
        ['v4', '2001:db8::7', false],
        ['v6', '198.51.100.7', false],
        ['anywhere', '2001:db8::7', true],
        ['anywhere', '[UNAVAILABLE]', false],
      ];
      for (const [user, address, allowed] of cases) {
        test(`${user} from ${address}: ${allowed ? 'accepted' : 'refused'}`, async () => {
          const reply = await rcptAs(suite.postfix.ports.smtp, user, address);
          const printed = address === '[UNAVAILABLE]' ? 'unknown' : address;
          if (allowed) assert.equal(`${reply.code} ${reply.text}`, '250 2.1.5 Ok');
          else {
            const text = `: ${user} may not send mail from ${printed}`;
            assert.equal(`${reply.code} ${reply.text.slice(0, 6)}`, '554 5.7.1 ');
            assert.equal(reply.text.slice(-text.length), text);
          }
        });
      }
    });

    test('add and remove count from the next recipient of the same session on', async () => {
      const client = await clientAs(suite.postfix.ports.smtp, 'traveller', '198.51.100.8');
      const codes: number[] = [];
      const ask = async () => codes.push((await client.rcpt(`r${codes.length}@example.net`)).code);
      await ask();
      suite.policy.allowNets('add', 'traveller', '198.51.100.0/24');
      await ask();
      suite.policy.allowNets('remove', 'traveller', '198.51.100.0/24');
      await ask();
      suite.policy.allowNets('add', 'traveller', 'any');
      await ask();
      suite.policy.allowNets('add', 'traveller', '192.0.2.1');
      suite.policy.allowNets('remove', 'traveller', 'any');
      await ask();
      await client.quit();
      assert.deepEqual(codes, [554, 250, 554, 250, 554]);
    });
  },
);
