// npm run bench [-- --only NAME] [--json FILE] [--program FILE]: how fast, beside how fast it should be.
//
// Everything is compared side by side in one run, in turn, in a clean environment, and by medians: on a machine that does other
// things, too, only the ratios mean anything. Exit status 1 when a program that was timed gave a wrong answer or ended
// wrongly; a goal that is not met is no error, since a busy machine alone can cause it.
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { changing, importing } from './big-database';
import { growthOneShot, growthPersistent } from './growth';
import { handWritten } from './hand-written';
import { learn } from './learn';
import { memory } from './memory';
import { oneShot } from './one-shot';
import { persistent } from './persistent';
import { postfix } from './postfix';
import { chooseProgram } from './product';
import { postfwd, seedLoop } from './programs-alike';
import { type Group, isMet, LeftOut, type Row, ratio } from './row';
import { setLoading } from './set-load';
import { syncing } from './sync';
import { table } from './table';

const GROUPS: Group[] = [
  oneShot,
  persistent,
  postfwd,
  seedLoop,
  growthPersistent,
  growthOneShot,
  handWritten,
  memory,
  changing,
  importing,
  syncing,
  setLoading,
  learn,
  postfix,
];

function usage(problem: string): never {
  console.error(`${problem}\nusage: npm run bench [-- [--only NAME]... [--json FILE] [--program FILE]]`);
  console.error(`NAME is a part of: ${GROUPS.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}

function options() {
  try {
    return parseArgs({
      options: {
        only: { type: 'string', multiple: true },
        json: { type: 'string' },
        program: { type: 'string' },
      },
    }).values;
  } catch (error) {
    return usage((error as Error).message);
  }
}

const { only = [''], json, program } = options();
if (program !== undefined) chooseProgram(program);
for (const name of only) {
  if (!GROUPS.some((group) => group.name.includes(name))) usage(`no benchmark ${name}`);
}

const begin = Date.now();
const measured: { name: string; rows: Row[]; seconds: number }[] = [];
const leftOut: string[] = [];
for (const { name, measure } of GROUPS.filter((group) => only.some((part) => group.name.includes(part)))) {
  const from = Date.now();
  process.stderr.write(`${name} ... `);
  try {
    measured.push({ name, rows: await measure(), seconds: (Date.now() - from) / 1000 });
    process.stderr.write(`${((Date.now() - from) / 1000).toFixed(1)} s\n`);
  } catch (error) {
    if (!(error instanceof LeftOut)) {
      console.error(`\n${(error as Error).stack}`);
      process.exit(1);
    }
    process.stderr.write('left out\n');
    leftOut.push(error.message);
  }
}

const rows = measured.flatMap(({ name, rows }) => rows.map((row) => ({ group: name, ...row })));
console.log(`\n${table(measured)}`);
for (const reason of leftOut) console.log(`LEFT OUT: ${reason}`);
const missed = rows.filter((row) => isMet(row) === false);
const machine = `Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model}`;
console.log(`\n${machine}; ${((Date.now() - begin) / 1000).toFixed(0)} s; goals not met: ${missed.length}`);
if (json !== undefined) {
  const report = {
    machine,
    leftOut,
    rows: rows.map((row) => ({ ...row, ratio: ratio(row) ?? null, met: isMet(row) ?? null })),
  };
  writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`);
}
