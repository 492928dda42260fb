// The shipped program with a mail log that stands still, fails, is slow or is missing, under a flood of rejections: answers come as fast as
// ever, log programs are few, none stays behind, and each line is there or counted.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, test } from 'node:test';
import { writeDatabase } from '../policy/database';
import { makePlace, type Place, PolicyProgram, PROGRAM, request, run } from '../policy/program';
import { makeScratch } from '../policy/scratch';
import { needs, program } from '../requires';

const scratch = makeScratch();
const db = path.join(scratch, 'access.db');
writeDatabase(db, [{ name: 'test1', network: '127.0.0.1/32' }]);
const REFUSED = request('test2', '127.0.0.1');
const REJECT = 'action=reject 5.7.1 test2 may not send mail from 127.0.0.1\n\n';
const LINE = 'verdict=reject user=test2 address=127.0.0.1 subject= entry= reason=no-entry client_name=unknown';

const REQUESTS = process.env['SOAK'] === '1' ? 100_000 : 5_000;
const BATCH = 100;

const PIDS = 'echo $$ >> "$FAKE_LOG.pids";';
const TAKES = 'exec cat >> "$FAKE_LOG"';
const STANDS = `${PIDS} exec sleep 1000`;
const LOGGER = '#!/bin/sh\nexec cat >> "$FAKE_LOG"\n';

/** The log programs that a run has started, and how many are left. */
function logPrograms({ folder }: Place): { starts: number; left: number } {
  const file = path.join(folder, 'log.pids');
  const pids = fs.existsSync(file) ? fs.readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
  return { starts: pids.length, left: pids.filter((pid) => fs.existsSync(`/proc/${pid}`)).length };
}

async function start(words: readonly string[], postlog: string): Promise<PolicyProgram> {
  const program = await PolicyProgram.start(['--db', db, ...words], { postlog });
  fs.writeFileSync(path.join(program.place.folder, 'logger'), LOGGER, { mode: 0o755 });
  return program;
}

async function flood(postlog: string, requests: number) {
  const program = await start(['--persistent'], postlog);
  let slowest = 0;
  for (let sent = BATCH; sent <= requests; sent += BATCH) {
    const begun = performance.now();
    program.write(REFUSED.repeat(BATCH));
    assert.equal(await program.received(REJECT.length * sent), REJECT.repeat(sent));
    slowest = Math.max(slowest, performance.now() - begun);
  }
  const during = logPrograms(program.place);
  program.end();
  const { status, log } = await program.ended;
  return { slowest, during, after: logPrograms(program.place), status, log };
}

function checkCount(lines: readonly string[], total: number): void {
  const lost = lines.map((line) => Number(/(\d+) log lines lost$/.exec(line)?.[1] ?? 0));
  const said = lines.filter((line) => line.endsWith(LINE)).length;
  assert.equal(said + lost.reduce((sum, n) => sum + n, 0), total, `${said} said`);
}

describe('a flood of rejections, one connection', { concurrency: 2 }, () => {
  test('with a log program that is well: every line is logged, by one program', async () => {
    const { status, log, during, after } = await flood(`${PIDS} ${TAKES}`, REQUESTS);
    assert.equal(status, 0);
    checkCount(log, REQUESTS);
    assert.deepEqual(
      [during, after],
      [
        { starts: 1, left: 1 },
        { starts: 1, left: 0 },
      ],
    );
  });

  test('with a log program that stands still', async () => {
    const { slowest, status, log, during, after } = await flood(STANDS, REQUESTS);
    assert.equal(status, 0);
    assert.ok(slowest < 5000, `${BATCH} answers took ${slowest} ms`);
    checkCount(log, REQUESTS);
    assert.deepEqual(
      [during, after],
      [
        { starts: 1, left: 1 },
        { starts: 1, left: 0 },
      ],
    );
  });

  test('with a log program that fails again and again', async () => {
    const { slowest, status, after } = await flood(`${PIDS} exit 1`, REQUESTS);
    assert.equal(status, 0);
    assert.ok(slowest < 5000, `${BATCH} answers took ${slowest} ms`);
    assert.ok(after.starts <= 3, `${after.starts} log programs`);
    assert.equal(after.left, 0);
  });

  test('with a log program that ends after each line', async () => {
    const { status, log, after } = await flood(`${PIDS} read -r line; echo "$line" >> "$FAKE_LOG"`, 300);
    assert.equal(status, 0);
    assert.ok(log.length > 0);
    assert.equal(after.left, 0);
  });
});

describe('one request', { concurrency: 2 }, () => {
  test('is answered before a log program that stands still, which is then killed', async () => {
    const program = await start([], STANDS);
    program.write(REFUSED);
    assert.equal(await program.received(REJECT.length), REJECT);
    assert.equal(program.child.exitCode, null, 'it waits for its log program');
    const { status, log } = await program.ended;
    assert.deepEqual([status, log], [0, [LINE]]);
    assert.deepEqual(logPrograms(program.place), { starts: 1, left: 0 });
  });

  test('trouble after rejections: no log program is left, though it stands still', async () => {
    const program = await start(['--persistent'], STANDS);
    program.write(`${REFUSED}nonsense\n\n`);
    const { bytes, status, log } = await program.ended;
    assert.deepEqual([bytes, status], [REJECT, 65]);
    assert.equal(log.length, 2);
    assert.deepEqual(logPrograms(program.place), { starts: 2, left: 0 });
  });

  test('trouble after rejections: both are logged', async () => {
    const { log } = await run(['--persistent', '--db', db], `${REFUSED}nonsense\n\n`);
    assert.equal(log.length, 2);
    assert.ok(log.includes(`info: ${LINE}`));
    assert.match(log.join('\n'), /^warn: policy request not understood/m);
  });
});

test('what is tried on a terminal is said there, and not in the mail log', needs('script'), () => {
  const { env, log } = makePlace({});
  for (const words of ['--presistent', 'dell', `--db ${db}.missing < ${path.join(scratch, 'request')}`]) {
    fs.writeFileSync(path.join(scratch, 'request'), REFUSED);
    const command = `${process.execPath} ${PROGRAM} ${words}`;
    const { stdout } = spawnSync(program('script'), ['-qec', command, '/dev/null'], {
      env,
      encoding: 'utf8',
    });
    assert.match(stdout, /allow-nets: error: /);
    assert.deepEqual(log(), []);
  }
});
