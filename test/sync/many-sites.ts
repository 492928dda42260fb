// Three servers that each keep a local copy of one list in a real database server, by the command of examples/many-servers, and what may
// happen to the list: the same trouble for MariaDB and for PostgreSQL.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { programFolder, type Running, start } from '../rig/run';
import { waitFor } from '../rig/wait-for';
import type { SqlServer } from '../servers/sql-server';
import { type Site, waitForAnswer } from './site';

export interface ManySites {
  readonly server: SqlServer;
  readonly sites: readonly Site[];
  /** Statements in the database of the list. */
  sql(statements: string): Promise<string>;
  /** A command that prints the list. */
  readonly whole: readonly string[];
  /** One that prints it many times, stands still for half a minute, and goes on. */
  readonly halting: readonly string[];
  /** Statements that keep others from reading the table for a while. */
  locked(seconds: number): string;
}

/**
 * The example's script as the site runs it: `allow-nets` is the shipped program, the database the site's, the interval a second.
 * @param script text of the example
 */
export function startExample(site: Site, script: string): Running {
  const tools = join(site.folder, 'tools');
  mkdirSync(tools);
  const file = join(tools, 'sync.sh');
  writeFileSync(file, script);
  chmodSync(file, 0o755);
  const env = { ...site.env, PATH: `${programFolder()}:${site.env['PATH']}`, ALLOW_NETS_DB: site.db };
  return start([], { command: [file], cwd: site.folder, env });
}

/** What the copies say of the rows of the examples, whatever happens to the list. */
const STANDS: [user: string, address: string, answer: string][] = [
  ['alice@example.com', '192.0.2.9', 'dunno'],
  ['alice@example.com', '198.51.100.7', 'reject'],
  ['bob@example.com', '198.51.100.7', 'dunno'],
];

/** Each step ends with the list as it was at its beginning, and all copies equal to it. */
export function steps(all: () => ManySites): [name: string, work: () => Promise<void>][] {
  const everywhere = (user: string, address: string, answer: string) =>
    Promise.all(all().sites.map((site) => waitForAnswer(site, user, address, answer)));
  const stands = async () => {
    for (const site of all().sites) {
      for (const [user, address, answer] of STANDS) assert.equal(await site.answer(user, address), answer, user);
    }
  };
  /** Waits until each site has failed with these words since it last worked. */
  const failed = (words: RegExp) =>
    Promise.all(
      all().sites.map((site) =>
        waitFor(
          `a failure ${words}`,
          () => words.test(site.error() ?? ''),
          () => `${site.error()}`,
        ),
      ),
    );
  const works = () =>
    Promise.all(
      all().sites.map((site) =>
        waitFor(
          'a good run',
          () => site.error() === null,
          () => `${site.error()}`,
        ),
      ),
    );
  /** The old answers stand while something is wrong, and the next good run mends it. */
  const trouble = async (words: RegExp, mend: () => Promise<unknown>) => {
    await failed(words);
    await stands();
    await mend();
    await works();
    await stands();
  };
  return [
    [
      'a change is answered by all three within the interval, and so is its end',
      async () => {
        await all().sql(`insert into access values ('carol@example.com', '203.0.113.0/24', NULL, NULL)`);
        await everywhere('carol@example.com', '203.0.113.5', 'dunno');
        await all().sql(`update access set network = '203.0.113.0/25' where network = '203.0.113.0/24'`);
        await everywhere('carol@example.com', '203.0.113.200', 'reject');
        await all().sql(`update access set expires = '2020-01-01 00:00' where network = '203.0.113.0/25'`);
        await everywhere('carol@example.com', '203.0.113.5', 'reject');
        await all().sql(`delete from access where network = '203.0.113.0/25'`);
        await works();
        await stands();
      },
    ],
    [
      'a line that cannot be read',
      async () => {
        await all().sql(`insert into access values ('dave@example.com', '10.0.0.300', NULL, NULL)`);
        await trouble(/line \d+ of what \w+ printed: 10\.0\.0\.300 is not a network/, () =>
          all().sql(`delete from access where network = '10.0.0.300'`),
        );
      },
    ],
    [
      'a table emptied by mistake',
      async () => {
        await all().sql('create table kept as select * from access; delete from access');
        await trouble(/the input is empty|the input has no entry/, () =>
          all().sql('insert into access select * from kept; drop table kept'),
        );
      },
    ],
    [
      'a command that hangs',
      async () => {
        const lock = all().sql(all().locked(8));
        await failed(/had not ended after 2 s and was killed/);
        await stands();
        await lock;
        await works();
        await stands();
      },
    ],
    [
      'exit status other than 0 after complete output',
      async () => {
        const [site] = all().sites;
        assert.ok(site);
        const output = site.run('sync', '--', 'sh', '-c', '"$@"; exit 1', 'sh', ...all().whole);
        assert.deepEqual([output.status, output.stdout], [1, '']);
        assert.match(output.stderr, /^allow-nets: error: sh ended with status 1/);
        await stands();
        await works();
      },
    ],
    [
      'the server killed in the middle of the output, stopped for a while, and started again',
      async () => {
        const [site] = all().sites;
        assert.ok(site);
        const seen = join(site.folder, 'seen');
        // What has come so far is seen by tee, before sync has all of it.
        const watched = ['bash', '-c', `set -o pipefail; "$@" | tee ${seen}`, 'bash', ...all().halting];
        const running = site.start('sync', '--timeout', '60s', '--', ...watched);
        await waitFor(
          'the first rows',
          () => site.sizeOf('seen') > 0,
          () => running.stderr,
        );
        await all().server.crash();
        const { status, stdout, stderr } = await running.ended;
        assert.deepEqual([status, stdout], [1, '']);
        assert.match(stderr, /^allow-nets: error: bash ended with status \d+: .*(lost|Lost|closed)/);
        assert.ok(site.sizeOf('seen') > 0);
        await failed(/ended with status \d/);
        await stands();
        await all().server.start();
        await works();
        await stands();
        await all().sql(`insert into access values ('carol@example.com', '203.0.113.0/24', NULL, NULL)`);
        await everywhere('carol@example.com', '203.0.113.5', 'dunno');
        await all().sql(`delete from access where network = '203.0.113.0/24'`);
        await everywhere('carol@example.com', '203.0.113.5', 'reject');
      },
    ],
  ];
}
