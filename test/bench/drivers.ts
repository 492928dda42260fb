// Runs the programs that are timed. What asks them for one answer after the other is written in C (folder c): in Node it would itself be
// the limit of what is measured. A wrong reply, exit status or output of a timed program is an error.
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { cleanEnvironment, findProgram, runClean, startClean } from './clean-process';
import { median } from './row';
import { scratchPath } from './scratch';

const compiled = new Map<string, Promise<string>>();
let files = 0;

/** The path of a program of folder c, compiled. */
export function driver(name: 'ping-pong' | 'only-answers'): Promise<string> {
  const known = compiled.get(name);
  if (known) return known;
  const cc = findProgram('cc');
  if (!cc) throw new Error(`a C compiler is needed to measure with (none in ${cleanEnvironment.PATH}; Debian: gcc)`);
  const path = scratchPath(name);
  const source = `${process.cwd()}/test/bench/c/${name}.c`;
  const made = runClean([cc, '-O2', '-o', path, source]).then(() => path);
  compiled.set(name, made);
  return made;
}

/** Writes text (requests, replies, a peer's source) to a new file and returns its path. */
export function textFile(text: string, suffix = ''): string {
  const path = scratchPath(`text-${files++}${suffix}`);
  writeFileSync(path, text);
  return path;
}

export interface Conversation {
  argv: string[];
  /** Paths of files of requests and of the replies that they must get, part by part. */
  requests: string;
  replies: string;
}

/** How many blocks each program answers before those that count: V8 then has compiled what it runs often. */
export const WARMUP = 40;

/**
 * Asks each program `size` times in turn, `blocks` times over, or fewer where that would take longer than `seconds`. The median rate
 * of each program's blocks, in requests a second.
 */
export async function pingPong(blocks: number, size: number, seconds: number, all: Conversation[]): Promise<number[]> {
  const lines = await runClean([
    await driver('ping-pong'),
    ...[WARMUP, blocks, size, seconds].map(String),
    ...all.flatMap(({ argv, requests, replies }) => ['--', requests, replies, ...argv]),
  ]);
  return lines
    .trim()
    .split('\n')
    .map((line) => median(line.split(' ').map(Number)));
}

export interface Process {
  argv: string[];
  /** Path of a file of requests. */
  requests: string;
  /** What it must write, reply and error text alike: text or a pattern. */
  output: string | RegExp;
}

/** Of each run, in the order of the runs. `rssMb`: the most memory that it used. */
export interface Runs {
  ms: number[];
  rssMb: number[];
}

/** The rounds that are run however long they take. */
const FEWEST = 5;

/** Runs each program once in turn, `rounds` times over, or fewer where that would take longer than `seconds`. */
export async function wholeProcesses(rounds: number, seconds: number, all: Process[], warmup = 1): Promise<Runs[]> {
  const runs: Runs[] = all.map(() => ({ ms: [], rssMb: [] }));
  const end = performance.now() + seconds * 1000;
  for (let round = -warmup; round < rounds && (round < FEWEST || performance.now() < end); round++) {
    for (const [i, one] of all.entries()) {
      const { ms, rssMb } = await wholeProcess(one);
      if (round < 0) continue;
      runs[i]?.ms.push(ms);
      runs[i]?.rssMb.push(rssMb);
    }
  }
  return runs;
}

async function wholeProcess({ argv, requests, output }: Process): Promise<{ ms: number; rssMb: number }> {
  const input = readFileSync(requests);
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

/** What a program in Node that does this job cannot do without (peers/bare.js), on a database or, without one, without a query. */
export function bare(database: string | null, ...args: string[]): string[] {
  const query = database === null ? [] : [resolve('node_modules/better-sqlite3'), database];
  return [process.execPath, resolve('test/bench/peers/bare.js'), ...query, ...args];
}

/** The seed's logic as a loop in Python, or null where there is no Python for every user. */
export function seedLoop(program: string, database: string): string[] | null {
  const python = findProgram('python3');
  return python === undefined ? null : [python, program, database];
}

/** What the seed's two rows say, for postfwd. */
const RULES = `
id=ONE; sasl_username==test1; client_address==127.0.0.1/32; action=dunno
id=TWO; sasl_username==test2; client_address==172.31.27.95/32; action=dunno
id=END; action=reject 5.7.1 $$sasl_username may not send mail from $$client_address
`;

/**
 * postfwd1 with the rules of the seed, or null where it is not installed. Without --daemon it answers on standard output, as from
 * inetd: a third faster than its server, and over the same transport as ours. It writes no log then.
 */
export function postfwd(): string[] | null {
  const program = findProgram('postfwd1');
  if (program === undefined) return null;
  return [program, '--file', textFile(RULES, '.cf'), '--nodns', '--norulelog', '--noidlestats'];
}
