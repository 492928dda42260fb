// Log programs that are missing, fail, hang or are slow, under single requests and under a flood of rejections: answers come as fast as
// ever, few log programs are started, none is left behind, and each line is in the log or counted in "N log lines lost".
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { newDatabase } from '../rig/database';
import { PolicyProgram, request, type ServicePlace } from '../rig/policy-program';
import { waitFor } from '../rig/wait-for';

const db = newDatabase([{ name: 'test1', network: '127.0.0.1/32' }]);
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
  const file = join(folder, 'log.pids');
  const pids = existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
  return { starts: pids.length, left: pids.filter((pid) => existsSync(`/proc/${pid}`)).length };
}

async function start(words: readonly string[], postlog: string | null, logger = TAKES): Promise<PolicyProgram> {
  const program = await PolicyProgram.start(['--db', db, ...words], { postlog });
  writeFileSync(join(program.place.folder, 'logger'), `#!/bin/sh\n${logger}\n`, { mode: 0o755 });
  return program;
}

/** Each of `total` lines is in the log, or counted in a line that says so. */
function checkCount(log: readonly string[], total: number): void {
  const lost = log.map((line) => Number(/^(\d+) log lines lost$/.exec(line)?.[1] ?? 0));
  const logged = log.filter((line) => line === LINE).length;
  assert.equal(logged + lost.reduce((sum, n) => sum + n, 0), total, `${logged} logged`);
}

interface Flood {
  readonly during: ReturnType<typeof logPrograms>;
  readonly starts: number;
  readonly log: readonly string[];
}

describe('a flood of rejections, one connection', { concurrency: 2 }, () => {
  const everyLine = ({ log }: Flood) => assert.equal(log.length, REQUESTS);
  const someLines = ({ log }: Flood) => assert.ok(log.length > 0);
  const someLost = ({ log }: Flood) => assert.match(log.join('\n'), /lines lost$/m);
  const oneStart = ({ during, starts }: Flood) => assert.deepEqual([during, starts], [{ starts: 1, left: 1 }, 1]);
  const fewStarts = ({ starts }: Flood) => assert.ok(starts <= 4, `${starts}`);
  for (const [name, requests, checks, postlog, logger = TAKES] of [
    ['takes every line', REQUESTS, [everyLine, oneStart], `${COUNTED} ${TAKES}`],
    ['hangs', REQUESTS, [oneStart], HANGS],
    ['is slow for a while', REQUESTS, [someLost], `sleep 1; ${TAKES}`],
    ['fails while lines come', 1000, [someLines], 'read -r line; sleep 0.2; exit 1'],
    ['fails again and again, as logger does', REQUESTS, [fewStarts], FAILS, FAILS],
    ['ends after each line', 300, [someLines], `${COUNTED} read -r line; echo "$line" >> "$FAKE_LOG"`],
  ] as [name: string, requests: number, checks: ((flood: Flood) => void)[], postlog: string, logger?: string][]) {
    test(`a log program that ${name}`, async () => {
      const program = await start(['--persistent'], postlog, logger);
      for (let sent = BATCH; sent <= requests; sent += BATCH) {
        const begun = performance.now();
        const answers = await program.exchange(Buffer.from(REFUSED.repeat(BATCH)), REJECT.length * BATCH);
        assert.equal(answers, REJECT.repeat(BATCH));
        assert.ok(performance.now() - begun < 5000, `${BATCH} answers took ${performance.now() - begun} ms`);
      }
      const during = logPrograms(program.place);
      program.end();
      const { status, log } = await program.ended;
      const { starts, left } = logPrograms(program.place);
      assert.deepEqual([status, left], [0, 0]);
      // Where both fail, and where a program takes a line and is gone, lines get lost of which nobody knows.
      if (!/again|ends after/.test(name)) checkCount(log, requests);
      for (const check of checks) check({ during, starts, log });
    });
  }
});

describe('few requests', { concurrency: 4 }, () => {
  for (const [name, postlog] of [
    ['missing', null],
    ['failing', FAILS],
    ['failing after a line', 'read -r line; exit 1'],
    ['hanging, and then killed', HANGS],
  ] as const) {
    test(`where postlog is ${name}, logger gets every line, and "warning: " before a warning`, async () => {
      const program = await start(['--persistent'], postlog);
      program.write(`${REFUSED}${REFUSED}nonsense\n\n`);
      const { bytes, status, log } = await program.ended;
      assert.deepEqual([bytes, status, log.length], [REJECT + REJECT, 65, 3]);
      assert.match(log.filter((line) => line !== LINE).join('\n'), /^warning: policy request not understood.*$/);
      assert.equal(logPrograms(program.place).left, 0);
    });
  }

  test('postlog and logger are called as their manuals say', async () => {
    const called = 'echo "$(basename "$0") $*" >> "$FAKE_LOG"; exit 1';
    const program = await start(['--persistent'], called, called);
    program.write(`${REFUSED}nonsense\n\n`);
    assert.deepEqual([...(await program.ended).log].sort(), [
      'logger -t postfix/allow-nets -p mail.info',
      'logger -t postfix/allow-nets -p mail.warning',
      'postlog -t postfix/allow-nets -p info',
      'postlog -t postfix/allow-nets -p warn',
    ]);
  });

  test('if both hang, the program ends within a few seconds and leaves no process behind', async () => {
    const program = await start([], HANGS, HANGS);
    const begun = performance.now();
    program.write(REFUSED);
    assert.equal((await program.ended).status, 0);
    assert.ok(performance.now() - begun < 20_000);
    assert.deepEqual(logPrograms(program.place), { starts: 2, left: 0 });
  });

  test('after both have failed, they are tried again after a while, and the lost lines are counted', async () => {
    const program = await start(['--persistent'], FAILS, FAILS);
    let asked = 0;
    // The program learns of the end of a log program with the requests that follow.
    const askUntil = (what: string, isThere: () => boolean) =>
      waitFor(what, async () => {
        await program.ask(REFUSED);
        asked++;
        return isThere();
      });
    await askUntil('a start of logger', () => logPrograms(program.place).starts === 2);
    writeFileSync(join(program.place.folder, 'postlog'), `#!/bin/sh\n${TAKES}\n`);
    await askUntil('a line in the log', () => program.place.log().length > 0);
    program.end();
    const { log } = await program.ended;
    assert.match(log[0] ?? '', /lines lost$/);
    checkCount(log, asked);
  });
});
