// Three servers that each keep a local copy of one list in a real database server, by the files of examples/many-servers, and what may
// happen to the list. Meanwhile two of the copies are asked without a pause.
import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { needs } from '../requires';
import { programFolder, type Running, start } from '../rig/run';
import { waitFor } from '../rig/wait-for';
import { type SqlServer, startMariaDb, startPostgreSql } from '../servers/sql-server';
import { example } from './example-files';
import { askWithoutPause, makeSite, type Site, waitForAnswer } from './site';

interface ListServer {
  readonly name: string;
  readonly needed: ReturnType<typeof needs>;
  /** Starts the server and makes the list. */
  start(): Promise<SqlServer>;
  /** What comes before statements on the list. */
  readonly prefix: string;
  /** The example's script, with an interval of a second. */
  script(site: Site, server: SqlServer): string;
  /** The words of the client before statements that print the list many times, stand still for half a minute, and go on. */
  readonly client: readonly string[];
  readonly halting: string;
  /** Statements that keep others from reading the table for a while. */
  locked(seconds: number): string;
}

const EVERY = { '--every 30s': '--every 1s --timeout 2s' };

const SERVERS: ListServer[] = [
  {
    name: 'MariaDB',
    needed: needs('mariadbd'),
    async start() {
      const server = await startMariaDb();
      await server.sql(`create database mail; use mail; ${example('mariadb.sql')}`);
      return server;
    },
    prefix: 'use mail;',
    script(site, { folder }) {
      const options = example('mariadb.cnf', { 'host = db.example.com': `socket = ${folder}/mariadb.sock` });
      const file = site.file('mariadb.cnf', options);
      return example('sync-mariadb.sh', { '/etc/allow-nets/mariadb.cnf': file, ...EVERY });
    },
    // --quick prints what fills the server's buffer as it comes.
    client: ['--quick', '--batch', '-e'],
    halting: `select user, network from mail.access, mail.seq_1_to_2000
      union all select 'eve', sleep(30) union all select user, network from mail.access`,
    locked: (seconds) => `lock tables access write; select sleep(${seconds}); unlock tables`,
  },
  {
    name: 'PostgreSQL',
    needed: needs('postgres'),
    async start() {
      const server = await startPostgreSql();
      // An expiry is printed with the offset of the time zone.
      await server.sql(`${example('postgresql.sql')}; alter role "allow-nets" set timezone = 'Asia/Kolkata'`);
      return server;
    },
    prefix: "set timezone = 'UTC';",
    script(site, { folder }) {
      const changes = { 'host=db.example.com': `host=${folder}`, 'dbname=mail': 'dbname=postgres' };
      const file = site.file('pg_service.conf', example('pg_service.conf', changes));
      return example('sync-postgresql.sh', { '/etc/allow-nets/pg_service.conf': file, ...EVERY });
    },
    client: ['-c'],
    // COPY sends what fills its buffer.
    halting: `copy (select "user", network from access, generate_series(1, 2000)
      union all select 'eve', pg_sleep(30)::text union all select "user", network from access) to stdout`,
    locked: (seconds) => `begin; lock table access in access exclusive mode; select pg_sleep(${seconds}); commit`,
  },
];

/** `allow-nets` is the shipped program, and the database the site's. */
function startExample(site: Site, script: string): Running {
  const file = site.file('sync.sh', script);
  chmodSync(file, 0o755);
  const env = { ...site.env, PATH: `${programFolder()}:${site.env['PATH']}`, ALLOW_NETS_DB: site.db };
  return start([], { command: [file], cwd: site.folder, env });
}

/** What the copies answer by the rows of the examples, whatever happens to the list. */
const STANDS = [
  ['alice@example.com', '192.0.2.9', 'dunno'],
  ['alice@example.com', '2001:db8:1::9', 'dunno'],
  ['alice@example.com', '198.51.100.7', 'reject'],
  ['bob@example.com', '198.51.100.7', 'dunno'],
  ['bob@example.com', '192.0.2.9', 'reject'],
] as const;

/** carol comes and goes. */
const question = (asked: number): readonly [string, string, readonly string[]] => {
  const [user, address, answer] = STANDS[asked % 6] ?? ['carol@example.com', '203.0.113.5', null];
  return [user, address, answer === null ? ['dunno', 'reject'] : [answer]];
};

