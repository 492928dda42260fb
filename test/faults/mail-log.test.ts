// Lines to the mail log with log programs that are fake: missing, failing, standing still.
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, test } from 'node:test';
import { LOG_PROGRAMS, type LogProgram, MailLog } from '../../src/postfix/mail-log';
import { makeScratch } from '../policy/scratch';

const scratch = makeScratch();
let count = 0;

const TAKES = 'echo $$ >> "$0.pids"; exec cat >> "$0.log"';
const FAILS = 'echo $$ >> "$0.pids"; exit 1';
const FAILS_LATER = 'echo $$ >> "$0.pids"; read -r line; exit 1';
const STANDS = 'echo $$ >> "$0.pids"; exec sleep 1000';

interface Fake extends LogProgram {
  readonly file: string;
  lines(): string[];
  starts(): number;
  /** Whether one of its processes is still there. */
  left(): boolean;
}

/** A log program; null: its file is missing. */
function fake(script: string | null, marksWarnings = true): Fake {
  const file = path.join(scratch, `${count++}`);
  if (script !== null) fs.writeFileSync(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const read = (name: string) => (fs.existsSync(name) ? fs.readFileSync(name, 'utf8').split('\n').slice(0, -1) : []);
  return {
    file,
    marksWarnings,
    command: file,
    words: () => [],
    lines: () => read(`${file}.log`),
    starts: () => read(`${file}.pids`).length,
    left: () => read(`${file}.pids`).some((pid) => fs.existsSync(`/proc/${pid}`)),
  };
}

const closed = (log: MailLog) => new Promise<void>((done) => log.close(done));

async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + 30_000;
  while (!condition() && Date.now() < end) await new Promise((done) => setTimeout(done, 10));
  assert.ok(condition(), 'waited for 30 s');
}

