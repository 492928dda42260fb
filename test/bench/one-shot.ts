// One request to a program of its own, the whole process, against a start of Node that does nothing.
import { policy, seedUsers } from './databases';
import { bare, textFile, wholeProcesses } from './drivers';
import { reply, request } from './requests';
import { type Group, median, type Row } from './row';

const ASK = { user: 'test1', address: '127.0.0.1', allowed: true };

export const oneShot: Group = {
  name: 'one-shot',
  async measure() {
    const database = await seedUsers();
    const requests = textFile(request(ASK));
    const [empty, ours, floor] = await wholeProcesses(100, 15, [
      { argv: [process.execPath, textFile("'use strict';\n", '.js')], requests, output: '' },
      { argv: policy(database), requests, output: reply(ASK) },
      { argv: bare(database), requests, output: reply(ASK) },
    ]);
    const row = (what: string, ms: number[] = [], goal?: Row['goal']): Row => ({
      what,
      measured: { value: median(ms), unit: 'ms' },
      against: { what: 'node empty.js', value: median(empty?.ms ?? []) },
      ...(goal && { goal }),
    });
    return [
      row('one request, whole process', ours?.ms, { atMost: 1.4 }),
      row('the floor: better-sqlite3 and one query', floor?.ms),
    ];
  },
};
