// `allow-nets sync --every`: changes as they come, what is told and how often, and how it ends.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { processesIn } from '../rig/scratch';
import { waitFor } from '../rig/wait-for';
import { makeSite, type Site, waitForAnswer } from './site';

const ENDED = { status: 0, signal: null, stderr: '' };

/** Puts another list in the place of the one that is there, at once. */
function offer(site: Site, text: string): void {
  renameSync(site.file('list.new', text), join(site.folder, 'list'));
}

/** Waits for a run that began after this call, and for the next: what was offered before has then been read. */
async function afterTwoRuns(site: Site): Promise<void> {
  for (const _ of [1, 2]) {
    const count = () => readFileSync(join(site.folder, 'runs'), 'utf8').length;
    const before = count();
    await waitFor('another run', () => count() > before);
  }
}

/** A command that gives the list, and a dot to the file `runs`. */
const GIVE = ['sh', '-c', 'printf . >> runs; exec cat list'];

describe('sync --every', () => {
  test('follows the list, logs each change once, and ends between two transactions', async () => {
    const site = makeSite();
    offer(site, 'alice,10.0.0.0/8\n');
    const sync = site.start('sync', '--every', '1s', '--', ...GIVE);
    await waitForAnswer(site, 'alice', '10.1.1.1', 'dunno');
    offer(site, 'alice,10.0.0.0/8\nbob,192.0.2.1\n');
    await waitForAnswer(site, 'bob', '192.0.2.1', 'dunno');
    const { mtimeNs } = statSync(site.db, { bigint: true });
    await afterTwoRuns(site);
    assert.equal(statSync(site.db, { bigint: true }).mtimeNs, mtimeNs, 'without a difference nothing is written');
    offer(site, 'alice,10.0.0.0/8,note\n');
    await waitForAnswer(site, 'bob', '192.0.2.1', 'reject');
    const { stdout, ...ending } = await sync.end();
    assert.deepEqual(ending, ENDED);
    const lines = [
      'sync: added=1 removed=0 changed=0 took=T source=sh',
      'sync: added=1 removed=0 changed=0 took=T source=sh',
      'sync: added=0 removed=1 changed=1 took=T source=sh',
    ];
    assert.equal(stdout.replace(/took=[\d.]+s/g, 'took=T'), `${lines.join('\n')}\n`);
    assert.deepEqual(
      site.log(),
      lines.map((line) => `info: ${line}`),
    );
  });

  test('logs the first failure and the recovery, and the old answers stand', async () => {
    const site = makeSite();
    offer(site, 'alice,10.0.0.0/8\nbob,192.0.2.1\n');
    const sync = site.start('sync', '--every', '1s', '--', ...GIVE);
    await waitForAnswer(site, 'alice', '10.1.1.1', 'dunno');
    rmSync(join(site.folder, 'list'));
    await afterTwoRuns(site);
    await afterTwoRuns(site);
    offer(site, '');
    await afterTwoRuns(site);
    rmSync(join(site.folder, 'list'));
    await afterTwoRuns(site);
    assert.equal(await site.answer('bob', '192.0.2.1'), 'dunno');
    offer(site, 'alice,10.0.0.0/8\nbob,192.0.2.1\n');
    await waitFor('the recovery', () => site.log().some((line) => line.includes('works again')));
    const { stdout, stderr, ...ending } = await sync.end();
    assert.deepEqual(ending, { status: 0, signal: null });
    const failure = 'sh ended with status 1: cat: list: No such file or directory';
    const log = site.log().map((line) => line.replace(/after \d+ s/, 'after T'));
    assert.deepEqual(log, [
      'info: sync: added=2 removed=0 changed=0 took=T source=sh',
      `warn: sync: ${failure}; nothing was changed; source=sh`,
      'info: sync: works again after T source=sh',
    ]);
    assert.deepEqual(stderr.match(/error: .*/g), [`error: ${failure}`]);
    assert.match(stdout, /works again after \d+ s/);
  });

  test('goes on when a command hangs, and when the database is not there or busy', async () => {
    const site = makeSite();
    offer(site, 'alice,10.0.0.0/8\n');
    const hang = 'printf . >> runs; test -e hang && sleep 1000; exec cat list';
    const sync = site.start('sync', '--every', '1s', '--timeout', '3s', '--', 'sh', '-c', hang);
    await waitForAnswer(site, 'alice', '10.1.1.1', 'dunno');
    site.file('hang', '');
    const failed = (text: string) =>
      waitFor(text, () => site.log().some((line) => line.startsWith('warn') && line.includes(text)));
    await failed('had not ended after 3 s and was killed');
    rmSync(join(site.folder, 'hang'));
    offer(site, 'alice,10.0.0.0/8\nbob,192.0.2.1\n');
    await waitForAnswer(site, 'bob', '192.0.2.1', 'dunno');
    const copy = readFileSync(site.db);
    rmSync(site.db);
    await failed('there is no database');
    writeFileSync(site.db, copy);
    offer(site, 'carol,10.0.0.0/8\nalice,10.0.0.0/8\nbob,192.0.2.1\n');
    await waitForAnswer(site, 'carol', '10.1.1.1', 'dunno');
    assert.deepEqual((await sync.end()).status, 0);
    // But for the policy program that this test asks.
    const left = processesIn(site.folder).filter(({ command }) => !command.includes('--persistent'));
    assert.deepEqual(left, []);
  });

  test('a signal ends the command too, leaves nothing behind, and is no failure; a single run says so', async () => {
    const stubborn = 'trap "" TERM INT HUP; echo alice,10.0.0.0/8; printf . > runs; sleep 1000; sleep 1000';
    for (const [signal, every] of [
      ['SIGTERM', true],
      ['SIGINT', true],
      ['SIGHUP', true],
      ['SIGTERM', false],
    ] as const) {
      const site = makeSite();
      const sync = site.start('sync', ...(every ? ['--every', '1s'] : []), '--', 'sh', '-c', stubborn);
      await waitFor('the command', () => existsSync(join(site.folder, 'runs')));
      sync.child.kill(signal);
      const stderr = 'allow-nets: error: sync was ended by a signal\nallow-nets: hint: nothing was changed\n';
      assert.deepEqual(
        await sync.ended,
        every ? { ...ENDED, stdout: '' } : { status: 1, signal: null, stdout: '', stderr },
      );
      assert.deepEqual(processesIn(site.folder), []);
      assert.deepEqual([site.entries(), existsSync(`${site.db}.sync.json`)], [[], false]);
    }
  });

  test('SIGTERM in the middle of a change lets it be done', async () => {
    const site = makeSite();
    const rows = 60_000;
    const list = Array.from({ length: rows }, (_, i) => `user${i},10.${(i >> 8) & 255}.${i & 255}.0/24\n`);
    offer(site, list.join(''));
    const sync = site.start('sync', '--every', '1s', '--', 'cat', 'list');
    await waitFor('the transaction', () => existsSync(`${site.db}-journal`) || sync.child.exitCode !== null);
    const { status } = await sync.end();
    assert.equal(status, 0);
    assert.equal(existsSync(`${site.db}-journal`), false);
    assert.equal(site.entries().length, rows);
  });
});
