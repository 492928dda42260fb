// The database goes away, is broken or is replaced under a running Postfix: a temporary error, a warning with the remedy in the mail log,
// and the right answer again as soon as the fault is gone; in both modes, and within one SMTP session.
import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { needs } from '../requires';
import { waitFor } from '../wait-for';
import { askPolicy, clientAs, type PolicySetUp, setUpPolicy } from './policy-set-up';
import { type PrivatePostfix, startPrivatePostfix } from './private-postfix';

const modes = ['persistent', 'oneRequest'] as const;

interface Fault {
  name: string;
  harm: (db: string) => void;
  /** The remedy in the warning. */
  remedy: RegExp;
  /** In which modes it is one. */
  in: readonly (typeof modes)[number][];
}

const faults: readonly Fault[] = [
  { name: 'removed', harm: (db) => rmSync(db), remedy: /allow-nets init --db /, in: modes },
  {
    name: 'readable by root only',
    harm: (db) => chmodSync(db, 0o600),
    remedy: /chmod 640 /,
    in: modes,
  },
  {
    name: 'filled with noise',
    harm: (db) => writeFileSync(db, 'no database '.repeat(1000)),
    remedy: /put a good copy in its place/,
    in: modes,
  },
  {
    name: 'cut to half',
    harm: (db) => truncateSync(db, readFileSync(db).length / 2),
    remedy: /put a good copy in its place/,
    in: modes,
  },
];

describe('trouble with the database', needs('root', 'postfix', 'dovecot', 'openssl'), () => {
  let policy: PolicySetUp;
  let postfix: PrivatePostfix<(typeof modes)[number]>;
  let group: number;

  before(async () => {
    policy = setUpPolicy('trouble');
    group = statSync(policy.db).gid;
    // Copies of these are put in its place: quicker than the commands.
    const contents = { 'inside.db': '192.0.2.0/24', 'outside.db': '198.51.100.0/24' };
    for (const [file, network] of Object.entries(contents)) {
      policy.allowNets('add', 'test1', network);
      copyFileSync(policy.db, join(policy.folder, file));
      policy.allowNets('remove', 'test1', network);
    }
    postfix = await startPrivatePostfix({
      listeners: {
        persistent: [askPolicy('unix:private/persistent')],
        oneRequest: [askPolicy('{ unix:private/one-request, request_limit=1 }')],
      },
      services: [policy.service('persistent', '--persistent'), policy.service('one-request')],
    });
  });
  beforeEach(() => put('inside.db'));
  after(() => {
    postfix?.stop();
    policy?.remove();
  });

  /** Renames a copy of a whole database over the present one. */
  function put(file: string): void {
    const copy = join(policy.folder, 'copy.db');
    copyFileSync(join(policy.folder, file), copy);
    // A copy by root does not keep the group that may read it.
    chownSync(copy, 0, group);
    renameSync(copy, policy.db);
  }

  /** A session of test1 from 192.0.2.1 and one from 198.51.100.1 in each mode; all are asked at once. */
  async function sessions(which: readonly (typeof modes)[number][]) {
    const clients = await Promise.all(
      which.flatMap((mode) =>
        ['192.0.2.1', '198.51.100.1'].map((address) => clientAs(postfix.ports[mode], 'test1', address)),
      ),
    );
    return {
      async expect(inside: string, outside: string) {
        const replies = await Promise.all(clients.map((client) => client.rcpt('friend@example.net')));
        const shown = replies.map(({ code, text }) => `${code} ${text.slice(0, 5)}`);
        assert.deepEqual(
          shown,
          which.flatMap(() => [inside, outside]),
        );
      },
      end: () => Promise.all(clients.map((client) => client.quit())),
    };
  }

  for (const fault of faults) {
    test(`${fault.name} (${fault.in.join(' and ')})`, async () => {
      const all = await sessions(fault.in);
      await all.expect('250 2.1.5', '554 5.7.1');
      const from = postfix.log().length;
      fault.harm(policy.db);
      await all.expect('451 4.3.5', '451 4.3.5');
      // Two sessions in each mode, and Postfix asks twice.
      const warning = /^.* postfix\/allow-nets\[\d+\]: warning: .*$/gm;
      const warnings = await waitFor(
        'a warning of each program',
        () => {
          const lines = postfix.log().slice(from).match(warning) ?? [];
          return lines.length >= fault.in.length * 4 && lines;
        },
        postfix.log,
      );
      assert.equal(warnings.length, fault.in.length * 4);
      for (const line of warnings) {
        assert.ok(line.includes(policy.db), line);
        assert.match(line, fault.remedy);
      }
      await postfix.waitForLog(/postfix\/spawn\[\d+\]: warning: command .* exit status 78$/m, from);
      put('inside.db');
      await all.expect('250 2.1.5', '554 5.7.1');
      await all.end();
    });
  }

  test('another database renamed over it counts from the next recipient on', async () => {
    const all = await sessions(modes);
    await all.expect('250 2.1.5', '554 5.7.1');
    put('outside.db');
    await all.expect('554 5.7.1', '250 2.1.5');
    put('inside.db');
    await all.expect('250 2.1.5', '554 5.7.1');
    await all.end();
  });
});
