// The database is removed, broken or replaced under a running Postfix: a temporary error, a warning with the remedy in the mail log,
// and the right answer again as soon as the fault is repaired; in both modes, and within one SMTP session.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { beforeEach, test } from 'node:test';
import { needs } from '../requires';
import { askPolicy, clientAs, describeWithPostfix } from '../rig/policy-set-up';
import { waitFor } from '../rig/wait-for';

const modes = ['persistent', 'oneRequest'] as const;
const INSIDE = '192.0.2.1';
const OUTSIDE = '198.51.100.1';

/** The remedy is the one in the warning. */
const faults: readonly [name: string, harm: (db: string) => void, remedy: RegExp][] = [
  ['removed', (db) => fs.rmSync(db), /allow-nets init --db /],
  ['filled with noise', (db) => fs.writeFileSync(db, 'no database '.repeat(1000)), /put a good copy in its place/],
];

/** With its group, which may read it. */
const copy = (from: string, to: string) => execFileSync('cp', ['-p', from, to]);

describeWithPostfix(
  'trouble with the database',
  needs('root', 'postfix', 'dovecot', 'openssl'),
  (policy) => {
    // Copies of these are put in its place: quicker than the commands.
    for (const address of [INSIDE, OUTSIDE]) {
      policy.allowNets('add', 'test1', address);
      copy(policy.db, `${policy.db}.${address}`);
      policy.allowNets('remove', 'test1', address);
    }
    return {
      listeners: {
        persistent: [askPolicy('unix:private/persistent')],
        oneRequest: [askPolicy('{ unix:private/one-request, request_limit=1 }')],
      },
      services: [policy.service('persistent', '--persistent'), policy.service('one-request')],
    };
  },
  (suite) => {
    /** Renames a copy of the database that allows this address over the present one. */
    function put(address: string): void {
      const { db } = suite.policy;
      copy(`${db}.${address}`, `${db}.next`);
      fs.renameSync(`${db}.next`, db);
    }
    beforeEach(() => put(INSIDE));

    /** A session of test1 from each address in each mode; all are asked at once. */
    async function sessions() {
      const each = modes.flatMap((mode) =>
        [INSIDE, OUTSIDE].map((address) => ({ port: suite.postfix.ports[mode], address })),
      );
      const clients = await Promise.all(each.map(({ port, address }) => clientAs(port, 'test1', address)));
      return {
        async expect(inside: string, outside: string) {
          const replies = await Promise.all(clients.map((client) => client.rcpt('friend@example.net')));
          const begins = replies.map(({ code, text }) => `${code} ${text.slice(0, 5)}`);
          assert.deepEqual(begins, [inside, outside, inside, outside]);
        },
        end: () => Promise.all(clients.map((client) => client.quit())),
      };
    }

    for (const [name, harm, remedy] of faults) {
      test(name, async () => {
        const { postfix, policy } = suite;
        const all = await sessions();
        await all.expect('250 2.1.5', '554 5.7.1');
        const from = postfix.log().length;
        harm(policy.db);
        await all.expect('451 4.3.5', '451 4.3.5');
        const warnings = () =>
          postfix
            .log()
            .slice(from)
            .match(/^.* postfix\/allow-nets\[\d+\]: warning: .*$/gm) ?? [];
        // Two sessions in each mode, and Postfix asks twice.
        await waitFor('a warning of each program', () => warnings().length >= 8, postfix.log);
        assert.equal(warnings().length, 8);
        for (const line of warnings()) {
          assert.ok(line.includes(policy.db), line);
          assert.match(line, remedy);
        }
        await postfix.waitForLog(/postfix\/spawn\[\d+\]: warning: command .* exit status 78$/m, from);
        put(INSIDE);
        await all.expect('250 2.1.5', '554 5.7.1');
        await all.end();
      });
    }

    test('another database renamed over it counts from the next recipient on', async () => {
      const all = await sessions();
      await all.expect('250 2.1.5', '554 5.7.1');
      put(OUTSIDE);
      await all.expect('554 5.7.1', '250 2.1.5');
      put(INSIDE);
      await all.expect('250 2.1.5', '554 5.7.1');
      await all.end();
    });
  },
);
