// Lines to the mail log: through Postfix's postlog(1), which reaches it wherever it is (syslog or maillog_file), else
// through logger(1).
//
// One child for each priority reads lines from a pipe, so that no line costs a process. Nothing waits for the child
// before `close`. On a terminal nothing is logged: there the message on standard error is enough.
//
// DIAGNOSTICS: a line that the pipe does not take is lost; the next line begins with the count of lost lines. When the
// child fails, the other program gets the lines of the last seconds; when that fails too, lines are lost for ten
// seconds. An answer never depends on the log.
import { type ChildProcess, spawn } from 'node:child_process';
import type { Writable } from 'node:stream';
import { isatty } from 'node:tty';

export type Priority = 'info' | 'warning';

export interface LogProgram {
  readonly command: string;
  readonly words: (priority: Priority) => string[];
  /** Whether it writes "warning: " before a line of that priority by itself. */
  readonly marksWarnings: boolean;
}

const TAG = ['-t', 'postfix/allow-nets', '-p'];

/** In the order in which they are tried. */
export const LOG_PROGRAMS: readonly LogProgram[] = [
  { command: 'postlog', words: (priority) => [...TAG, priority === 'warning' ? 'warn' : 'info'], marksWarnings: true },
  { command: 'logger', words: (priority) => [...TAG, `mail.${priority}`], marksWarnings: false },
];

/** How long (ms) a child may take to end after its last line. */
const LINGER = 5000;
/** How many bytes may wait in memory for a child that does not read. */
const BACKLOG = 64 * 1024;
/** How long (ms) a line that the pipe took may still be lost. */
const UNSURE = 2000;
/** How long (ms) after the last program failed the first one is tried again. */
const RETRY = 10_000;

export class MailLog {
  private child: ChildProcess | null = null;
  private program = 0;
  private failedAt = 0;
  private lost = 0;
  /** What is written again when the child fails. */
  private recent: { line: string; at: number }[] = [];

  constructor(
    private readonly priority: Priority,
    private readonly programs: readonly LogProgram[] = isatty(2) ? [] : LOG_PROGRAMS,
  ) {}

  /** `line`: printable ASCII without a newline. Returns at once. */
  write(line: string): void {
    const pipe = this.start();
    if (pipe === null || pipe.writableLength > BACKLOG) this.lost++;
    else this.send(pipe, line);
  }

  /** Lets the child end, kills it when it does not, then calls `done`. */
  close(done: () => void): void {
    const pipe = this.lost > 0 ? this.start() : this.child?.stdin;
    const { child } = this;
    if (!pipe || child === null) {
      done();
      return;
    }
    this.sendCount(pipe);
    const timer = setTimeout(() => child.kill('SIGKILL'), LINGER);
    // When it failed, the next program has its lines by now.
    child.on('exit', () => {
      clearTimeout(timer);
      this.close(done);
    });
    pipe.end();
  }

  private send(pipe: Writable, line: string): void {
    this.sendCount(pipe);
    const at = Date.now();
    while (pipe.writableLength === 0 && this.recent[0] !== undefined && this.recent[0].at < at - UNSURE) {
      this.recent.shift();
    }
    this.recent.push({ line, at });
    const isMarked = this.priority === 'info' || this.programs[this.program]?.marksWarnings;
    pipe.write(isMarked ? `${line}\n` : `warning: ${line}\n`);
  }

  private sendCount(pipe: Writable): void {
    const { lost } = this;
    this.lost = 0;
    if (lost > 0) this.send(pipe, `${lost} log lines lost`);
  }

  private start(): Writable | null {
    if (this.program >= this.programs.length && Date.now() - this.failedAt > RETRY) this.program = 0;
    for (let next = this.programs[this.program]; this.child === null && next; next = this.programs[this.program]) {
      this.child = startProgram(next, this.priority);
      if (this.child === null) this.fallBack();
      else this.child.on('exit', (status) => this.hasEnded(status));
    }
    return this.child?.stdin ?? null;
  }

  private fallBack(): void {
    this.program++;
    this.failedAt = Date.now();
  }

  private hasEnded(status: number | null): void {
    const { recent } = this;
    this.child = null;
    this.recent = [];
    if (status === 0) return;
    this.fallBack();
    const pipe = this.start();
    if (pipe === null) this.lost += recent.length;
    else for (const { line } of recent) this.send(pipe, line);
  }
}

function startProgram({ command, words }: LogProgram, priority: Priority): ChildProcess | null {
  try {
    const child = spawn(command, words(priority), {
      // From 3.8 on postlog writes its lines to standard error, too.
      stdio: ['pipe', 'ignore', 'ignore'],
      // spawn(8) gives a PATH without the folders of postlog.
      env: { ...process.env, PATH: `${process.env['PATH'] ?? '/usr/bin:/bin'}:/usr/sbin:/usr/local/sbin` },
    });
    child.on('error', () => {});
    child.stdin.on('error', () => {});
    return child.pid === undefined ? null : child;
  } catch {
    // Too many processes, or no memory for one more.
    return null;
  }
}
