// Writes lines to the mail log with Postfix's postlog(1), which knows where the log is (syslog or maillog_file), else
// with logger(1).
//
// One child per priority reads lines from a pipe, so that a line does not cost a process. Only `close` waits for the
// child. On a terminal nothing is logged: the message on standard error is enough.
//
// DIAGNOSTICS: lines that do not fit into the pipe are dropped, and their number is logged before the next line. If the
// child fails, the lines of the last seconds go to the other program; if that fails too, lines are dropped for ten
// seconds. An answer never waits for the log.
import { type ChildProcess, spawn } from 'node:child_process';
import { isatty } from 'node:tty';

export type Priority = 'info' | 'warning';

export interface LogProgram {
  readonly command: string;
  readonly words: (priority: Priority) => string[];
  /** Put before a warning, for a program that does not mark warnings itself. */
  readonly warningMark: '' | 'warning: ';
}

const TAG = ['-t', 'postfix/allow-nets', '-p'];

/** In the order in which they are tried. */
export const LOG_PROGRAMS: readonly LogProgram[] = [
  { command: 'postlog', words: (priority) => [...TAG, priority === 'warning' ? 'warn' : 'info'], warningMark: '' },
  { command: 'logger', words: (priority) => [...TAG, `mail.${priority}`], warningMark: 'warning: ' },
];

/** The time (ms) that a child has to exit after its last line. */
const LINGER = 5000;
/** The most bytes to buffer for a child that does not read. */
const BACKLOG = 64 * 1024;
/** The time (ms) for which written lines are kept, to be written again if the child fails. */
const KEPT = 2000;
/** The time (ms) after which the first program is tried again when all have failed. */
const RETRY = 10_000;

/** Milliseconds of a monotonic clock: the system clock can be set back. */
const now = () => process.uptime() * 1000;

export class MailLog {
  private child: ChildProcess | null = null;
  /** The program in use, in LOG_PROGRAMS; after the last one, lines are dropped. */
  private index = 0;
  private failedAt = 0;
  private lost = 0;
  /** Lines to write again if the child fails. */
  private recent: { line: string; at: number }[] = [];

  constructor(private readonly priority: Priority) {}

  /** `lines`: printable ASCII without a newline. Never waits. */
  write(...lines: string[]): void {
    const pipe = this.start()?.stdin;
    if (!pipe || pipe.writableLength > BACKLOG) {
      this.lost += lines.length;
      return;
    }
    if (this.lost > 0) lines.unshift(`${this.lost} log lines lost`);
    this.lost = 0;
    const at = now();
    while (pipe.writableLength === 0 && (this.recent[0]?.at ?? at) < at - KEPT) this.recent.shift();
    for (const line of lines) {
      this.recent.push({ line, at });
      pipe.write(`${this.priority === 'warning' ? LOG_PROGRAMS[this.index]?.warningMark : ''}${line}\n`);
    }
  }

  /** Ends the child, kills it if it does not exit in time, then calls `done`. */
  close(done: () => void): void {
    if (this.lost > 0) this.write();
    const { child } = this;
    if (child === null) {
      done();
      return;
    }
    const timer = setTimeout(() => child.kill('SIGKILL'), LINGER);
    // If it failed, the next program has its lines now and must be closed, too.
    child.on('exit', () => {
      clearTimeout(timer);
      this.close(done);
    });
    child.stdin?.end();
  }

  private start(): ChildProcess | null {
    if (isatty(2)) return null;
    if (this.index >= LOG_PROGRAMS.length && now() - this.failedAt > RETRY) this.index = 0;
    while (this.child === null) {
      const program = LOG_PROGRAMS[this.index];
      if (program === undefined) break;
      this.child = startProgram(program, this.priority);
      if (this.child === null) this.fallBack();
      else this.child.on('exit', (status) => this.onExit(status));
    }
    return this.child;
  }

  private fallBack(): void {
    this.index++;
    this.failedAt = now();
  }

  private onExit(status: number | null): void {
    const lines = this.recent.map(({ line }) => line);
    this.child = null;
    this.recent = [];
    if (status === 0) return;
    this.fallBack();
    this.write(...lines);
  }
}

function startProgram({ command, words }: LogProgram, priority: Priority): ChildProcess | null {
  try {
    const child = spawn(command, words(priority), {
      // Since Postfix 3.8, postlog copies its lines to standard error.
      stdio: ['pipe', 'ignore', 'ignore'],
      // The PATH that spawn(8) sets lacks the directories of postlog.
      env: { ...process.env, PATH: `${process.env['PATH'] ?? '/usr/bin:/bin'}:/usr/sbin:/usr/local/sbin` },
    });
    child.on('error', () => {});
    child.stdin.on('error', () => {});
    return child.pid === undefined ? null : child;
  } catch {
    // There are too many processes, or there is no memory.
    return null;
  }
}
