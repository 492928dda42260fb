// examples/hardened.master.cf at work: mail through a real Postfix whose policy program has the least that it needs, its lines in the mail
// log, and the limits as the kernel has them.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Finding } from '../../src/doctor/finding';
import { needs } from '../requires';
import { userIds } from '../rig/accounts';
import { askPolicy, clientAs, describeWithPostfix, exampleService, programLines } from '../rig/policy-set-up';

describeWithPostfix(
  'examples/hardened.master.cf',
  needs('root', 'postfix', 'dovecot', 'openssl', 'setpriv', 'prlimit'),
  (policy) => {
    policy.allowNets('add', 'test1', '192.0.2.0/24');
    return {
      listeners: { smtp: [askPolicy('unix:private/allow-nets')] },
      services: [exampleService(policy, 'hardened.master.cf')],
    };
  },
  (suite) => {
    test('mail is allowed and refused, and a refusal is logged', async () => {
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

    test('the program that answered has the limits', () => {
      const running = suite.postfix
        .processes()
        .filter(({ command }) => command.startsWith(`${suite.policy.program.node} `));
      assert.ok(running.length > 0);
      for (const { pid } of running) {
        const limits = readFileSync(`/proc/${pid}/limits`, 'utf8');
        for (const line of [
          /^Max file size +0 +0 /m,
          /^Max core file size +0 +0 /m,
          /^Max open files +64 +64 /m,
          /^Max address space +2147483648 +2147483648 /m,
        ])
          assert.match(limits, line);
        const status = readFileSync(`/proc/${pid}/status`, 'utf8');
        assert.match(status, /^NoNewPrivs:\s1$/m);
        assert.match(status, new RegExp(`^Uid:\\s${userIds('nobody').uid}\\s`, 'm'));
      }
    });

    test('doctor finds no fault in it, and tries it as it runs', () => {
      const findings = JSON.parse(
        suite.policy.allowNets('doctor', '--json', '-c', suite.postfix.configDir),
      ) as Finding[];
      const of = (check: string) => findings.find((finding) => finding.check === check);
      assert.deepEqual(
        findings.filter(({ status }) => status === 'fail'),
        [],
      );
      assert.match(
        of('service allow-nets')?.message ?? '',
        /^\/usr\/bin\/setpriv --no-new-privs .* --persistent, run as nobody$/,
      );
      assert.match(of('program')?.message ?? '', /^answers when nobody runs it, with Node.js v\d+\./);
    });
  },
);