for (const list of SERVERS) {
  describe(`three copies of a list in ${list.name}`, list.needed, () => {
    let server: SqlServer;
    let sites: Site[] = [];
    let syncs: Running[] = [];
    let flows: ReturnType<typeof askWithoutPause>[] = [];
    const sql = (statements: string) => server.sql(`${list.prefix} ${statements}`);
    const each = (work: (site: Site) => Promise<unknown>) => Promise.all(sites.map(work));
    const answered = (user: string, address: string, answer: string) =>
      each((site) => waitForAnswer(site, user, address, answer));
    /** Waits until each site has failed with these words, or worked. */
    const hasFailed = (words: RegExp) =>
      each((site) =>
        waitFor(
          `${words}`,
          () => words.test(site.error() ?? 'worked'),
          () => `${site.error()}`,
        ),
      );
    const stands = async (state: RegExp) => {
      await hasFailed(state);
      await each(async (site) => {
        for (const [user, address, answer] of STANDS) assert.equal(await site.answer(user, address), answer, user);
      });
    };
    const WORKS = /^worked$/;

    before(async () => {
      server = await list.start();
      sites = [1, 2, 3].map(() => makeSite());
      syncs = sites.map((site) => startExample(site, list.script(site, server)));
      await answered('bob@example.com', '198.51.100.7', 'dunno');
      flows = sites.slice(0, 2).map((site) => askWithoutPause(site, question));
    });
    after(() => {
      for (const { child } of syncs) child.kill('SIGKILL');
      server?.stop();
    });

    test('a change is answered by all three within the interval, and so is its end', async () => {
      await sql("insert into access values ('carol@example.com', '203.0.113.0/24', NULL, '2037-06-01 12:00:00')");
      await answered('carol@example.com', '203.0.113.5', 'dunno');
      for (const site of sites) assert.match(site.entries().join('\n'), /^carol.*203.* 2037-06-01T12:00:00Z$/m);
      await sql("update access set network = '203.0.113.0/25' where network = '203.0.113.0/24'");
      await answered('carol@example.com', '203.0.113.200', 'reject');
      await sql("update access set expires = '2020-01-01 00:00' where network = '203.0.113.0/25'");
      await answered('carol@example.com', '203.0.113.5', 'reject');
      await sql("delete from access where network = '203.0.113.0/25'");
      await stands(WORKS);
    });

    test('a line that cannot be read, and a table emptied by mistake: the old answers stand', async () => {
      await sql("insert into access values ('dave@example.com', '10.0.0.300', NULL, NULL)");
      await stands(/line \d+ of what \w+ printed: 10\.0\.0\.300 is not a network/);
      await sql("delete from access where network = '10.0.0.300'");
      await stands(WORKS);
      await sql('create table kept as select * from access; delete from access');
      await stands(/the input is empty|the input has no entry/);
      await sql('insert into access select * from kept; drop table kept');
      await stands(WORKS);
    });

    test('a command that hangs', async () => {
      const lock = sql(list.locked(8));
      await stands(/had not ended after 2 s and was killed/);
      await lock;
      await stands(WORKS);
    });

    test('the server killed in the middle of the output, stopped for a while, and started again', async () => {
      const [site] = sites;
      assert.ok(site);
      // What has come so far is seen by tee, before sync has all of it.
      const watched = ['bash', '-c', `set -o pipefail; "$@" | tee ${join(site.folder, 'seen')}`, 'bash'];
      const command = [...watched, ...server.client, ...list.client, list.halting];
      const running = site.start('sync', '--timeout', '60s', '--', ...command);
      await waitFor(
        'the first rows',
        () => site.sizeOf('seen') > 0,
        () => running.stderr,
      );
      await server.crash();
      const { status, stdout, stderr } = await running.ended;
      assert.deepEqual([status, stdout], [1, '']);
      assert.match(stderr, /^allow-nets: error: bash ended with status \d+: .*(lost|Lost|closed)/);
      await stands(/ended with status \d/);
      await server.start();
      await stands(WORKS);
      await sql("insert into access values ('carol@example.com', '203.0.113.0/24', NULL, NULL)");
      await answered('carol@example.com', '203.0.113.5', 'dunno');
      await sql("delete from access where network = '203.0.113.0/24'");
      await answered('carol@example.com', '203.0.113.5', 'reject');
    });

    test('meanwhile each answer was one that a list gives', async () => {
      for (const end of flows) {
        const { asked, wrong } = await end();
        assert.deepEqual(wrong, []);
        assert.ok(asked > 100, `asked only ${asked} times`);
      }
    });

    test('all of them end with status 0 at SIGTERM, with one line for each change, failure and recovery', async () => {
      for (const sync of syncs) assert.equal((await sync.end()).status, 0);
      const lines = sites[2]?.log() ?? [];
      assert.ok(lines.length < 40, lines.join('\n'));
      assert.ok(lines.filter((line) => line.includes('works again')).length >= 4, lines.join('\n'));
    });
  });
}
