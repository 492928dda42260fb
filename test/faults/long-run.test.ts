// A persistent program over a long time: requests without end from ever new users and addresses, a database that changes all the while.
// Its memory stays flat (within 10 % in the long form) after a warm-up, and no file descriptor is lost.
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { change, writeDatabase } from '../policy/database';
import { PolicyProgram, request } from '../policy/program';
import { makeScratch } from '../policy/scratch';

const SOAK = process.env['SOAK'] === '1';
const REQUESTS = SOAK ? { silent: 10_000_000, logged: 1_000_000 } : { silent: 120_000, logged: 80_000 };
/** In ms: the silent ones come spread over so much, with rests between them. */
const HOUR = SOAK ? 3_600_000 : 0;
/** In the short form the heap still finds its size. */
const GROWTH = SOAK ? 1.1 : 1.25;
const BATCH = 500;
const USERS = 2000;

const scratch = makeScratch();

function database(name: string): string {
  const file = path.join(scratch, name);
  const rows = Array.from({ length: USERS }, (_, i) => ({
    name: `user${i}@example.com`,
    network: '10.0.0.0/8',
  }));
  // Some of them as only a person writes them.
  writeDatabase(file, [
    ...rows,
    ...Array.from({ length: 50 }, (_, i) => ({
      name: `USER${i}@example.com`,
      network: '2001:DB8::1/32',
      byHand: true,
    })),
  ]);
  fs.chmodSync(file, 0o644);
  return file;
}

/** Batch number `n`: requests of which each second one is to be refused, and the answers. */
function batch(n: number): { input: Buffer; output: string } {
  let input = '';
  let output = '';
  for (let i = 0; i < BATCH; i++) {
    const serial = n * BATCH + i;
    const user = `user${(serial * 7919) % USERS}@example.com`;
    const last = `${(serial >> 16) & 255}.${(serial >> 8) & 255}.${serial & 255}`;
    const allowed = serial % 2 === 0;
    const address = allowed
      ? `10.${last}`
      : serial % 4 === 1
        ? `11.${last}`
        : `2001:db9::${(serial & 0xffff).toString(16)}`;
    input += request(user, address);
    output += allowed ? 'action=dunno\n\n' : `action=reject 5.7.1 ${user} may not send mail from ${address}\n\n`;
  }
  return { input: Buffer.from(input), output };
}

interface Sample {
  /** Resident set, in MB. */
  readonly memory: number;
  readonly descriptors: number;
}

function sample(pid: number | undefined): Sample {
  const pages = Number(fs.readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]);
  return { memory: (pages * 4096) / 2 ** 20, descriptors: fs.readdirSync(`/proc/${pid}/fd`).length };
}

const median = (numbers: number[]) => numbers.sort((a, b) => a - b)[numbers.length >> 1] ?? 0;

const RUNS = [
  {
    name: 'without a log',
    words: ['--log', 'none'],
    requests: REQUESTS.silent,
    time: HOUR,
    postlog: 'exit 1',
  },
  {
    name: 'each refusal logged',
    words: [],
    requests: REQUESTS.logged,
    time: 0,
    postlog: 'exec cat > /dev/null',
  },
];

for (const { name, words, requests, time, postlog } of RUNS) {
  test(`${requests} requests, ${name}`, { timeout: 7_200_000 }, async (t) => {
    const db = database(`${words.length}.db`);
    const program = await PolicyProgram.start(['--persistent', '--db', db, ...words], { postlog });
    const rest = { change: Math.ceil(requests / BATCH / 40), sample: Math.ceil(requests / BATCH / 100) };
    const samples: Sample[] = [];
    const begun = performance.now();
    for (let n = 0; n < requests / BATCH; n++) {
      // A new state of the database: opened anew, all that was remembered forgotten.
      if (n % rest.change === 0)
        change(db, `insert or replace into access (user, network, note) values ('x', '::1', ${n})`);
      const { input, output } = batch(n);
      assert.equal(await program.exchange(input, output.length), output, `batch ${n}`);
      if (n % rest.sample === 0) samples.push(sample(program.child.pid));
      const ahead = begun + (time * (n + 1)) / (requests / BATCH) - performance.now();
      if (ahead > 0) await setTimeout(ahead);
    }
    const seconds = (performance.now() - begun) / 1000;
    program.end();
    const { status, signal } = await program.ended;
    assert.deepEqual([status, signal], [0, null]);

    const warm = samples.slice(Math.floor(samples.length / 4));
    const half = Math.floor(warm.length / 2);
    const early = median(warm.slice(0, half).map(({ memory }) => memory));
    const late = median(warm.slice(-half).map(({ memory }) => memory));
    const descriptors = new Set(warm.map((one) => one.descriptors));
    t.diagnostic(
      `${Math.round(requests / seconds)} a second, ${early.toFixed(1)} MB early, ${late.toFixed(1)} MB late, most ${Math.max(...warm.map(({ memory }) => memory)).toFixed(1)}, descriptors ${[...descriptors]}`,
    );
    assert.ok(late < early * GROWTH, `memory grew from ${early} MB to ${late} MB`);
    // The one for the header of the database is closed while nothing changes.
    const counts = [...descriptors];
    assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, `open files: ${counts}`);
  });
}
