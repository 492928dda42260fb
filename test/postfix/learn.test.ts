// The way onto a running server, with a real Postfix and its own log: who has sent from where is learned, replay says that nobody would
// be refused, and from then on a stolen password is worth nothing elsewhere.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { needs } from '../requires';
import { askPolicy, type PolicySetUp, setUpPolicy, usualRestrictions } from '../rig/policy-set-up';
import { type PrivatePostfix, startPrivatePostfix } from '../rig/postfix';
import { SmtpClient } from '../rig/smtp-client';

const users = { 'alice@example.com': 'secret one', bob: 'secret two', 'first, last': 'secret three' };
type User = keyof typeof users;
const ATTACKER = '203.0.113.99';

/** Who sends what from where, and the entry that follows from it. */
const SENT: readonly [user: User, address: string, messages: number, network: string][] = [
  ['alice@example.com', '192.0.2.10', 3, '192.0.2.10/32'],
  ['alice@example.com', '2001:db8:1:2::5', 2, '2001:db8:1:2::/64'],
  ['bob', '198.51.100.7', 2, '198.51.100.7/32'],
  ['first, last', '192.0.2.10', 1, '192.0.2.10/32'],
  ['first, last', '::ffff:10.9.8.7', 1, '10.9.8.7/32'],
];

type Listener = 'plain' | 'ports' | 'submission' | 'enforced';

describe('learn and replay on the log of a real Postfix', needs('root', 'postfix', 'dovecot', 'openssl'), () => {
  let policy: PolicySetUp;
  let postfix: PrivatePostfix<Listener>;

  before(async () => {
    policy = setUpPolicy('learn');
    const open = `smtpd_recipient_restrictions=${usualRestrictions}`;
    postfix = await startPrivatePostfix({
      users,
      listeners: {
        plain: [open],
        ports: [open, 'smtpd_client_port_logging=yes'],
        submission: [open, 'syslog_name=postfix/submission'],
        enforced: [askPolicy('unix:private/allow-nets')],
      },
      services: [policy.service('allow-nets', '--persistent')],
      parameters: { smtpd_relay_restrictions: '', enable_long_queue_ids: 'yes' },
    });
  });
  after(() => {
    postfix?.stop();
    policy?.remove();
  });

  /** A client at this address that has logged in with the password, or has tried to. */
  async function clientAt(listener: Listener, address: string, user: User, password: string = users[user]) {
    const client = await SmtpClient.connect({ port: postfix.ports[listener] });
    await client.ehlo();
    await client.xclient({ ADDR: address });
    const { code } = await client.authPlain(user, password);
    return { client, code };
  }

  /** @returns the code of the answer to RCPT */
  async function send(listener: Listener, user: User, address: string, parameters = ''): Promise<number> {
    const { client, code } = await clientAt(listener, address, user);
    assert.equal(code, 235);
    await client.command(`MAIL FROM:<sender@example.com>${parameters}`);
    const answer = await client.rcpt('friend@example.net');
    if (answer.code === 250) assert.equal((await client.data()).code, 250);
    await client.quit();
    return answer.code;
  }

  /** The log as it is once Postfix has written all of it. */
  async function logFile(): Promise<string> {
    const client = await SmtpClient.connect({ port: postfix.ports.plain });
    await client.ehlo();
    await client.xclient({ ADDR: '192.0.2.250' });
    await client.command(`RSET`);
    await client.quit();
    await postfix.waitForLog(/disconnect from \S*\[192\.0\.2\.250\].*\n/);
    const file = join(policy.folder, 'mail.log');
    writeFileSync(file, postfix.log());
    return file;
  }

  function allowNets(...words: string[]) {
    const { node, script } = policy.program;
    const { status, stdout, stderr } = spawnSync(node, [script, ...words, '--db', policy.db], {
      encoding: 'utf8',
    });
    return { status, stdout, stderr };
  }

  test('users send from several addresses, and attackers try', async () => {
    const listeners: readonly Listener[] = ['plain', 'ports', 'submission'];
    let turn = 0;
    for (const [user, address, messages] of SENT) {
      for (let i = 0; i < messages; i++) {
        const listener = listeners[turn++ % listeners.length] ?? 'plain';
        const parameters = i === 1 ? ' AUTH=someone@example.com' : '';
        assert.equal(await send(listener, user, address, parameters), 250, `${user} from ${address}`);
      }
    }
    for (const [i, user] of (Object.keys(users) as User[]).entries()) {
      // Each from another address: Dovecot makes one that has failed wait.
      const { client, code } = await clientAt('submission', `203.0.113.${i}`, user, 'guessed');
      assert.equal(code, 535);
      await client.mail('sender@example.com');
      assert.equal((await client.rcpt('friend@example.net')).code, 554);
      await client.quit();
    }
    // The database is empty: this one has a password and is refused by the policy.
    assert.equal(await send('enforced', 'alice@example.com', ATTACKER), 554);
  });

  test('replay: as the database is, everybody would be refused', async () => {
    const { status, stdout } = allowNets('replay', '--json', await logFile());
    const { deliveries, refused, users_without_entry } = JSON.parse(stdout);
    assert.deepEqual([status, deliveries, refused, users_without_entry], [1, 9, 9, 3]);
  });

  test('learn finds exactly what was sent', async () => {
    const { status, stdout, stderr } = allowNets('learn', '--json', await logFile());
    const rows = JSON.parse(stdout) as { user: string; network: string; messages: number }[];
    const found = rows.map(({ user, network, messages }) => `${user} ${network} ${messages}`);
    const expected = SENT.map(([user, , messages, network]) => `${user} ${network} ${messages}`);
    assert.deepEqual(found.sort(), expected.sort());
    assert.doesNotMatch(stderr, /left out/);
    assert.equal(status, 0);
  });

  test('learn --apply, and replay says that nobody would be refused', async () => {
    const log = await logFile();
    assert.match(allowNets('learn', '--apply', log).stdout, /\nadded 5 entries of 3 users\n$/);
    const { status, stdout } = allowNets('replay', log);
    assert.match(stdout, /^deliveries {2}9\nallowed {5}9\nrefused {5}0\n/);
    assert.equal(status, 0);
  });

  test('enforced: users send from where they did, an attacker with the password is refused', async () => {
    for (const [user, address] of SENT) {
      assert.equal(await send('enforced', user, address), 250, `${user} from ${address}`);
      assert.equal(await send('enforced', user, ATTACKER), 554, `${user} from ${ATTACKER}`);
    }
    const log = await logFile();
    const { status, stdout } = allowNets('replay', '--json', log);
    assert.deepEqual([status, JSON.parse(stdout).deliveries], [0, 9 + SENT.length]);
  });

  test('replay finds the attacker where nobody asks the policy', async () => {
    assert.equal(await send('submission', 'bob', ATTACKER), 250);
    const { status, stdout } = allowNets('replay', '--json', await logFile());
    const { refused, refused_users } = JSON.parse(stdout);
    assert.equal(status, 1);
    assert.equal(refused, 1);
    assert.deepEqual(
      refused_users.map(({ user, networks }: { user: string; networks: string[] }) => [user, networks]),
      [['bob', [`${ATTACKER}/32`]]],
    );
  });
});
