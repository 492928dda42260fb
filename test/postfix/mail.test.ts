// Mail through a real Postfix that asks the program: who may relay, with SMTP AUTH from real loopback addresses; changes count from the next
// recipient on; clients without AUTH are treated as without the program. webmail.test.ts has other addresses, by XCLIENT.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { needs } from '../requires';
import { askPolicy, clientAs, describeWithPostfix, rcptAs } from '../rig/policy-set-up';
import { sendMail } from '../rig/smtp-client';

/** Networks of each user, as the commands store them. */
const entries: readonly (readonly string[])[] = [
  ['test1', '127.0.0.1'],
  ['test2', '172.31.27.95/32'],
  ['o\'brien "x"', '127.0.0.1'],
];

/** A listener that ends its restrictions in ways that can be told apart. */
const following = [
  'permit_sasl_authenticated',
  'permit_mynetworks',
  'check_client_access inline:{ 198.51.100.66=reject }',
  'reject_unauth_destination',
].join(', ');

const accepted = '250 2.1.5 Ok';
const refused = (user: string, address: string) =>
  `554 5.7.1 <friend@example.net>: Recipient address rejected: ${user} may not send mail from ${address}`;

describeWithPostfix(
  'mail through Postfix',
  needs('root', 'postfix', 'dovecot', 'openssl'),
  (policy) => {
    for (const words of entries) policy.allowNets('add', ...words);
    return {
      users: { test1: 'secret', test2: 'secret', 'o\'brien "x"': 'secret' },
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
    const port = () => suite.postfix.ports.checked;

    test('with SMTP AUTH, from real addresses', async () => {
      for (const [user, localAddress, reply] of [
        ['test1', '127.0.0.1', accepted],
        ['test1', '127.9.9.9', refused('test1', '127.9.9.9')],
        ['test2', '127.0.0.1', refused('test2', '127.0.0.1')],
        ['o\'brien "x"', '127.0.0.1', accepted],
        ['o\'brien "x"', '127.0.0.2', refused('o\'brien "x"', '127.0.0.2')],
      ] as const) {
        assert.equal(await sendMail({ port: port(), user, localAddress }), reply);
      }
      await suite.postfix.waitForLog(/: to=<friend@example.net>.*status=sent/);
    });

    test('--reject-text with spaces, as a word in braces in argv=', async () => {
      const reply = await sendMail({ port: suite.postfix.ports.text, user: 'test2' });
      assert.match(reply, /^554 5\.7\.1 .*: Ask the help desk about test2 at 127\.0\.0\.1$/);
    });

    test('Postfix accepts mail to the bare name postmaster from everybody, without asking (SECURITY.md)', async () => {
      for (const [user, to, code] of [
        ['test2', 'Postmaster', 250],
        [null, 'postmaster', 250],
        ['test2', 'postmaster@local.test', 554],
      ] as const) {
        assert.equal((await rcptAs(port(), user, '198.51.100.66', to)).code, code, `${user} ${to}`);
      }
    });

    test('add and remove count from the next recipient of the same session on', async () => {
      const client = await clientAs(port(), 'traveller', '198.51.100.8');
      const codes: number[] = [];
      const ask = async () => codes.push((await client.rcpt(`r${codes.length}@example.net`)).code);
      await ask();
      for (const [command, network] of [
        ['add', '198.51.100.0/24'],
        ['remove', '198.51.100.0/24'],
        ['add', 'any'],
      ] as const) {
        suite.policy.allowNets(command, 'traveller', network);
        await ask();
      }
      await client.quit();
      assert.deepEqual(codes, [554, 250, 554, 250]);
    });

    describe('a client that has not logged in is treated as if the policy were not there', () => {
      const cases: [name: string, address: string, to: string, reply: RegExp][] = [
        ['of mynetworks, to anywhere', '203.0.113.9', 'friend@example.net', /^250 /],
        ['from outside, to a local domain', '198.51.100.1', 'someone@local.test', /^250 /],
        ['from outside, to anywhere', '198.51.100.1', 'friend@example.net', /^554 5\.7\.1 .*Relay access denied/],
        ['refused by what follows', '198.51.100.66', 'someone@local.test', /^554 5\.7\.1 .*Access denied/],
        ['IPv6, to a local domain', '2001:db8:99::1', 'someone@local.test', /^250 /],
        ['IPv6, to anywhere', '2001:db8:99::1', 'friend@example.net', /^554 5\.7\.1 .*Relay access denied/],
        ['of no known address, to a local domain', '[UNAVAILABLE]', 'someone@local.test', /^250 /],
      ];
      for (const [name, address, to, reply] of cases) {
        test(name, async () => {
          const { checked, unchecked } = suite.postfix.ports;
          const replies = await Promise.all([checked, unchecked].map((each) => rcptAs(each, null, address, to)));
          const [first, second] = replies.map(({ code, text }) => `${code} ${text}`);
          assert.match(first ?? '', reply);
          assert.equal(second, first);
        });
      }
    });

    test('none of this made Postfix or the program complain', () => {
      assert.deepEqual(suite.postfix.complaints(), []);
    });
  },
);
