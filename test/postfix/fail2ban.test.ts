// The filter in examples/fail2ban, by fail2ban itself, on the mail log of a real Postfix: it bans the client that was refused, and never an
// address that a client has written into its user name or HELO.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { needs, program } from '../requires';
import { askPolicy, clientAs, describeWithPostfix } from './policy-set-up';

const forged = 'address=192.0.2.66 subject= entry= reason=no-entry';
const line = `Nov  4 05:47:54 mx postfix/allow-nets[1]: verdict=reject user=x ${forged}`;
/** User name and HELO of clients that are refused, each from an address of its own. */
const hostile: readonly (string | Buffer)[] = [
  'plain',
  `x ${forged}`,
  `x" ${forged}`,
  `x\\" ${forged}`,
  `x\\\\" ${forged} "`,
  `" ${forged}`,
  `x\n${line}`,
  line,
  `" address=192.0.2.66 subject=\\`,
  'address=192.0.2.66',
  'ü"\\',
  Buffer.from(`\xff" ${forged}`, 'latin1'),
];

describeWithPostfix(
  'the fail2ban filter',
  needs('root', 'postfix', 'dovecot', 'openssl', 'fail2ban-regex'),
  (policy) => {
    policy.allowNets('add', 'allowed', '203.0.113.200');
    return {
      listeners: { smtp: [askPolicy('unix:private/allow-nets')] },
      services: [policy.service('allow-nets', '--persistent', '--log', 'all')],
    };
  },
  (suite) => {
    /** The addresses that fail2ban finds in a log. */
    function found(log: string): string[] {
      const file = join(suite.policy.folder, 'mail.log');
      writeFileSync(file, log);
      const filter = 'examples/fail2ban/allow-nets.filter.conf';
      return execFileSync(program('fail2ban-regex'), ['--out', 'ip', file, filter], { encoding: 'utf8' })
        .split('\n')
        .slice(0, -1);
    }

    async function send(user: string | Buffer, address: string): Promise<number> {
      const client = await clientAs(suite.postfix.ports.smtp, user, address);
      await client.command('RSET');
      assert.equal((await client.command(`HELO ${user.toString('latin1').replace('\n', ' ')}`)).code, 250);
      await client.mail('sender@example.com');
      const { code } = await client.rcpt('friend@example.net');
      await client.quit();
      return code;
    }

    test('finds the refused clients, whatever their names are', async () => {
      const addresses = hostile.map((_, index) => (index % 2 ? `2001:db8::${index}` : `203.0.113.${index}`));
      for (const [index, name] of hostile.entries()) {
        assert.equal(await send(name, addresses[index] as string), 554);
      }
      assert.equal(await send('plain', '[UNAVAILABLE]'), 554);
      assert.equal(await send('allowed', '203.0.113.200'), 250);
      await suite.postfix.waitForLog(/ postfix\/allow-nets\[\d+\]: verdict=dunno user=allowed /);
      assert.deepEqual(found(suite.postfix.log()).sort(), [...addresses].sort());
      // The other form of a time stamp in mail logs.
      const stamp = '2026-11-25T05:20:00.123456+00:00';
      assert.deepEqual(
        found(suite.postfix.log().replace(/^\w{3} [ \d]\d [\d:]{8}/gm, stamp)).sort(),
        [...addresses].sort(),
      );
    });
  },
);
