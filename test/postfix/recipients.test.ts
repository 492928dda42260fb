// Many recipients in one session, in both modes: Postfix must not wait before any of them. As the control, the same program set up
// wrongly (one request a connection, and no request_limit in Postfix), where it does.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { needs } from '../requires';
import { askPolicy, describeWithPostfix } from '../rig/policy-set-up';
import { type Reply, SmtpClient } from '../rig/smtp-client';

/** What Postfix waits before it asks again: 1 s by default, here longer than anything that a busy machine makes wait. */
const retryDelayMs = 3000;
const longDelay = `smtpd_policy_service_retry_delay=${retryDelayMs / 1000}s`;

describeWithPostfix(
  '20 recipients in one session',
  needs('root', 'postfix', 'dovecot', 'openssl'),
  (policy) => {
    policy.allowNets('add', 'test1', '127.0.0.1');
    return {
      users: { test1: 'secret' },
      listeners: {
        persistent: [longDelay, askPolicy('unix:private/persistent')],
        oneRequest: [longDelay, askPolicy('{ unix:private/one-request, request_limit=1 }')],
        wrong: [longDelay, askPolicy('unix:private/one-request')],
      },
      services: [policy.service('persistent', '--persistent'), policy.service('one-request')],
    };
  },
  (suite) => {
    /** One session of a real client: its replies to `count` recipients, and to the message. */
    async function session(port: number, localAddress: string, count: number): Promise<Reply[]> {
      const client = await SmtpClient.logIn({ port, localAddress, user: 'test1' });
      const replies: Reply[] = [];
      for (let i = 1; i <= count; i++) replies.push(await client.rcpt(`r${i}@example.net`));
      await client.quit();
      return replies;
    }

    for (const mode of ['persistent', 'oneRequest'] as const) {
      for (const [localAddress, code] of [
        ['127.0.0.1', 250],
        ['127.0.0.2', 554],
      ] as const) {
        test(`${mode}, from ${localAddress}: ${code} for each, none after the retry delay`, async () => {
          const replies = await session(suite.postfix.ports[mode], localAddress, 20);
          assert.deepEqual(new Set(replies.map((reply) => reply.code)), new Set([code]));
          assert.equal(replies.length, 20);
          assert.deepEqual(
            replies.filter(({ ms }) => ms >= retryDelayMs),
            [],
          );
        });
      }
    }

    test('control: without request_limit=1 each but the first comes after the retry delay', async () => {
      const [first, ...others] = await session(suite.postfix.ports.wrong, '127.0.0.1', 3);
      assert.deepEqual(
        [first, ...others].map((reply) => reply?.code),
        [250, 250, 250],
      );
      assert.ok(first && first.ms < retryDelayMs, `first recipient after ${first?.ms} ms`);
      for (const { ms } of others) assert.ok(ms >= retryDelayMs, `a further recipient after ${ms} ms`);
    });
  },
);
