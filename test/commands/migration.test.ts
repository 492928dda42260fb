// The tables of the blog post from which the idea comes, out of a real server and into our database: the same users from the same networks.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { needs } from '../requires';
import { entries, newDatabase } from '../rig/database';
import { type Outcome, run, shell } from '../rig/run';
import type { SqlServer } from '../servers/sql-server';
import { startMariaDb, startPostgreSql } from '../servers/sql-server';

const TABLES = `create table users (user varchar(64) primary key, password varchar(128) not null);
  create table access (user varchar(64) not null, network varchar(64) not null);
  insert into users values ('test1', 'x'), ('test2', 'x');
  insert into access values ('test1', '127.0.0.1/32'), ('test2', '172.31.27.95/32');`;
/** What such tables hold as well, after some years: other spellings, and names that each format must quote. */
const MORE = `insert into access values ('test1', '::ffff:10.1.0.0/112'), ('Test1', '127.0.0.1'),
  ('m\u00fcller, "hans"', '2001:DB8:0:0::/64'), ('back\\\\slash', '192.0.2.7'), ('tab\u00a0name', 'any');`;
const ALL = [
  'back\\slash 192.0.2.7/32',
  'm\u00fcller, "hans" 2001:db8::/64',
  'tab\u00a0name any',
  'test1 10.1.0.0/16',
  'test1 127.0.0.1/32',
  'test2 172.31.27.95/32',
];

/** `program | allow-nets import -` */
function piped(db: string, client: readonly string[], options: string): Outcome {
  const words = [...client, ...options.split('\n')].map((word) => `'${word.replaceAll("'", "'\\''")}'`);
  return shell(`set -o pipefail; ${words.join(' ')} | allow-nets import -`, { db, cwd: '/' });
}

const ASKED = ['test1 127.0.0.1', 'test2 172.31.27.95', 'test1 172.31.27.95', 'test2 127.0.0.1', 'test3 127.0.0.1'];
/** The exit statuses of check: the users of the seed from their networks, then from others. */
function assertVerdicts(db: string): void {
  const statuses = ASKED.map((words) => run(['check', ...words.split(' '), '--db', db]).status);
  assert.deepEqual(statuses, [0, 0, 1, 1, 1]);
}

const SAME = 'allow-nets: hint: rows that mean the same as another one: 1\n';
const added = (count: number, stderr: string, unchanged = 0) => {
  return { status: 0, stdout: `added ${count}, changed 0, removed 0, unchanged ${unchanged}\n`, stderr };
};

describe('out of MariaDB', needs('mariadbd'), () => {
  let server: SqlServer;
  before(async () => {
    server = await startMariaDb();
    await server.sql(`create database testdb; use testdb; ${TABLES}`);
  });
  after(() => server?.stop());

  test('by mysql --batch: the rows of the seed, then special values', async () => {
    const db = newDatabase();
    const batch = '--batch\n-e\nselect user, network from access\ntestdb';
    assert.deepEqual(piped(db, server.client, batch), added(2, ''));
    assert.deepEqual(entries(db), ['test1 127.0.0.1/32', 'test2 172.31.27.95/32']);
    assertVerdicts(db);
    await server.sql(`use testdb; ${MORE}`);
    assert.deepEqual(piped(db, server.client, batch), added(4, SAME, 2));
    assert.deepEqual(entries(db), ALL);
    assertVerdicts(db);
    // Without the header line, and a query that fails.
    const other = newDatabase();
    assert.equal(piped(other, server.client, `--skip-column-names\n${batch}`).status, 0);
    assert.deepEqual(entries(other), ALL);
    const failed = piped(other, server.client, '--batch\n-e\nselect nothing\ntestdb');
    assert.equal(failed.status, 1);
    assert.match(failed.stderr, /allow-nets: error: the input is empty\n.*did the command that printed it fail/);
    assert.deepEqual(entries(other), ALL);
  });
});

describe('out of PostgreSQL', needs('postgres'), () => {
  let server: SqlServer;
  before(async () => {
    server = await startPostgreSql();
    await server.sql(`${TABLES.replaceAll('user varchar', '"user" varchar')} ${MORE.replaceAll('\\\\', '\\')}`);
  });
  after(() => server?.stop());

  for (const options of ['--csv', '-A', '-At', '-A\n-F\n\t']) {
    test(`by psql ${JSON.stringify(options)}`, () => {
      const db = newDatabase();
      const select = `${options}\n-c\nselect "user", network from access`;
      assert.deepEqual(piped(db, server.client, select), added(6, SAME));
      assert.deepEqual(entries(db), ALL);
    });
  }
});
