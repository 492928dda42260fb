// Runs the programs that are timed, in a clean environment (as `env -i` with a PATH): a single NODE_EXTRA_CA_CERTS adds 40 ms to a start
// of Node. What asks them for one answer after the other is written in C (ping-pong.c): in Node it would itself be the limit of what is
// measured. A wrong reply, exit status or output of a timed program is an error.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { program } from '../requires';
import { mustRun } from '../rig/run';
import { atEnd, newFile, newPath } from '../rig/scratch';
import { median } from './row';

/** Runs `make` when it is first asked for, and gives the same again afterwards. */
export function made<T>(make: () => T): () => T {
  let result: { value: T } | null = null;
  return () => {
    result ??= { value: make() };
    return result.value;
  };
}

/** The program that asks; without arguments it is one that only answers. */
export const pingPongProgram = made(() => {
  const binary = newPath('ping-pong');
  mustRun(['-O2', '-o', binary, 'test/bench/ping-pong.c'], { command: [program('cc')] });
  return binary;
});

/** Starts a program that is killed at the end of the benchmark if it still runs then. */
export function startClean([file = '', ...args]: readonly string[]): ChildProcess {
  const child = spawn(file, args, { env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' }, stdio: 'pipe', cwd: '/' });
  const kill = atEnd(() => child.kill('SIGKILL'));
  child.once('exit', kill);
  return child;
}

export interface Conversation {
  argv: readonly string[];
  /** Paths of files of requests and of the replies that they must get, part by part. */
  requests: string;
  replies: string;
}

/** Blocks are many and small, so that the median block is one without other programs' noise. */
const BLOCKS = 60;
const SIZE = 100;
/** How many blocks each program answers before those that count: V8 then has compiled what it runs often. */
const WARMUP = 40;

/** How many requests each program gets. */
export const REQUESTS = (WARMUP + BLOCKS) * SIZE;

/** Asks each program for a block of answers in turn. @returns the median rate of each program's blocks, in requests a second */
export function pingPong<const All extends readonly Conversation[]>(all: All): { [I in keyof All]: number } {
  const conversations = all.flatMap(({ argv, requests, replies }) => ['--', requests, replies, ...argv]);
  const words = [...[WARMUP, BLOCKS, SIZE].map(String), ...conversations];
  const lines = mustRun(words, { command: [pingPongProgram()], cwd: '/' }).trim();
  const rounds = lines.split('\n').map((line) => line.split(' ').map(Number));
  return all.map((_, i) => median(rounds.map((rates) => rates[i] ?? Number.NaN))) as { [I in keyof All]: number };
}

export interface Process {
  argv: readonly string[];
  input?: string;
  /** What it must write, reply and error text alike: text or a pattern. */
  output: string | RegExp;
}

/** The median time of the runs, and the most memory that one of them used. */
export interface Cost {
  ms: number;
  rssMb: number;
}

/** Runs each program once in turn, `rounds` times over. The first round does not count, unless it is the only one. */
export async function wholeProcesses<const All extends readonly Process[]>(
  rounds: number,
  all: All,
): Promise<{ [I in keyof All]: Cost }> {
  const runs: Cost[][] = all.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, one] of all.entries()) runs[i]?.push(await wholeProcess(one));
  }
  return runs.map((each) => ({
    ms: median(each.slice(rounds > 1 ? 1 : 0).map(({ ms }) => ms)),
    rssMb: Math.max(...each.map(({ rssMb }) => rssMb)),
  })) as { [I in keyof All]: Cost };
}

async function wholeProcess({ argv, input = '', output }: Process): Promise<Cost> {
  let text = '';
  let rssMb = 0;
  const begin = performance.now();
  const child = startClean(argv);
  child.stdin?.on('error', () => {}).end(input);
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (bytes: Buffer) => (text += bytes));
  const timer = setInterval(() => {
    const [, peak = '0'] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? [];
    rssMb = Math.max(rssMb, Number(peak) / 1024);
  }, 20);
  const closed = once(child, 'close');
  const [status] = await once(child, 'exit');
  const ms = performance.now() - begin;
  clearInterval(timer);
  await closed;
  const isRight = typeof output === 'string' ? text === output : output.test(text);
  if (!isRight || status !== 0) throw new Error(`${argv.join(' ')}: exit status ${status} and <${text}>`);
  return { ms, rssMb };
}

/** What the seed's two rows say, for postfwd. */
const RULES = `
id=ONE; sasl_username==test1; client_address==127.0.0.1/32; action=dunno
id=TWO; sasl_username==test2; client_address==172.31.27.95/32; action=dunno
id=END; action=reject 5.7.1 $$sasl_username may not send mail from $$client_address
`;

/**
 * postfwd1 with the rules of the seed. Without --daemon it answers on standard output, as from inetd: a third faster than its server, and
 * over the same transport as ours. It writes no log then.
 */
export function postfwd(): string[] {
  return [program('postfwd1'), '--file', newFile(RULES, 'rules.cf'), '--nodns', '--norulelog', '--noidlestats'];
}

/** The seed's logic as a loop in Python: Debian's, which every user can run. */
export function seedLoop(script: string, database: string): string[] {
  return ['/usr/bin/python3', script, database];
}
