// The chapters of the README that need a server, on a real Postfix whose submission and submissions are those that Debian ships, in both ways
// that its master.cf describes: mail goes over both, with TLS and SMTP AUTH, before and after each session.
// To write the sessions anew after a wanted change: UPDATE=1 node test/run.mjs sessions
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { needs } from '../requires';
import { stockMasterCf } from '../rig/master-cf';
import { describeWithPostfix } from '../rig/policy-set-up';
import { sendMail } from '../rig/smtp-client';
import { compareWithFile, ROOT, replay, withoutMoments } from '../transcript';

const [ALICE, BOB, CAROL, DAVE] = [
  'alice@example.com',
  'bob@example.com',
  'carol@example.com',
  'dave@example.com',
] as const;
const ERIN = 'erin@example.com';
const users = {
  [ALICE]: 'secret',
  [BOB]: 'secret',
  [CAROL]: 'secret',
  [DAVE]: 'secret',
  [ERIN]: 'secret',
  bob: 'secret',
};
const STARTS = { submission: 'starttls', submissions: 'tls' } as const;
const accepted = '250 2.1.5 Ok';
const refused = (user: string, address: string) =>
  `554 5.7.1 <friend@example.net>: Recipient address rejected: ${user} may not send mail from ${address}`;

for (const style of ['shipped', 'mua'] as const) {
  describeWithPostfix(
    `the sessions of the README on Debian’s submission and submissions, ${style}`,
    needs('root', 'postfix', 'dovecot', 'openssl'),
    () => ({
      users,
      listeners: { smtp: [], submission: [], submissions: [] },
      masterCf: (ports) => stockMasterCf(ports, style),
      parameters: {
        smtpd_sasl_auth_enable: 'no', // as in Debian's main.cf: only the two services offer AUTH
        mua_recipient_restrictions: 'permit_sasl_authenticated, reject',
      },
    }),
    (suite) => {
      /** Sends a message over each of the two services. */
      async function expectReply(user: keyof typeof users, address: string, reply: string): Promise<void> {
        for (const service of ['submission', 'submissions'] as const) {
          const session = { port: suite.postfix.ports[service], start: STARTS[service], address, user };
          assert.equal(await sendMail(session), reply, `${user} at ${address}, ${service}`);
        }
      }

      /** Runs a session on this Postfix and compares it with its file. `log`: what stands for /var/log/mail.log in it. */
      function compare(file: string, log?: string): void {
        const now = replay(readFileSync(file, 'utf8'), {
          program: suite.policy.program,
          env: { MAIL_CONFIG: suite.postfix.configDir },
          places: {
            '/var/lib/allow-nets/access.db': suite.policy.db,
            ...(log === undefined ? {} : { '/var/log/mail.log': log }),
          },
        });
        // The log of a running server is a file, whose moments are always the same.
        compareWithFile(file, log?.startsWith(ROOT) ? now : withoutMoments(now));
      }

      test('before: whoever has the password sends from everywhere', () => expectReply(DAVE, '198.18.4.9', accepted));

      test('start on a running server', async () => {
        compare('examples/sessions/start-on-a-running-server.txt', join(ROOT, 'examples/mail.log'));
        await expectReply(ALICE, '198.51.100.20', accepted);
        await expectReply(ALICE, '2001:db8:77:1::1', accepted);
        await expectReply(CAROL, '192.0.2.80', accepted);
        await expectReply(DAVE, '198.51.100.22', accepted);
      });

      test('the phone call', async () => {
        await expectReply('bob', '2001:db8:1:2::7', refused('bob', '2001:db8:1:2::7'));
        await expectReply(ALICE, '203.0.113.9', refused(ALICE, '203.0.113.9'));
        await suite.postfix.waitForLog(/(?:verdict=reject user=(?:alice|bob)[\s\S]*?){4}/);
        const log = (await suite.postfix.command('postconf', '-h', 'maillog_file')).trim();
        compare('examples/sessions/the-phone-call.txt', log);
        await expectReply(ALICE, '203.0.113.9', accepted);
      });

      test('after: a stolen password is worth nothing elsewhere', async () => {
        for (const user of [ALICE, DAVE]) await expectReply(user, '198.18.4.9', refused(user, '198.18.4.9'));
      });

      test('every day', async () => {
        await expectReply(ERIN, '203.0.113.5', refused(ERIN, '203.0.113.5'));
        compare('test/postfix/every-day.txt');
        await expectReply(ERIN, '203.0.113.5', accepted);
        await expectReply(BOB, '198.51.100.7', refused(BOB, '198.51.100.7'));
      });

      test('when something is wrong', async () => {
        compare('test/postfix/something-is-wrong.txt');
        await expectReply(DAVE, '198.18.4.9', accepted);
      });
    },
  );
}
