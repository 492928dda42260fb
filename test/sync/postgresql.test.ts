// Three local copies of a list in a real PostgreSQL, by the files of examples/many-servers, through all sorts of trouble.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { needs, program } from '../requires';
import type { Running } from '../rig/run';
import type { SqlServer } from '../servers/sql-server';
import { startPostgreSql } from '../servers/sql-server';
import { example } from './example-files';
import { type ManySites, startExample, steps } from './many-sites';
import { makeSite, type Site, waitForAnswer } from './site';

describe('three copies of a list in PostgreSQL', needs('postgres'), () => {
  let server: SqlServer;
  let sites: Site[] = [];
  let syncs: Running[] = [];
  const sql = (statements: string) => server.sql(`set timezone = 'UTC'; ${statements}`);

  before(async () => {
    server = await startPostgreSql();
    await server.sql(example('postgresql.sql'));
    sites = [1, 2, 3].map(() => makeSite());
    syncs = sites.map((site) => {
      const service = example('pg_service.conf', {
        'host=db.example.com': `host=${server.folder}`,
        'dbname=mail': 'dbname=postgres',
      });
      const script = example('sync-postgresql.sh', {
        '/etc/allow-nets/pg_service.conf': site.file('pg_service.conf', service),
        '--every 30s': '--every 1s --timeout 2s',
      });
      return startExample(site, script);
    });
    for (const site of sites) await waitForAnswer(site, 'bob@example.com', '198.51.100.7', 'dunno');
  });
  after(async () => {
    for (const { child } of syncs) child.kill('SIGKILL');
    server?.stop();
  });

  const client = () => [...server.client, '-c'];
  const many = (): ManySites => ({
    server,
    sites,
    sql,
    whole: [...client(), 'copy (select "user", network from access) to stdout'],
    // COPY sends what fills its buffer.
    halting: [
      ...client(),
      `copy (select "user", network from access, generate_series(1, 2000)
             union all select 'eve', pg_sleep(30)::text union all select "user", network from access) to stdout`,
    ],
    locked: (seconds) => `begin; lock table access in access exclusive mode; select pg_sleep(${seconds}); commit`,
  });

  for (const [name, work] of steps(many)) test(name, work);

  test('an expiry that PostgreSQL prints with an offset of its time zone is the same moment', async () => {
    await sql(
      `alter role "allow-nets" set timezone = 'Asia/Kolkata'; insert into access values ('eve', '10.0.0.1', null, '2037-06-01 12:00:00.5+00')`,
    );
    for (const site of sites) await waitForAnswer(site, 'eve', '10.0.0.1', 'dunno');
    for (const site of sites) assert.equal(site.entries().at(-1), 'eve 10.0.0.1/32 2037-06-01T12:00:00Z');
  });

  test('told to end, all of them end well', async () => {
    for (const sync of syncs) assert.deepEqual((await sync.end()).status, 0);
    assert.ok(program('psql'));
  });
});
