// A million rows: import, and sync without a difference, against the sqlite3 program that imports the same rows into a table of the
// same shape. And a published list of 100,000 networks into a set.
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { program } from '../requires';
import { mustRun } from '../rig/run';
import { newFile, newPath } from '../rig/scratch';
import { allowNets, emptyDatabase, familyOf, MILLION, millionRows, network, SET_SIZE, userName } from './databases';
import { made, wholeProcesses } from './drivers';
import type { Group, Row } from './row';

const STORED = 'select * from access';

interface Measured {
  database: string;
  rows: Row[];
}

/** A database of a million users, made by an `import` that is timed. */
export const millionUsers = made(async (): Promise<Measured> => {
  const list = newPath('million.csv');
  await pipeline(Readable.from(millionRows()), createWriteStream(list));
  const database = emptyDatabase();
  const [ours] = await wholeProcesses(1, [
    { argv: allowNets('import', list, '--db', database), output: new RegExp(`^added ${MILLION}, `) },
  ]);
  const sqlite3 = program('sqlite3');
  const stored = newPath('stored.csv');
  mustRun([database, '-cmd', '.mode csv', `.output ${stored}`, `${STORED};`], { command: [sqlite3] });
  const sync = `exec ${allowNets('sync', '--db', database).join(' ')} -- cat ${list}`;
  const [theirs, unchanged] = await wholeProcesses(1, [
    { argv: [sqlite3, emptyDatabase(), '-cmd', '.mode csv', `.import ${stored} access`], output: '' },
    { argv: ['/bin/sh', '-c', sync], output: new RegExp(`^added 0, changed 0, removed 0, unchanged ${MILLION}\n`) },
  ]);
  const rows = Object.entries({ import: ours, 'sync without a difference': unchanged }).flatMap(
    ([what, { ms, rssMb }]): Row[] => [
      {
        what: `${what} of 1,000,000 rows`,
        measured: { value: ms / 1000, unit: 's' },
        against: { what: 'sqlite3 .import', value: theirs.ms / 1000 },
        goal: { atMost: 4 },
      },
      {
        what: `${what} of 1,000,000 rows, memory`,
        measured: { value: rssMb, unit: 'MB' },
        goal: { atMost: 500 },
      },
    ],
  );
  return { database, rows };
});

/** The database of a user with a set of 100,000 networks of which no two are neighbours. */
export const loadedSet = made(async (): Promise<Measured> => {
  const database = emptyDatabase();
  const list = newFile(Array.from({ length: SET_SIZE }, (_, n) => `${network(n, familyOf(n))}\n`).join(''), 'list.txt');
  const argv = allowNets('set', 'load', 'office', list, '--db', database);
  const [load] = await wholeProcesses(1, [{ argv, output: /^added 100000, / }]);
  mustRun(['add', userName(0), '@office', '--db', database]);
  const measured = { value: load.ms / 1000, unit: 's' } as const;
  return { database, rows: [{ what: 'set load of 100,000 networks', measured, goal: { atMost: 3 } }] };
});

export const manyRows: Group = {
  name: 'many-rows',
  needs: ['sqlite3'],
  measure: async () => [...(await millionUsers()).rows, ...(await loadedSet()).rows],
};
