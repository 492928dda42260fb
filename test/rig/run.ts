// The shipped program as a person, a timer or a shell runs it. Standard input and both outputs are files, because the
// policy program writes nothing to a standard error that is a socket, which Node's own pipes are.
//
//     assert.deepEqual(run(['add', 'alice', '192.0.2.1'], { db }), { status: 0, stdout: '...', stderr: '' });
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { program } from '../requires';
import { userIds } from './accounts';
import { atEnd, makeFolder, newFile } from './scratch';

/** The absolute path of the shipped program. */
export const PROGRAM = resolve('bin/allow-nets.js');

export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** The database, in ALLOW_NETS_DB. */
  readonly db?: string;
  readonly input?: string | Buffer;
  /** Beside or in place of PATH, TZ=UTC, LANG=C.UTF-8 and SUDO_USER=postmaster. */
  readonly env?: NodeJS.ProcessEnv;
  /** The account that runs it; needs root. */
  readonly as?: string;
  readonly cwd?: string;
  /** A program in place of the shipped one, with its arguments before `words`. */
  readonly command?: readonly string[];
}

/** Runs a command to its end. */
export function run(words: readonly string[], options: RunOptions = {}): Outcome {
  const input = newFile(options.input ?? '', 'stdin');
  const stdout = join(dirname(input), 'stdout');
  const stderr = join(dirname(input), 'stderr');
  const stdio = [openSync(input, 'r'), openSync(stdout, 'w'), openSync(stderr, 'w')];
  const { file, args, surroundings } = commandOf(words, options);
  const { status, error } = spawnSync(file, args, { ...surroundings, stdio });
  for (const descriptor of stdio) closeSync(descriptor);
  if (error) throw error;
  return { status, stdout: readFileSync(stdout, 'utf8'), stderr: readFileSync(stderr, 'utf8') };
}

/** Runs a command that must succeed. @returns its standard output @throws when its exit status is not 0 */
export function mustRun(words: readonly string[], options: RunOptions = {}): string {
  const { status, stdout, stderr } = run(words, options);
  if (status !== 0) throw new Error(`${words.join(' ')}: status ${status}\n${stderr}`);
  return stdout;
}

export type Running = ReturnType<typeof start>;

/** Starts a command, without input, and does not wait for its end. It is killed at the latest when the test process ends. */
export function start(words: readonly string[], options: Omit<RunOptions, 'input'> = {}) {
  const { file, args, surroundings } = commandOf(words, options);
  const child = spawn(file, args, { ...surroundings, stdio: ['ignore', 'pipe', 'pipe'] });
  const kill = atEnd(() => child.kill('SIGKILL'));
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text) => {
      output[name] += text;
    });
  }
  const ended = once(child, 'close').then(([status, signal]): Outcome & { readonly signal: NodeJS.Signals | null } => {
    kill();
    return { status, signal, ...output };
  });
  return {
    child,
    ended,
    /** What it has written to standard error so far. */
    get stderr() {
      return output.stderr;
    },
    /** Sends SIGTERM and waits for the end. */
    end: () => {
      child.kill('SIGTERM');
      return ended;
    },
  };
}

function commandOf(words: readonly string[], { db, env, as, cwd, command }: RunOptions) {
  const [file = '', ...before] = command ?? [process.execPath, PROGRAM];
  return {
    file,
    args: [...before, ...words],
    surroundings: {
      env: {
        PATH: process.env['PATH'],
        TZ: 'UTC',
        LANG: 'C.UTF-8',
        SUDO_USER: 'postmaster',
        ...(db === undefined ? {} : { ALLOW_NETS_DB: db }),
        ...env,
      },
      ...(as === undefined ? {} : userIds(as)),
      ...(cwd === undefined ? {} : { cwd }),
    },
  };
}

/** A folder for PATH in which `allow-nets` is the shipped program. Made once for a test process. */
export function programFolder(): string {
  if (folder === null) {
    folder = makeFolder('bin');
    const script = `#!/bin/sh\nexec '${process.execPath}' '${PROGRAM}' "$@"\n`;
    writeFileSync(join(folder, 'allow-nets'), script, { mode: 0o755 });
  }
  return folder;
}

let folder: string | null = null;

/** Runs a line of bash in which `allow-nets` is the shipped program. */
export function shell(line: string, options: Omit<RunOptions, 'command'> = {}): Outcome {
  const env = { PATH: `${programFolder()}:${process.env['PATH']}`, ...options.env };
  return run([line], { ...options, env, command: ['bash', '-c'] });
}

/** What a line of a shell writes to a terminal, both outputs together. The suite says `needs('script')`. */
export function onTerminal(line: string, options: Omit<RunOptions, 'command' | 'input'> = {}): string {
  const env = { TERM: 'xterm', PATH: `${programFolder()}:${process.env['PATH']}`, ...options.env };
  const { stdout } = run([line, '/dev/null'], { ...options, env, command: [program('script'), '-qec'] });
  return stdout.replaceAll('\r\n', '\n');
}
