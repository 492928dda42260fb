// One request to a program of its own, the whole process, against a start of Node that does nothing.
import { resolve } from 'node:path';
import { newFile } from '../rig/scratch';
import { policy, seedUsers } from './databases';
import { wholeProcesses } from './drivers';
import { reply, request } from './requests';
import type { Group } from './row';

const ASK = { user: 'test1', address: '127.0.0.1', allowed: true };

export const oneShot: Group = {
  name: 'one-shot',
  needs: [],
  async measure() {
    const database = seedUsers();
    const driver = resolve('node_modules/better-sqlite3');
    const asked = { input: request(ASK), output: reply(ASK) };
    const [empty, ours, floor] = await wholeProcesses(60, [
      { argv: [process.execPath, newFile("'use strict';\n", 'empty.js')], output: '' },
      { argv: policy(database), ...asked },
      { argv: [process.execPath, resolve('test/bench/peers/bare.js'), driver, database], ...asked },
    ]);
    const against = { what: 'node empty.js', value: empty.ms };
    return [
      {
        what: 'one request, whole process',
        measured: { value: ours.ms, unit: 'ms' },
        against,
        goal: { atMost: 1.4 },
      },
      { what: 'the floor: better-sqlite3 and one query', measured: { value: floor.ms, unit: 'ms' }, against },
    ];
  },
};
