// An exception at every stage: each function of Node.js and of better-sqlite3 that the program calls is made to throw, from outside, the
// first, second, third or each time. Nothing but whole answers, and those right, reaches the policy socket, and the status says trouble.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, test } from 'node:test';
import { newDatabase } from '../rig/database';
import { converse, request } from '../rig/policy-program';
import { PROGRAM } from '../rig/run';
import { newFile, newPath } from '../rig/scratch';

const SOAK = process.env['SOAK'] === '1';
const db = newDatabase([
  { name: 'bob', network: '10.0.0.0/8' },
  { name: 'bob', network: ' 2001:DB8::/32', byHand: true },
  { name: 'bob', network: '@office' },
  { table: 'network_set', name: 'office', network: '192.0.2.0/24' },
]);
const ASKED: [user: string, address: string, answer: string][] = [
  ['bob', '192.0.2.1', 'dunno'],
  ['eve@example.com', '2001:db8::1', 'reject 5.7.1 eve@example.com may not send mail from 2001:db8::1'],
  ['bob', '2001:db8::1', 'dunno'],
  ['bob', '203.0.113.1', 'reject 5.7.1 bob may not send mail from 203.0.113.1'],
];
const INPUT = ASKED.map(([user, address]) => request(user, address)).join('');
/** No answer, and the first one, two, three and four of them. */
const WHOLE = [0, 1, 2, 3, 4].map((count) =>
  ASKED.slice(0, count)
    .map(([, , answer]) => `action=${answer}\n\n`)
    .join(''),
);

/** Functions by the expression for their owner. */
const PLACES = Object.entries({
  "require('node:fs')": ['readSync', 'statSync', 'fstatSync', 'readdirSync', 'writeSync', 'readFileSync'],
  "require('node:zlib')": ['brotliDecompressSync'],
  "require('node:vm')": ['compileFunction'],
  "require('node:path')": ['resolve'],
  "require('node:tty')": ['isatty'],
  "require('node:child_process')": ['spawn'],
  Date: ['now'],
  Buffer: ['from', 'allocUnsafe'],
  JSON: ['stringify', 'parse'],
  'String.prototype': ['normalize', 'split'],
  'Map.prototype': ['get'],
  'Array.prototype': ['find'],
  'DATABASE.prototype': ['prepare', 'pragma', 'close'],
  STATEMENT: ['get', 'all', 'run'],
}).flatMap(([owner, names]) => names.map((name) => `${owner}|${name}`));

/** Throws only where the program or better-sqlite3 is the caller. The folder `reached` says that it has thrown. */
const FAULTY = newFile(
  `const [owner, name, times, reached] = process.env.FAULT.split('|');
   const DATABASE = owner.includes('DATABASE') || owner === 'STATEMENT' ? require(process.env.DRIVER) : null;
   const STATEMENT = owner === 'STATEMENT' ? Object.getPrototypeOf(new DATABASE(':memory:').prepare('select 1')) : null;
   const mkdir = require('node:fs').mkdirSync;
   const place = eval(owner);
   const original = place[name];
   let count = 0;
   let busy = false;
   const isOurs = () => {
     const limit = Error.stackTraceLimit;
     Error.stackTraceLimit = 4;
     const { stack } = new Error();
     Error.stackTraceLimit = limit;
     return /allow-nets\\.js|better-sqlite3/.test(stack);
   };
   place[name] = function (...given) {
     if (!busy) {
       busy = true;
       try {
         if (isOurs() && (++count, times === '*' || times === String(count))) {
           try { mkdir(reached); } catch {}
           throw new Error('made to fail');
         }
       } finally { busy = false; }
     }
     return new.target ? Reflect.construct(original, given) : Reflect.apply(original, this, given);
   };`,
  'faulty.js',
);

describe('an exception', { concurrency: 4 }, () => {
  const persistent = ['--persistent', '--db', db];
  const inTrouble = ['--persistent', '--db', newPath()];
  const variants: [what: string, words: string[], times: string[]][] = [
    ['persistent', persistent, ['1', '2', '3', '*']],
    ['in trouble', inTrouble, SOAK ? ['1', '2', '3', '*'] : ['1', '*']],
    ['one request', ['--db', db], SOAK ? ['1', '2', '3', '*'] : []],
  ];
  let thrown = 0;
  for (const [what, words, times] of variants) {
    for (const fault of PLACES.flatMap((place) => times.map((time) => `${place}|${time}`))) {
      test(`${fault}, ${what}`, async () => {
        const reached = newPath();
        const { bytes, status, signal, log } = await converse(words, INPUT, {
          command: [process.execPath, '--require', FAULTY, PROGRAM],
          env: { FAULT: `${fault}|${reached}`, DRIVER: resolve('node_modules/better-sqlite3') },
        });
        const context = `status ${status} ${JSON.stringify(bytes)}\n${log.join('\n')}`;
        assert.ok(WHOLE.includes(bytes), context);
        assert.equal(signal, null, context);
        for (const line of log) assert.match(line, /^(info|warn): [ -~]+$/, context);
        if (!existsSync(reached)) return;
        thrown++;
        // What is thrown while better-sqlite3 is loaded is its trouble; in reading, the request's. A log line may get lost.
        assert.ok([0, 65, 70, 78].includes(status ?? -1), context);
        if (status === 0) assert.equal(bytes, WHOLE.at(-1), context);
      });
    }
  }

  test('of many kinds was tried', () => assert.ok(thrown > PLACES.length, `${thrown}`));
});

test('a thrown value need not be an Error', async () => {
  for (const what of ['null', 'undefined', '"action=ok\\n\\n"', '{ toString() { throw 1 } }', 'Symbol("x")']) {
    const throwing = newFile(`require('node:fs').readSync = () => { throw ${what} };`, 'throwing.js');
    const command = [process.execPath, '--require', throwing, PROGRAM];
    const { bytes, status, log } = await converse(['--db', db], INPUT, { command });
    assert.deepEqual([bytes, log.length], ['', 1], `${what}: ${log}`);
    assert.ok(status === 65 || status === 70, `${what}: ${status}`);
    assert.match(log[0] ?? '', /^warn: [ -~]+$/);
  }
});
