// A published list of 100,000 networks into a set: no two of them are neighbours, so that none is merged.
import { writeFileSync } from 'node:fs';
import { emptyDatabase } from './databases';
import { textFile, wholeProcesses } from './drivers';
import { allowNets } from './product';
import { type Group, median } from './row';
import { scratchPath } from './scratch';

const NETWORKS = 100_000;
const ROUNDS = 5;

function network(n: number): string {
  return `${10 + (n >> 15)}.${(n >> 7) & 255}.${(n & 127) * 2}.0/24\n`;
}

export const setLoading: Group = {
  name: 'set-load',
  async measure() {
    const list = scratchPath('list.txt');
    writeFileSync(list, Array.from({ length: NETWORKS }, (_, n) => network(n)).join(''));
    for (let round = 0; round < ROUNDS; round++) await emptyDatabase(`set-load-${round}`);
    const argv = allowNets('set', 'load', 'home', list, '--db', scratchPath('set-load-%r.db'));
    const output = /^added 100000, changed 0, removed 0, unchanged 0\n$/;
    const [runs] = await wholeProcesses(ROUNDS, 60, [{ argv, requests: textFile(''), output }], 0);
    if (!runs) throw new Error('a program was not run');
    return [
      {
        what: 'set load of 100,000 networks',
        measured: { value: median(runs.ms) / 1000, unit: 's' },
        goal: { of: 'value', is: 'at most', bound: 3 },
      },
    ];
  },
};
