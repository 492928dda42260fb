// What persistent programs cost in memory while they wait: Postfix keeps one for each of its smtpd processes.
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { askPeople, people } from './databases';
import { bare } from './floor';
import { policy } from './product';
import type { Ask } from './requests';
import { type Group, median } from './row';
import { Talk } from './talk';

const PROGRAMS = 20;
const REQUESTS = 1000;
const MB = 1024;

/** Proportional set size (MB) of a process. */
function ownPss(pid: number): number {
  const line = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'));
  return Number(line?.[1]) / MB;
}

/** The same with all below it: a log program that it keeps is part of what it costs. */
function pss(pid: number): number {
  return children(pid).reduce((sum, child) => sum + pss(child), ownPss(pid));
}

function children(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`)
    .flatMap((task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' '))
    .filter((text) => text !== '')
    .map(Number);
}

/** What each of the programs costs (MB): all in all, without its children, and how many children all of them have. */
async function idle(argv: string[], asks: Ask[]): Promise<{ sizes: number[]; own: number[]; processes: number }> {
  const talks = Array.from({ length: PROGRAMS }, () => new Talk(argv));
  await Promise.all(
    talks.map(async (talk) => {
      for (const ask of asks) await talk.ask(ask);
    }),
  );
  // What they still do after the last answer is not what they cost while idle.
  await setTimeout(3000);
  const sizes = talks.map((talk) => pss(talk.pid));
  const own = talks.map((talk) => ownPss(talk.pid));
  const processes = talks.reduce((sum, talk) => sum + children(talk.pid).length, 0);
  await Promise.all(talks.map((talk) => talk.end()));
  return { sizes, own, processes };
}

export const memory: Group = {
  name: 'memory',
  async measure() {
    const database = await people();
    const ours = await idle(policy(database, '--persistent'), askPeople(REQUESTS, 20));
    const floor = await idle(bare(database, '--persistent'), askPeople(REQUESTS));
    const each = `${PROGRAMS} programs idle after ${REQUESTS} requests`;
    return [
      {
        what: `${each}, one in 20 refused: each`,
        measured: { value: median(ours.sizes), unit: 'MB' },
        goal: { of: 'value', is: 'at most', bound: 10 },
        more: {
          'most MB': Math.max(...ours.sizes),
          'without children': median(ours.own),
          children: ours.processes,
        },
      },
      { what: `the floor: ${each}, one query each`, measured: { value: median(floor.sizes), unit: 'MB' } },
    ];
  },
};
