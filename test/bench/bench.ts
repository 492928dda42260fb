// npm run bench [-- --only NAME] [--json FILE]: how fast, beside how fast it should be (the goals of the design) and beside others.
//
// Everything is compared side by side in one run, in turn, in a clean environment, and by medians: on a machine that does other
// things, too, only the ratios mean anything. Exit status 1 when a goal is missed, or a program that was timed gave a wrong answer.
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { installMissing } from '../packages.mjs';
import { answers } from './answers';
import { growth } from './growth';
import { learn } from './learn';
import { manyRows } from './many-rows';
import { memory } from './memory';
import { oneShot } from './one-shot';
import { postfix } from './postfix';
import { type Group, isMet, LeftOut, type Row, ratio, table } from './row';

const GROUPS: readonly Group[] = [oneShot, answers, manyRows, growth, memory, learn, postfix];

const { only = [''], json } = parseArgs({
  options: { only: { type: 'string', multiple: true }, json: { type: 'string' } },
}).values;
const chosen = GROUPS.filter(({ name }) => only.some((part) => name.includes(part)));
if (chosen.length === 0) throw new Error(`--only requires a part of: ${GROUPS.map(({ name }) => name).join(', ')}`);
installMissing(['postfwd1', 'sqlite3', 'postfix', 'dovecot', 'cc']);

const begin = Date.now();
const measured: { name: string; rows: Row[] }[] = [];
const leftOut: string[] = [];
for (const { name, measure } of chosen) {
  const from = Date.now();
  process.stderr.write(`${name} ... `);
  try {
    measured.push({ name, rows: await measure((reason) => leftOut.push(reason)) });
  } catch (error) {
    if (!(error instanceof LeftOut)) throw error;
    leftOut.push(error.message);
  }
  process.stderr.write(`${((Date.now() - from) / 1000).toFixed(1)} s\n`);
}

const rows = measured.flatMap(({ name, rows }) => rows.map((row) => ({ group: name, ...row })));
console.log(`\n${table(measured)}`);
for (const reason of leftOut) console.log(`LEFT OUT: ${reason}`);
const missed = rows.filter((row) => isMet(row) === false);
const machine = `Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model}`;
console.log(`\n${machine}; ${((Date.now() - begin) / 1000).toFixed(0)} s; goals missed: ${missed.length}`);
if (json !== undefined) {
  const report = rows.map((row) => ({ ...row, ratio: ratio(row) ?? null, met: isMet(row) ?? null }));
  writeFileSync(json, `${JSON.stringify({ machine, leftOut, rows: report }, null, 2)}\n`);
}
if (missed.length > 0) process.exitCode = 1;
