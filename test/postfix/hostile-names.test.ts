// No user name, HELO or recipient, however hostile, breaks a reply, a log line or the connection to the program. And what reads the log
// (fail2ban with the filter of examples/fail2ban, and `refused`) finds the clients that were refused, never an address that a client wrote.
// faults/lookup has the names that look alike.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { needs, program } from '../requires';
import { askPolicy, clientAs, describeWithPostfix, programLines } from '../rig/policy-set-up';
import { sendMail } from '../rig/smtp-client';

const fields = 'address=203.0.113.66 subject= entry= reason=no-entry';
const line = `Nov  4 05:47:54 mx postfix/allow-nets[1]: verdict=reject user=x ${fields}`;

/** Postfix itself makes `?` of control characters that come by XCLIENT; what is left reaches the program. */
// biome-ignore format: a list of words
const hostileNames: readonly (string | Buffer)[] = [
  'two\nlines', 'an answer\n\naction=ok\n\n', '\r\n\taction=dunno', `both ' and "`, "x' or '1'='1", "'; drop table access; --",
  'back\\slash\\', '{address}{user}{}', '$& $1 %s%n', 'a=b=c', 'test1 verdict=dunno', 'two words, and a comma',
  'jürgen@exämple.com', 'tеst1@example.com (with a Cyrillic letter)', 'emoji\u{1F600}', 'right\u202eto left',
  Buffer.from([0x61, 0xff, 0xfe, 0xc3, 0x28]), Buffer.from([0x61, 0x00, 0x62]), 'test1 ', '@', '@example.com', '*',
  'x'.repeat(250), 'ü'.repeat(40), // Postfix takes 255 bytes of xtext.
  `x ${fields}`, `x" ${fields}`, `x\\" ${fields}`, `x\\\\" ${fields} "`, `" ${fields}`, `x\n${line}`, line, 'address=203.0.113.66',
  `" address=203.0.113.66 subject=\\`, Buffer.from(`\xff" ${fields}`, 'latin1'),
];
const addressOf = (index: number) => (index % 2 === 0 ? `192.0.2.${index}` : `2001:db8:${index}::1`);
const addresses = hostileNames.map((_, index) => addressOf(index));

/** More than XCLIENT takes; Dovecot and Postfix take it in AUTH. */
const long = 'a'.repeat(1000);

describeWithPostfix(
  'hostile user names',
  needs('root', 'postfix', 'dovecot', 'openssl', 'fail2ban-regex'),
  (policy) => {
    policy.allowNets('add', 'test1', '198.51.100.1');
    return {
      users: { [long]: 'secret', [`${long}b`]: 'secret' },
      listeners: { smtp: [askPolicy('unix:private/allow-nets')] },
      services: [policy.service('allow-nets', '--persistent', '--log', 'all')],
    };
  },
  (suite) => {
    for (const [index, name] of hostileNames.entries()) {
      const printable = JSON.stringify(Buffer.from(name).toString('latin1')).slice(0, 60);
      test(`hostile name ${printable}: one printable reply, one printable log line`, async () => {
        const from = suite.postfix.log().length;
        const client = await clientAs(suite.postfix.ports.smtp, name, addressOf(index));
        await client.command('RSET');
        assert.equal((await client.command(`HELO x: ${line}`)).code, 250);
        await client.mail('sender@example.com');
        const { code, text } = await client.rcpt(`"${line}"@example.net`);
        assert.equal(code, 554, text);
        assert.match(text, /^5\.7\.1 [ -~]* may not send mail from [\d.a-f:]+$/);
        // The connection to the program stands, and the next user gets an answer of his own.
        await client.command('RSET');
        await client.xclient({ ADDR: '198.51.100.1', LOGIN: 'test1' });
        await client.mail('sender@example.com');
        assert.equal((await client.rcpt('friend@example.net')).code, 250);
        await client.quit();
        await suite.postfix.waitForLog(/allow-nets\[\d+\]: verdict=dunno user=test1 address=198\.51\.100\.1 /, from);
        const lines = programLines(suite.postfix.log().slice(from));
        assert.equal(lines.length, 2, lines.join('\n'));
        assert.match(lines[0] ?? '', /^verdict=reject user=[ -~]*$/);
        assert.ok(lines[0]?.includes(` address=${addressOf(index)} subject=`), lines[0]);
      });
    }

    test('a client whose address is unknown', async () => {
      const client = await clientAs(suite.postfix.ports.smtp, 'test1', '[UNAVAILABLE]');
      assert.match((await client.rcpt('friend@example.net')).text, /: test1 may not send mail from unknown$/);
      await client.quit();
      await suite.postfix.waitForLog(/verdict=reject user=test1 address=unknown .*\n/);
    });

    test('fail2ban and refused find the clients, and nothing that the clients made up', () => {
      const file = join(suite.policy.folder, 'mail.log');
      const stamp = '2026-11-25T05:20:00.123456+00:00'; // the other form of a time stamp in mail logs
      for (const log of [suite.postfix.log(), suite.postfix.log().replace(/^\w{3} [ \d]\d [\d:]{8}/gm, stamp)]) {
        writeFileSync(file, log);
        const words = ['--out', 'ip', file, 'examples/fail2ban/allow-nets.filter.conf'];
        const banned = execFileSync(program('fail2ban-regex'), words, { encoding: 'utf8' });
        assert.deepEqual(banned.trimEnd().split('\n'), addresses);
        const rows = JSON.parse(suite.policy.allowNets('refused', '--json', file)) as { network: string | null }[];
        const networks = addresses.map((address) => address.replace(/::1$/, '::/64').replace(/^[\d.]+$/, '$&/32'));
        assert.deepEqual(rows.map(({ network }) => network ?? '').sort(), [...networks, ''].sort());
      }
    });

    test('a user name of 1,000 characters, by AUTH', async () => {
      const port = suite.postfix.ports.smtp;
      for (const user of [long, `${long}b`]) {
        const from = suite.postfix.log().length;
        const reply = await sendMail({ port, user });
        assert.match(reply, /^554 5\.7\.1 <friend@example\.net>: Recipient address rejected: a{300,400}$/);
        const logged = /allow-nets\[\d+\]: verdict=reject user=a{255}\.\.\. address=127\.0\.0\.1 /;
        await suite.postfix.waitForLog(logged, from);
      }
      // Allowed from its network, while the name with one letter more is another user.
      suite.policy.allowNets('add', long, '127.0.0.1');
      assert.match(await sendMail({ port, user: long }), /^250 /);
      assert.match(await sendMail({ port, user: `${long}b` }), /^554 /);
    });

    test('none of this caused a warning', () => {
      assert.deepEqual(suite.postfix.complaints(), []);
    });
  },
);