describe('lines to the mail log', () => {
  test('go to one log program, in order', async () => {
    const good = fake(TAKES);
    const log = new MailLog('info', [good]);
    for (let i = 0; i < 100; i++) log.write(`line ${i}`);
    await closed(log);
    assert.deepEqual(
      good.lines(),
      Array.from({ length: 100 }, (_, i) => `line ${i}`),
    );
    assert.equal(good.starts(), 1);
  });

  test('the real ones are called as postlog(1) and logger(1) want it', () => {
    const calls = LOG_PROGRAMS.flatMap(({ command, words }) => [
      [command, ...words('info')].join(' '),
      [command, ...words('warning')].join(' '),
    ]);
    assert.deepEqual(calls, [
      'postlog -t postfix/allow-nets -p info',
      'postlog -t postfix/allow-nets -p warn',
      'logger -t postfix/allow-nets -p mail.info',
      'logger -t postfix/allow-nets -p mail.warning',
    ]);
  });

  for (const [name, first] of [
    ['missing', null],
    ['failing', FAILS],
    ['failing after a line', FAILS_LATER],
  ] as const) {
    test(`a program that is ${name} is replaced by the next, and nothing is lost`, async () => {
      const [bad, good] = [fake(first), fake(TAKES)];
      const log = new MailLog('info', [bad, fake(null), good]);
      log.write('one');
      log.write('two');
      await closed(log);
      assert.deepEqual(good.lines(), ['one', 'two']);
    });
  }

  test('a program that is failing while lines come: each is said or counted', async () => {
    const good = fake(TAKES);
    const log = new MailLog('info', [fake('read -r line; sleep 0.2; exit 1'), good]);
    for (let i = 0; i < 1000; i++) log.write(`line ${i}`);
    await closed(log);
    checkCount(good.lines(), 1000);
  });

  test('only a program other than postlog gets the word "warning"', async () => {
    for (const [marksWarnings, line] of [
      [true, 'trouble'],
      [false, 'warning: trouble'],
    ] as const) {
      const good = fake(TAKES, marksWarnings);
      const log = new MailLog('warning', [good]);
      log.write('trouble');
      await closed(log);
      assert.deepEqual(good.lines(), [line]);
    }
  });

  test('without any program they are lost, and that is all', async () => {
    const log = new MailLog('warning', [fake(null), fake(FAILS)]);
    for (let i = 0; i < 1000; i++) log.write('trouble');
    await closed(log);
    const none = new MailLog('warning', []);
    none.write('trouble');
    await closed(none);
  });

  test('closing a log that was never written to', async () => {
    const good = fake(TAKES);
    await closed(new MailLog('info', [good]));
    assert.equal(good.starts(), 0);
  });

  test('a program that hangs is killed, and the other gets the line', async () => {
    const [hangs, good] = [fake(STANDS), fake(TAKES)];
    const log = new MailLog('info', [hangs, good]);
    log.write('one');
    await closed(log);
    assert.deepEqual(good.lines(), ['one']);
    assert.deepEqual([hangs.starts(), hangs.left()], [1, false]);
  });

  test('only programs that hang: closed in a few seconds, none left behind', async () => {
    const programs = [fake(STANDS), fake(STANDS)];
    const log = new MailLog('warning', programs);
    log.write('one');
    const begun = Date.now();
    await closed(log);
    assert.ok(Date.now() - begun < 20_000);
    for (const program of programs) assert.equal(program.left(), false);
  });

  test('a flood to a program that stands still takes no time, and each line is said or counted', async () => {
    const [stands, good] = [fake(STANDS), fake(TAKES)];
    const log = new MailLog('info', [stands, good]);
    const line = 'x'.repeat(100);
    const begun = Date.now();
    for (let i = 0; i < 100_000; i++) {
      log.write(line);
      if (i % 1000 === 0) await new Promise((done) => setImmediate(done));
    }
    assert.ok(Date.now() - begun < 10_000);
    await closed(log);
    checkCount(good.lines(), 100_000);
    assert.equal(stands.starts(), 1);
  });

  test('a flood to a program that is slow for a while: the count stands where lines are missing', async () => {
    const slow = fake('sleep 1; exec cat >> "$0.log"');
    const log = new MailLog('info', [slow]);
    for (let i = 0; i < 10_000; i++) log.write(`line ${i} ${'x'.repeat(100)}`);
    await until(() => slow.lines().length > 0);
    log.write('afterwards');
    await closed(log);
    const lines = slow.lines();
    checkCount(lines, 10_001);
    assert.ok(lines.some((line) => /^\d+ log lines lost$/.test(line)));
  });

  test('when a program ends long after it took its lines, they are not said again', async (t) => {
    let now = Date.now();
    t.mock.method(Date, 'now', () => now);
    const [first, second] = [fake('echo $$ >> "$0.pids"; cat >> "$0.log"; exit 1'), fake(TAKES)];
    const log = new MailLog('info', [first, second]);
    log.write('one');
    log.write('two');
    await until(() => first.lines().length === 2);
    now += 60_000;
    log.write('three');
    await closed(log);
    assert.deepEqual(first.lines(), ['one', 'two', 'three']);
    assert.deepEqual(second.lines(), ['three']); // this one may not have been logged
  });

  test('when the last program has failed, the first is tried again later', async (t) => {
    let now = Date.now();
    t.mock.method(Date, 'now', () => now);
    const late = fake(null);
    const log = new MailLog('info', [late]);
    log.write('one');
    fs.writeFileSync(late.file, `#!/bin/sh\n${TAKES}\n`, { mode: 0o755 });
    log.write('two');
    now += 11_000;
    log.write('three');
    await closed(log);
    assert.deepEqual(late.lines(), ['2 log lines lost', 'three']);
  });
});

/** Each of `total` lines is there, or counted in a line that says so. */
function checkCount(lines: readonly string[], total: number): void {
  const lost = lines.flatMap((line) => /^(\d+) log lines lost$/.exec(line)?.slice(1) ?? []).map(Number);
  const said = lines.length - lost.length;
  assert.equal(said + lost.reduce((sum, n) => sum + n, 0), total, `${said} said, ${lost.join('+')} lost`);
}
