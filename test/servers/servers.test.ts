// The private servers themselves: what they answer, that data outlives a crash, and that nothing is left behind.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, test } from 'node:test';
import { needs } from '../requires';
import { processesIn } from '../rig/scratch';
import { startMariaDb } from './mariadb';
import { startPostgreSql } from './postgresql';
import type { SqlServer } from './private-server';

describe('a private MariaDB', needs('mariadbd'), () => {
  test('answers, survives a crash and goes without a trace', async () => {
    await lifeOf(await startMariaDb(), 'create database testdb; use testdb; ', 'use testdb; ', '\t');
  });
});

describe('a private PostgreSQL', needs('postgres'), () => {
  test('answers, survives a crash and goes without a trace', async () => {
    await lifeOf(await startPostgreSql(), '', '', ',');
  });
});

async function lifeOf(server: SqlServer, make: string, use: string, separator: string): Promise<void> {
  try {
    await server.sql(`${make}create table access (who varchar(100), network varchar(100))`);
    await server.sql(`${use}insert into access values ('test1', '127.0.0.1/32')`);
    await server.crash();
    await assert.rejects(server.sql('select 1'));
    await server.start();
    const rows = await server.sql(`${use}select * from access`);
    assert.equal(rows, `who${separator}network\ntest1${separator}127.0.0.1/32\n`);
  } finally {
    server.stop();
  }
  assert.deepEqual(processesIn(server.folder), []);
  assert.equal(existsSync(server.folder), false);
}
