// Three local copies of a list in a real MariaDB, by the files of examples/many-servers, through all sorts of trouble, while mail goes
// through two Postfix instances that each ask a copy of their own.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { needs } from '../requires';
import { type PolicySetUp, setUpPolicy } from '../rig/policy-set-up';
import type { PrivatePostfix } from '../rig/postfix';
import type { Running } from '../rig/run';
import type { SqlServer } from '../servers/sql-server';
import { startMariaDb } from '../servers/sql-server';
import { example } from './example-files';
import { type MailFlow, startMailFlow, startMailServer } from './mail-flow';
import { type ManySites, startExample, steps } from './many-sites';
import { makeSite, type Site, waitForAnswer } from './site';

describe(
  'three copies of a list in MariaDB, and mail',
  needs('root', 'mariadbd', 'postfix', 'dovecot', 'openssl'),
  () => {
    let server: SqlServer;
    let policy: PolicySetUp;
    let sites: Site[] = [];
    let syncs: Running[] = [];
    let mail: PrivatePostfix<'smtp'>[] = [];
    let flows: MailFlow[] = [];
    const sql = (statements: string) => server.sql(`use mail; ${statements}`);

    before(async () => {
      policy = setUpPolicy('many-sites');
      server = await startMariaDb();
      await server.sql(`create database mail; use mail; ${example('mariadb.sql')}`);
      sites = [1, 2, 3].map(() => makeSite());
      syncs = sites.map((site) => {
        const options = example('mariadb.cnf', {
          'host = db.example.com': `socket = ${server.folder}/mariadb.sock`,
        });
        const script = example('sync-mariadb.sh', {
          '/etc/allow-nets/mariadb.cnf': site.file('mariadb.cnf', options),
          '--every 30s': '--every 1s --timeout 2s',
        });
        return startExample(site, script);
      });
      for (const site of sites) await waitForAnswer(site, 'bob@example.com', '198.51.100.7', 'dunno');
      mail = await Promise.all(sites.slice(0, 2).map(({ db }) => startMailServer(policy, db)));
      flows = mail.map(({ ports }) => startMailFlow(ports.smtp));
    });
    after(() => {
      for (const { child } of syncs) child.kill('SIGKILL');
      for (const instance of mail) instance.stop();
      server?.stop();
      policy?.remove();
    });

    const client = () => [...server.client, '--quick', '--batch', '-e'];
    const many = (): ManySites => ({
      server,
      sites,
      sql,
      whole: [...client(), 'select user, network from mail.access'],
      // --quick prints what fills the server's buffer as it comes.
      halting: [
        ...client(),
        `select user, network from mail.access, mail.seq_1_to_2000
         union all select 'eve', sleep(30) union all select user, network from mail.access`,
      ],
      locked: (seconds) => `lock tables access write; select sleep(${seconds}); unlock tables`,
    });

    for (const [name, work] of steps(many)) test(name, work);

    test('meanwhile no mail got a verdict that neither list gives, and no 451', async () => {
      for (const flow of flows) {
        const { asked, wrong } = await flow.end();
        assert.deepEqual(wrong, []);
        assert.ok(asked > 100, `only ${asked} recipients`);
      }
      for (const instance of mail) assert.doesNotMatch(instance.log(), /warning|fatal|panic/);
    });

    test('told to end, all of them end well, with one line for each change, failure and recovery', async () => {
      for (const sync of syncs) assert.deepEqual((await sync.end()).status, 0);
      const [, , third] = sites;
      const lines = third?.log().map((line) => line.replace(/ source=.*| after failures=.*|(: [^;]*).*/, '$1')) ?? [];
      assert.ok(lines.length < 40, lines.join('\n'));
      assert.deepEqual(lines.filter((line) => line.includes('works again')).length >= 4, true, lines.join('\n'));
    });
  },
);
