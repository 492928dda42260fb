// A persistent program over a long time: requests without end from ever new users and addresses, a database that changes all the while.
// After a warm-up its memory stays flat (within 10 % in the long form), and no file descriptor is lost.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { change, newDatabase } from '../rig/database';
import { PolicyProgram, request } from '../rig/policy-program';

const SOAK = process.env['SOAK'] === '1';
/** In the short form the heap still finds its size. */
const GROWTH = SOAK ? 1.1 : 1.25;
const BATCH = 500;
const USERS = 2000;
const ROWS = Array.from({ length: USERS }, (_, i) => ({ name: `user${i}@example.com`, network: '10.0.0.0/8' }));
/** Some of them as only a person writes them. */
const BY_HAND = ROWS.slice(0, 50).map(({ name }) => ({
  name: name.toUpperCase(),
  network: '2001:DB8::1/32',
  byHand: true,
}));

/** Batch number `n`: requests of which each second one is to be refused, and the answers. */
function makeBatch(n: number): { input: Buffer; output: string } {
  const requests = Array.from({ length: BATCH }, (_, i) => {
    const serial = n * BATCH + i;
    const last = `${(serial >> 16) & 255}.${(serial >> 8) & 255}.${serial & 255}`;
    const outside = serial % 4 === 1 ? `11.${last}` : `2001:db9::${(serial & 0xffff).toString(16)}`;
    const user = `user${(serial * 7919) % USERS}@example.com`;
    const address = serial % 2 === 0 ? `10.${last}` : outside;
    const action = serial % 2 === 0 ? 'dunno' : `reject 5.7.1 ${user} may not send mail from ${address}`;
    return { input: request(user, address), output: `action=${action}\n\n` };
  });
  const join = (name: 'input' | 'output') => requests.map((one) => one[name]).join('');
  return { input: Buffer.from(join('input')), output: join('output') };
}

const median = (numbers: number[]) => numbers.sort((a, b) => a - b)[numbers.length >> 1] ?? 0;

for (const { name, words, requests, ms, postlog } of [
  // In the long form the silent requests are spread over an hour, with pauses between them.
  { name: 'not logged', words: ['--log', 'none'], requests: SOAK ? 10_000_000 : 120_000, ms: 3_600_000, postlog: null },
  { name: 'logged', words: [], requests: SOAK ? 1_000_000 : 80_000, ms: 0, postlog: 'exec cat > /dev/null' },
]) {
  test(`${requests} requests, each refusal ${name}`, { timeout: 7_200_000 }, async (t) => {
    const db = newDatabase([...ROWS, ...BY_HAND]);
    const program = await PolicyProgram.start(['--persistent', '--db', db, ...words], { postlog });
    const batches = requests / BATCH;
    /** The resident set in MB, and the number of open files. */
    const samples: { memory: number; files: number }[] = [];
    const begun = performance.now();
    for (let n = 0; n < batches; n++) {
      if (n % Math.ceil(batches / 40) === 0)
        change(db, `insert or replace into access (user, network, note) values ('x', '::1', ${n})`);
      const { input, output } = makeBatch(n);
      assert.equal(await program.exchange(input, output.length), output, `batch ${n}`);
      if (n % Math.ceil(batches / 100) === 0) {
        const proc = `/proc/${program.child.pid}`;
        const pages = Number(readFileSync(`${proc}/statm`, 'utf8').split(' ')[1]);
        samples.push({ memory: (pages * 4096) / 2 ** 20, files: readdirSync(`${proc}/fd`).length });
      }
      if (SOAK) await sleep(Math.max(0, begun + (ms * (n + 1)) / batches - performance.now()));
    }
    program.end();
    const { status, signal } = await program.ended;
    assert.deepEqual([status, signal], [0, null]);

    const warm = samples.slice(samples.length >> 2);
    const half = warm.length >> 1;
    const early = median(warm.slice(0, half).map(({ memory }) => memory));
    const late = median(warm.slice(-half).map(({ memory }) => memory));
    const files = warm.map((one) => one.files);
    t.diagnostic(`${early.toFixed(1)} MB early, ${late.toFixed(1)} MB late, open files ${[...new Set(files)]}`);
    assert.ok(late < early * GROWTH, `memory grew from ${early} MB to ${late} MB`);
    assert.ok(Math.max(...files) - Math.min(...files) <= 1, `open files: ${files}`);
  });
}
