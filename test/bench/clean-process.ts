// Runs programs in a clean environment (as `env -i` with a PATH), because the environment costs time: a single
// NODE_EXTRA_CA_CERTS adds 40 ms to a start of Node. Whatever does not end as it should is an error with its output.
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { atEnd } from '../rig/scratch';

const PATH = '/usr/sbin:/usr/bin:/sbin:/bin';
export const cleanEnvironment = { PATH };

/** The absolute path of an installed program, or undefined. */
export function findProgram(name: string): string | undefined {
  return PATH.split(':')
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** Starts a program that is killed at the end of the benchmark if it still runs then. */
export function startClean(argv: string[], stdio: 'pipe' | 'ignore' = 'pipe', cwd = '/'): ChildProcess {
  const [program = '', ...rest] = argv;
  const child = spawn(program, rest, { env: cleanEnvironment, stdio, cwd });
  const kill = atEnd(() => child.kill('SIGKILL'));
  child.once('exit', kill);
  return child;
}

/** Runs a program to its end and returns its standard output. Throws unless its exit status is 0. */
export async function runClean(argv: string[], timeoutMs = 240_000): Promise<string> {
  const child = startClean(argv);
  const output: Buffer[] = [];
  const errors: Buffer[] = [];
  child.stdin?.end();
  child.stdout?.on('data', (bytes: Buffer) => output.push(bytes));
  child.stderr?.on('data', (bytes: Buffer) => errors.push(bytes));
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  const ending = await new Promise<number | string>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status, signal) => resolve(status ?? signal ?? 'no status'));
  });
  clearTimeout(timer);
  if (ending !== 0) {
    throw new Error(`${argv.join(' ').slice(0, 500)}: ${ending}: ${Buffer.concat(errors).toString().trim()}`);
  }
  return Buffer.concat(output).toString();
}
