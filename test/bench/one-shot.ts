// One request to a program of its own, the whole process, against a start of Node that does nothing.
import { LONGEST_WAY, millionUsers, seedUsers } from './databases';
import { type Process, type Runs, textFile, wholeProcesses } from './drivers';
import { bare } from './floor';
import { policy } from './product';
import { reply, request } from './requests';
import { type Group, median, type Row } from './row';

export const EMPTY_PROGRAM = "'use strict';\n";

const SEED_ASK = { user: 'test1', address: '127.0.0.1', allowed: true };

function row(what: string, runs: Runs, empty: Runs, bound?: number): Row {
  return {
    what,
    measured: { value: median(runs.ms), unit: 'ms' },
    against: { what: 'node empty.js', figure: { value: median(empty.ms), unit: 'ms' } },
    ...(bound !== undefined && { goal: { of: 'ratio', is: 'at most', bound } as const }),
    more: { 'reply after ms': median(runs.replyMs), 'cpu x': median(runs.cpuMs) / median(empty.cpuMs) },
  };
}

async function measure(): Promise<Row[]> {
  const seed = textFile(request(SEED_ASK));
  const programs: Process[] = [
    { argv: [process.execPath, textFile(EMPTY_PROGRAM, '.js')], requests: seed, output: '' },
    { argv: policy(await seedUsers()), requests: seed, output: reply(SEED_ASK) },
    {
      argv: policy(await millionUsers()),
      requests: textFile(request(LONGEST_WAY)),
      output: reply(LONGEST_WAY),
    },
    { argv: bare(await seedUsers()), requests: seed, output: reply(SEED_ASK) },
  ];
  const [empty, small, million, floor] = await wholeProcesses(100, 22, programs);
  if (!empty || !small || !million || !floor) throw new Error('a program was not run');
  return [
    row('one request, IPv4, two users', small, empty, 1.06),
    row('one request, IPv6, four subjects, 1,000,000 users', million, empty, 1.1),
    row('the floor: addon, open and one query', floor, empty),
  ];
}

export const oneShot: Group = { name: 'one-shot', measure };
