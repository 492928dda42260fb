// What persistent programs cost in memory while they wait: Postfix keeps one for each of its smtpd processes.
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { policy, seedAsks, seedUsers } from './databases';
import { startClean } from './drivers';
import { type Ask, reply, request } from './requests';
import { type Group, median } from './row';

const PROGRAMS = 20;
const ANSWERS = 300;

/** Proportional set size (MB) of a process and all below it: a log program that it keeps is part of what it costs. */
function pss(pid: number): number {
  const own = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'));
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean),
  );
  return children.reduce((sum, child) => sum + pss(Number(child)), Number(own?.[1]) / 1024);
}

/** A program that has answered these requests, and waits for the next one. */
async function started(argv: string[], asks: Ask[]) {
  const child = startClean(argv);
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error('no pipes');
  for (const [serial, ask] of asks.entries()) {
    stdin.write(request(ask, serial));
    const [bytes] = await once(stdout, 'data', { signal: AbortSignal.timeout(30_000) });
    if (String(bytes) !== reply(ask)) throw new Error(`${argv.join(' ')} answered <${bytes}>`);
  }
  return child;
}

export const memory: Group = {
  name: 'memory',
  needs: [],
  async measure() {
    const argv = policy(seedUsers(), '--persistent');
    const children = await Promise.all(Array.from({ length: PROGRAMS }, () => started(argv, seedAsks(ANSWERS))));
    // What they still do after the last answer is not what they cost while idle.
    await setTimeout(3000);
    const value = median(children.map(({ pid }) => pss(pid ?? 0)));
    for (const child of children) child.stdin?.end();
    return [{ what: `${PROGRAMS} idle programs, PSS each`, measured: { value, unit: 'MB' }, goal: { atMost: 15 } }];
  },
};
