// An exception at every stage: each function of Node.js and of better-sqlite3 that the program calls is made to throw, from outside, the
// first, second, third or each time. Nothing but whole answers, and those right, reaches the policy socket, and the status says trouble.
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, test } from 'node:test';
import { type TestRow, writeDatabase } from '../rig/database';
import { PolicyProgram, request } from '../rig/policy-program';
import { makeFolder } from '../rig/scratch';

const SOAK = process.env['SOAK'] === '1';
const scratch = makeFolder();
const db = path.join(scratch, 'access.db');
const ROWS: TestRow[] = [
  { name: 'bob', network: '10.0.0.0/8' },
  { name: 'bob', network: ' 2001:DB8::/32', byHand: true },
  { name: 'bob', network: '@office' },
  { table: 'network_set', name: 'office', network: '192.0.2.0/24' },
];
writeDatabase(db, ROWS);
const ASKED: [user: string, address: string, answer: string][] = [
  ['bob', '192.0.2.1', 'dunno'],
  ['eve@example.com', '2001:db8::1', 'reject 5.7.1 eve@example.com may not send mail from 2001:db8::1'],
  ['bob', '2001:db8::1', 'dunno'],
  ['bob', '203.0.113.1', 'reject 5.7.1 bob may not send mail from 203.0.113.1'],
];
const INPUT = ASKED.map(([user, address]) => request(user, address)).join('');
const ANSWERS = ASKED.map(([, , answer]) => `action=${answer}\n\n`);
/** No answer, and the first one, two, three and four of them. */
const WHOLE = [0, 1, 2, 3, 4].map((count) => ANSWERS.slice(0, count).join(''));

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
}).flatMap(([owner, names]) => names.map((name) => ({ owner, name })));

const preload = path.join(scratch, 'preload.js');
// The program is run by a script, so that Node.js has read it before anything throws.
fs.writeFileSync(
  preload,
  `const [owner, name, times, file] = process.env.FAULT.split('|');
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
           try { mkdir(file); } catch {}
           throw new Error('made to fail');
         }
       } finally { busy = false; }
     }
     return new.target ? Reflect.construct(original, given) : Reflect.apply(original, this, given);
   };`,
);

let runs = 0;
async function runWith(fault: string, words: readonly string[]) {
  const reached = path.join(scratch, `reached-${runs++}`);
  const program = await PolicyProgram.start(words, {
    command: [process.execPath, '--require', preload, path.resolve('bin/allow-nets.js')],
    env: { FAULT: `${fault}|${reached}`, DRIVER: path.resolve('node_modules/better-sqlite3') },
  });
  program.write(INPUT);
  program.end();
  const ended = await program.ended;
  return { ...ended, isThrown: fs.existsSync(reached) };
}

describe('an exception', { concurrency: 4 }, () => {
  const missing = ['--persistent', '--db', path.join(scratch, 'missing.db')];
  const variants = [
    { what: 'persistent', words: ['--persistent', '--db', db] },
    { what: 'in trouble', words: missing },
    ...(SOAK ? [{ what: 'one request', words: ['--db', db] }] : []),
  ];
  let thrown = 0;
  for (const { what, words } of variants) {
    for (const { owner, name } of PLACES) {
      for (const times of SOAK || what === 'persistent' ? ['1', '2', '3', '*'] : ['1', '*']) {
        test(`${owner}.${name} ${times}, ${what}`, async () => {
          const ended = await runWith(`${owner}|${name}|${times}`, words);
          const context = `status ${ended.status} ${JSON.stringify(ended.bytes)}\n${ended.log.join('\n')}`;
          assert.ok(WHOLE.includes(ended.bytes), context);
          assert.equal(ended.signal, null, context);
          for (const line of ended.log) assert.match(line, /^(info|warn): [ -~]+$/, context);
          if (!ended.isThrown) return;
          thrown++;
          // What is thrown while better-sqlite3 is loaded is its trouble; in reading, the request's. A log line may get lost.
          assert.ok([0, 65, 70, 78].includes(ended.status ?? -1), context);
          if (ended.status === 0) assert.equal(ended.bytes, ANSWERS.join(''), context);
        });
      }
    }
  }

  test('of many kinds was tried', () => assert.ok(thrown > PLACES.length, `${thrown}`));
});

test('what is thrown need not be an error', async () => {
  for (const what of ['null', 'undefined', '"action=ok\\n\\n"', '{ toString() { throw 1 } }', 'Symbol("x")']) {
    const before = path.join(scratch, `throws-${runs++}.js`);
    fs.writeFileSync(before, `require('node:fs').readSync = () => { throw ${what} };`);
    const program = await PolicyProgram.start(['--db', db], {
      command: [process.execPath, '-r', before, path.resolve('bin/allow-nets.js')],
    });
    program.write(INPUT);
    const { bytes, status, log } = await program.ended;
    assert.deepEqual([bytes, log.length], ['', 1], `${what}: ${log}`);
    assert.ok(status === 65 || status === 70, `${what}: ${status}`);
    assert.match(log[0] ?? '', /^warn: [ -~]+$/);
  }
});
