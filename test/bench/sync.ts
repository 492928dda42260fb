// `sync` on a database of 1,000,000 rows, against the sqlite3 program that imports the same rows into an empty table of the same shape.
import { createWriteStream, writeFileSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { bareImport, sqliteImport } from './big-database';
import { familyOf, MILLION, millionUsers, network, userName } from './databases';
import { type Runs, textFile, wholeProcesses } from './drivers';
import { allowNets } from './product';
import { type Group, median, type Row } from './row';
import { scratchPath } from './scratch';

const ROUNDS = 3;
const DIFFERENCES = 100;

/** As a database server would print it. The last users are left to `differing`. */
function* unchanged(): Iterable<string> {
  yield 'user\tnetwork\n*\t2001:db8:ffff::/48\n';
  for (let n = 0; n < MILLION - DIFFERENCES; n++) yield `${userName(n)}\t${network(n, familyOf(n))}\n`;
}

/** Other networks in each round, those of the database in round 0. */
function differing(round: number): string {
  return Array.from({ length: DIFFERENCES }, (_, i) => {
    const n = MILLION - DIFFERENCES + i;
    return `${userName(n)}\t${network(n + round * MILLION, familyOf(n))}\n`;
  }).join('');
}

export const syncing: Group = {
  name: 'sync',
  async measure() {
    // A copy: other benchmarks ask the one that it is made from.
    const database = scratchPath('synced.db');
    await copyFile(await millionUsers(), database);
    const list = scratchPath('list.tsv');
    await pipeline(Readable.from(unchanged()), createWriteStream(list));
    for (let round = 0; round <= ROUNDS; round++) {
      writeFileSync(scratchPath(`differing-${round}.tsv`), differing(round));
    }
    // Empty lines mean nothing; but output that is byte for byte that of the last run would not even be compared.
    const same = `cat ${list} ${scratchPath('differing-0.tsv')}; yes '' | head -n $((%r + 1))`;
    const other = `cat ${list} ${scratchPath('differing-$((%r + 1)).tsv')}`;
    return [
      ...(await compared('no difference', database, list, same, /^no difference: 1000001 rows/)),
      ...(await compared(
        `${DIFFERENCES} differences`,
        database,
        list,
        other,
        /^added 100, changed 0, removed 100: 1000001 rows/,
      )),
    ];
  },
};

async function compared(what: string, database: string, list: string, script: string, output: RegExp): Promise<Row[]> {
  // The driver takes a `--` for its own.
  const words = allowNets('sync', '--db', database).join(' ');
  const argv = ['/bin/sh', '-c', `exec ${words} -- /bin/sh -c "$0"`, script];
  const [ours, theirs, bare] = await wholeProcesses(
    ROUNDS,
    60,
    [
      { argv, requests: textFile(''), output },
      await sqliteImport(`${what}, by sqlite3`, ROUNDS),
      bareImport(list, what),
    ],
    0,
  );
  if (!ours || !theirs || !bare) throw new Error('a program was not run');
  return rows(what, ours, theirs, bare);
}

function rows(what: string, runs: Runs, theirs: Runs, bare: Runs): Row[] {
  return [
    {
      what: `sync of 1,000,000 rows, ${what}`,
      measured: { value: median(runs.ms) / 1000, unit: 's' },
      against: { what: 'sqlite3 .import', figure: { value: median(theirs.ms) / 1000, unit: 's' } },
      goal: { of: 'ratio', is: 'at most', bound: 4 },
      more: {
        'cpu x': median(runs.cpuMs) / median(theirs.cpuMs),
        'x of a table without index': median(runs.ms) / median(bare.ms),
      },
    },
    {
      what: `sync of 1,000,000 rows, ${what}, most memory`,
      measured: { value: Math.max(...runs.rssMb), unit: 'MB' },
      goal: { of: 'value', is: 'at most', bound: 500 },
    },
  ];
}
