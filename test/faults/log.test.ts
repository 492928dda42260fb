// Log programs that are missing, fail, hang or are slow, under single requests and under a flood of rejections: answers come as fast as
// ever, few log programs are started, none is left behind, and each line is in the log or counted in "N log lines lost".
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { needs, program } from '../requires';
import { writeDatabase } from '../rig/database';
import { converse, makePlace, PolicyProgram, request, type ServicePlace } from '../rig/policy-program';
import { PROGRAM } from '../rig/run';
import { makeFolder } from '../rig/scratch';

const scratch = makeFolder();
const db = path.join(scratch, 'access.db');
writeDatabase(db, [{ name: 'test1', network: '127.0.0.1/32' }]);
const REFUSED = request('test2', '127.0.0.1');
const REJECT = 'action=reject 5.7.1 test2 may not send mail from 127.0.0.1\n\n';
const LINE = 'verdict=reject user=test2 address=127.0.0.1 subject= entry= reason=no-entry client_name=unknown';

const REQUESTS = process.env['SOAK'] === '1' ? 100_000 : 5_000;
const BATCH = 100;

/** Bodies of shell scripts in place of postlog and logger. */
const COUNTED = 'echo $$ >> "$FAKE_LOG.pids";';
const TAKES = 'exec cat >> "$FAKE_LOG"';
const HANGS = `${COUNTED} exec sleep 1000`;
const FAILS = `${COUNTED} exit 1`;

/** The log programs that a run has started, and how many of them still run. */
function logPrograms({ folder }: ServicePlace): { starts: number; left: number } {
  const file = path.join(folder, 'log.pids');
  const pids = fs.existsSync(file) ? fs.readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
  return { starts: pids.length, left: pids.filter((pid) => fs.existsSync(`/proc/${pid}`)).length };
}

async function start(words: readonly string[], postlog: string | null, logger = TAKES): Promise<PolicyProgram> {
  const started = await PolicyProgram.start(['--db', db, ...words], { postlog });
  fs.writeFileSync(path.join(started.place.folder, 'logger'), `#!/bin/sh\n${logger}\n`, { mode: 0o755 });
  return started;
}

async function flood(requests: number, postlog: string, logger = TAKES) {
  const flooded = await start(['--persistent'], postlog, logger);
  let slowest = 0;
  for (let sent = BATCH; sent <= requests; sent += BATCH) {
    const begun = performance.now();
    assert.equal(
      await flooded.exchange(Buffer.from(REFUSED.repeat(BATCH)), REJECT.length * BATCH),
      REJECT.repeat(BATCH),
    );
    slowest = Math.max(slowest, performance.now() - begun);
  }
  const during = logPrograms(flooded.place);
  flooded.end();
  const { status, log } = await flooded.ended;
  const after = logPrograms(flooded.place);
  assert.equal(status, 0);
  assert.equal(after.left, 0);
  assert.ok(slowest < 5000, `${BATCH} answers took ${slowest} ms`);
  return { during, after, log };
}

/** Each of `total` lines is in the log, or counted in a line that says so. */
function checkCount(log: readonly string[], total: number): void {
  const lost = log.map((line) => Number(/^(\d+) log lines lost$/.exec(line)?.[1] ?? 0));
  const logged = log.filter((line) => line === LINE).length;
  assert.equal(logged + lost.reduce((sum, n) => sum + n, 0), total, `${logged} logged`);
}

describe('a flood of rejections, one connection', { concurrency: 2 }, () => {
  for (const [name, postlog] of [
    ['takes every line', `${COUNTED} ${TAKES}`],
    ['hangs', HANGS],
  ] as const) {
    test(`a log program that ${name}: it alone is started, each line is logged or counted`, async () => {
      const { log, during, after } = await flood(REQUESTS, postlog);
      checkCount(log, REQUESTS);
      assert.deepEqual([during, after.starts], [{ starts: 1, left: 1 }, 1]);
      if (name !== 'hangs') assert.equal(log.length, REQUESTS);
    });
  }

  test('a log program that is slow for a while: the count stands where lines are missing', async () => {
    const { log } = await flood(REQUESTS, `sleep 1; ${TAKES}`);
    checkCount(log, REQUESTS);
    assert.ok(log.some((line) => line.endsWith('log lines lost')));
  });

  test('a log program that fails while lines come: the other one gets them', async () => {
    const { log } = await flood(1000, 'read -r line; sleep 0.2; exit 1');
    checkCount(log, 1000);
  });

  test('log programs that fail again and again are not started for each line', async () => {
    const { after } = await flood(REQUESTS, FAILS, FAILS);
    assert.ok(after.starts <= 4, `${after.starts} log programs`);
  });

  test('a log program that ends after each line', async () => {
    const { log } = await flood(300, `${COUNTED} read -r line; echo "$line" >> "$FAKE_LOG"`);
    assert.ok(log.length > 0);
  });
});

