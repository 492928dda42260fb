// A million rows: import, and sync without a difference, against the sqlite3 program that imports the same rows into a table of the
// same shape. And a published list of 100,000 networks into a set.
import { createWriteStream, writeFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { findProgram, runClean } from './clean-process';
import { allowNets, emptyDatabase, familyOf, MILLION, millionRows, network, SET_SIZE, userName } from './databases';
import { textFile, wholeProcesses } from './drivers';
import { type Group, LeftOut, median, type Row } from './row';
import { scratchPath } from './scratch';

const LIST = scratchPath('million.csv');
const none = textFile('');
let imported: Promise<Row[]> | null = null;

/** The database that `import` made of a million rows, timed. */
export async function millionUsers(): Promise<string> {
  imported ??= importRows();
  await imported;
  return scratchPath('million.db');
}

/** sqlite3 reads text only: it stores the binary keys as hexadecimal text of twice the length. */
const STORED = 'select user, network, note, expires, added_at, added_by, hex(key), local from access';

async function importRows(): Promise<Row[]> {
  const sqlite3 = findProgram('sqlite3');
  if (!sqlite3) throw new LeftOut('import: sqlite3 is not installed (Debian package sqlite3)');
  await pipeline(Readable.from(millionRows()), createWriteStream(LIST));
  const database = await emptyDatabase('million');
  const stored = scratchPath('stored.csv');
  const [ours] = await wholeProcesses(
    1,
    60,
    [{ argv: allowNets('import', LIST, '--db', database), requests: none, output: new RegExp(`^added ${MILLION}, `) }],
    0,
  );
  await runClean([sqlite3, database, '-cmd', '.mode csv', `.output ${stored}`, `${STORED};`]);
  const theirs = await emptyDatabase('theirs');
  const [sqlite, sync] = await wholeProcesses(
    1,
    60,
    [
      {
        argv: [sqlite3, theirs, '-cmd', '.mode csv', `.import ${stored} access`],
        requests: none,
        output: '',
      },
      {
        argv: ['/bin/sh', '-c', `exec ${allowNets('sync', '--db', database).join(' ')} -- cat ${LIST}`],
        requests: none,
        output: new RegExp(`^added 0, changed 0, removed 0, unchanged ${MILLION}\\n`),
      },
    ],
    0,
  );
  const against = { what: 'sqlite3 .import', value: median(sqlite?.ms ?? []) / 1000 };
  return Object.entries({ import: ours, 'sync without a difference': sync }).flatMap(([what, runs]): Row[] => [
    {
      what: `${what} of 1,000,000 rows`,
      measured: { value: median(runs?.ms ?? []) / 1000, unit: 's' },
      against,
      goal: { atMost: 4 },
    },
    {
      what: `${what} of 1,000,000 rows, memory`,
      measured: { value: Math.max(...(runs?.rssMb ?? [])), unit: 'MB' },
      goal: { atMost: 500 },
    },
  ]);
}

let loaded: Promise<Row> | null = null;

/** The database of a user with a set of 100,000 networks of which no two are neighbours. */
export async function loadedSet(): Promise<string> {
  loaded ??= loadSet();
  await loaded;
  return scratchPath('set.db');
}

async function loadSet(): Promise<Row> {
  const database = await emptyDatabase('set');
  const list = scratchPath('list.txt');
  writeFileSync(list, Array.from({ length: SET_SIZE }, (_, n) => `${network(n, familyOf(n))}\n`).join(''));
  const argv = allowNets('set', 'load', 'office', list, '--db', database);
  const [runs] = await wholeProcesses(1, 60, [{ argv, requests: none, output: /^added 100000, / }], 0);
  await runClean(allowNets('add', userName(0), '@office', '--db', database));
  return {
    what: 'set load of 100,000 networks',
    measured: { value: median(runs?.ms ?? []) / 1000, unit: 's' },
    goal: { atMost: 3 },
  };
}

export const manyRows: Group = {
  name: 'many-rows',
  async measure() {
    await millionUsers();
    await loadedSet();
    return [...((await imported) ?? []), ...(loaded === null ? [] : [await loaded])];
  },
};
