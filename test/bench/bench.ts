// npm run bench [-- --only NAME]: how fast, beside how fast it should be (the goals of the design) and beside others.
//
// Everything is compared side by side in one run, in turn, in a clean environment, and by medians: on a machine that does other
// things, too, only the ratios mean anything. Exit status 1 when a goal is missed, or a program that was timed gave a wrong answer.
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { flush } from '../../src/cli/output';
import { installMissing, missing } from '../packages.mjs';
import { answers } from './answers';
import { growth } from './growth';
import { learn } from './learn';
import { manyRows } from './many-rows';
import { memory } from './memory';
import { oneShot } from './one-shot';
import { postfix } from './postfix';
import { type Group, isMet, printRows, type Row } from './row';

const GROUPS: readonly Group[] = [oneShot, answers, manyRows, growth, memory, learn, postfix];

const { only = [''] } = parseArgs({ options: { only: { type: 'string', multiple: true } } }).values;
const chosen = GROUPS.filter(({ name }) => only.some((part) => name.includes(part)));
if (chosen.length === 0) throw new Error(`--only requires a part of: ${GROUPS.map(({ name }) => name).join(', ')}`);
installMissing(chosen.flatMap(({ needs }) => needs));

const begin = Date.now();
const measured: { name: string; rows: Row[] }[] = [];
const leftOut: string[] = [];
for (const { name, needs, measure } of chosen) {
  const from = Date.now();
  const lacking = missing(needs);
  if (lacking.length > 0) {
    leftOut.push(`LEFT OUT: ${name} needs ${lacking.join(', ')}\n`);
    continue;
  }
  process.stderr.write(`${name} ... `);
  measured.push({ name, rows: await measure() });
  process.stderr.write(`${((Date.now() - from) / 1000).toFixed(1)} s\n`);
}

printRows(measured);
flush();
console.log(leftOut.join(''));
const missed = measured.flatMap(({ rows }) => rows).filter((row) => isMet(row) === false);
const machine = `Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model}`;
console.log(`${machine}; ${((Date.now() - begin) / 1000).toFixed(0)} s; goals missed: ${missed.length}`);
if (missed.length > 0) process.exitCode = 1;
