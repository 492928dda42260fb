// Programs that a test of `sync` has running, and what they have said. All are ended at the latest when the test process ends.
import { type ChildProcess, spawn } from 'node:child_process';

export interface Surroundings {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

function watched(child: ChildProcess): ChildProcess {
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

/** One whose end is waited for. */
export class Running {
  readonly child: ChildProcess;
  readonly ended: Promise<{
    readonly status: number | null;
    readonly signal: NodeJS.Signals | null;
    readonly stdout: string;
    readonly stderr: string;
  }>;
  stderr = '';
  private stdout = '';

  constructor(program: string, words: readonly string[], surroundings: Surroundings) {
    const child = watched(spawn(program, words, { ...surroundings, stdio: ['ignore', 'pipe', 'pipe'] }));
    child.stdout?.on('data', (bytes) => {
      this.stdout += bytes;
    });
    child.stderr?.on('data', (bytes) => {
      this.stderr += bytes;
    });
    this.child = child;
    this.ended = new Promise((done) =>
      child.once('close', (status, signal) => {
        done({ status, signal, stdout: this.stdout, stderr: this.stderr });
      }),
    );
  }

  /** SIGTERM, and what came of it. */
  end(): typeof this.ended {
    this.child.kill('SIGTERM');
    return this.ended;
  }
}

/** The policy program on one connection, as with --persistent in master.cf. */
export class Answering {
  private readonly child: ChildProcess;
  private said = '';
  private wake = () => {};

  constructor(program: string, words: readonly string[], surroundings: Surroundings) {
    this.child = watched(spawn(program, words, { ...surroundings, stdio: 'pipe' }));
    this.child.stdout?.on('data', (bytes) => {
      this.said += bytes;
      this.wake();
    });
    this.child.once('close', () => this.wake());
    // A test need not wait for it.
    this.child.unref();
    for (const stream of [this.child.stdin, this.child.stdout, this.child.stderr]) {
      (stream as unknown as { unref(): void }).unref();
    }
  }

  /** @returns the first word of the action */
  async ask(user: string, address: string): Promise<string> {
    const waiting = setTimeout(() => {}, 60_000);
    this.said = '';
    this.child.stdin?.write(`sasl_username=${user}\nclient_address=${address}\n\n`);
    while (!this.said.endsWith('\n\n')) {
      if (this.child.exitCode !== null) return `no answer, status ${this.child.exitCode}`;
      await new Promise<void>((done) => {
        this.wake = done;
      });
    }
    clearTimeout(waiting);
    return /^action=(\w+)/.exec(this.said)?.[1] ?? this.said;
  }
}
