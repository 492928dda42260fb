// Runs other programs without a shell, keeps their output for messages, and makes folders for their files.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { refusal, shellLine } from '../failure';

export interface RunResult {
  /** The exit status; null if a signal or the time limit ended the program, or if it could not be started. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Directories of Postfix's commands that may be missing in PATH. */
const FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/sbin', '/usr/bin', '/usr/local/bin', '/opt/local/sbin'];

/** The absolute path of a program, or null. */
export function findProgram(name: string): string | null {
  const own = (process.env['PATH'] ?? '').split(path.delimiter).filter((folder) => folder.startsWith('/'));
  return [...own, ...FOLDERS].map((folder) => path.join(folder, name)).find(isExecutable) ?? null;
}

function isExecutable(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}

const TIME_LIMIT = 60_000;

/** Runs a program to its end, for a minute at most. */
export function run(program: string, words: readonly string[], env = process.env): RunResult {
  const ran = spawnSync(program, words, {
    encoding: 'utf8',
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: TIME_LIMIT,
    maxBuffer: 64 * 1024 * 1024,
  });
  return { status: ran.status, stdout: ran.stdout ?? '', stderr: ran.stderr ?? String(ran.error ?? '') };
}

/**
 * Runs `work` with a folder that is removed afterwards. Throws Trouble if none can be created, or if `work` cannot write
 * there.
 */
export function withTemporaryFolder<T>(work: (folder: string) => T): T {
  let folder: string | null = null;
  try {
    folder = fs.mkdtempSync(path.join(tmpdir(), 'allow-nets-'));
    return work(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    throw refusal(
      `no file can be written in ${tmpdir()} (${(error as Error).message})`,
      'free some space there, or name another folder',
      `TMPDIR=/dev/shm ${typedCommand()}`,
    );
  } finally {
    if (folder !== null) fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** The failure of a program in one line: its status and what it printed. */
export function failureText({ status, stdout, stderr }: RunResult): string {
  const lines = `${stderr}\n${stdout}`.split('\n').filter((line) => line.trim() !== '');
  const state = status === null ? 'did not end' : `status ${status}`;
  return [state, lines.slice(0, 5).join(' | ')].filter((part) => part !== '').join(': ');
}

/** This command as it was typed, but for --dry-run, with more options. */
export function typedCommand(...more: readonly string[]): string {
  const typed = process.argv.slice(2).filter((word) => word !== '--dry-run' && word !== '-n');
  return shellLine(['allow-nets', ...typed, ...more]);
}