describe('few requests', { concurrency: 4 }, () => {
  for (const [name, postlog, logger] of [
    ['missing', null, TAKES],
    ['failing', FAILS, TAKES],
    ['failing after a line', 'read -r line; exit 1', TAKES],
    ['hanging, and then killed', HANGS, TAKES],
  ] as const) {
    test(`where postlog is ${name}, logger gets every line, and "warning: " before a warning`, async () => {
      const running = await start(['--persistent'], postlog, logger);
      running.write(`${REFUSED}${REFUSED}nonsense\n\n`);
      const { bytes, status, log } = await running.ended;
      assert.deepEqual([bytes, status], [REJECT + REJECT, 65]);
      const warnings = log.filter((line) => line !== LINE);
      assert.deepEqual([log.length, warnings.length], [3, 1]);
      assert.match(warnings[0] ?? '', /^warning: policy request not understood/);
      assert.equal(logPrograms(running.place).left, 0);
    });
  }

  test('postlog and logger are called as their manuals want it', async () => {
    const called = 'echo "$(basename "$0") $*" >> "$FAKE_LOG"; exit 1';
    const running = await start(['--persistent'], called, called);
    running.write(`${REFUSED}nonsense\n\n`);
    const { log } = await running.ended;
    assert.deepEqual([...log].sort(), [
      'logger -t postfix/allow-nets -p mail.info',
      'logger -t postfix/allow-nets -p mail.warning',
      'postlog -t postfix/allow-nets -p info',
      'postlog -t postfix/allow-nets -p warn',
    ]);
  });

  test('where both hang, the program ends within a few seconds and leaves none behind', async () => {
    const running = await start([], HANGS, HANGS);
    const begun = performance.now();
    running.write(REFUSED);
    assert.equal((await running.ended).status, 0);
    assert.ok(performance.now() - begun < 20_000);
    assert.deepEqual(logPrograms(running.place), { starts: 2, left: 0 });
  });

  test('where both have failed, they are tried again after a while, and the lost lines are counted', async () => {
    const running = await start(['--persistent'], FAILS, FAILS);
    // The program learns of the end of a log program with the requests that follow.
    for (let i = 0; i < 10; i++) {
      await running.ask(REFUSED);
      await sleep(100);
    }
    assert.equal(logPrograms(running.place).starts, 2);
    fs.writeFileSync(path.join(running.place.folder, 'postlog'), `#!/bin/sh\n${TAKES}\n`);
    await sleep(10_000);
    await running.ask(REFUSED);
    running.end();
    const { log } = await running.ended;
    assert.deepEqual(log, ['10 log lines lost', LINE]);
  });

  test('one request is answered before its line is logged', async () => {
    const running = await start([], HANGS);
    running.write(REFUSED);
    assert.equal(await running.received(REJECT.length), REJECT);
    assert.equal(running.child.exitCode, null, 'it waits for its log program');
    assert.deepEqual((await running.ended).log, [LINE]);
  });

  test('a rejection and trouble after it are both logged', async () => {
    const { log } = await converse(['--persistent', '--db', db], `${REFUSED}nonsense\n\n`);
    assert.equal(log.length, 2);
    assert.ok(log.includes(`info: ${LINE}`));
    assert.match(log.join('\n'), /^warn: policy request not understood/m);
  });
});

test('what is tried on a terminal is answered there, and not in the mail log', needs('script'), () => {
  const { env, log } = makePlace({});
  const input = path.join(scratch, 'request');
  fs.writeFileSync(input, REFUSED);
  for (const words of ['--presistent', 'dell', `--db ${db}.missing < ${input}`]) {
    const command = `${process.execPath} ${PROGRAM} ${words}`;
    const { stdout } = spawnSync(program('script'), ['-qec', command, '/dev/null'], { env, encoding: 'utf8' });
    assert.match(stdout, /allow-nets: error: /);
    assert.deepEqual(log(), []);
  }
});
