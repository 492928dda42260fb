// Lines to the mail log: through Postfix's postlog, which reaches it wherever it is (syslog or maillog_file), else through logger.
//
// One child program for each priority reads lines from a pipe until we are done, so that no line costs a process. The pipe is written without
// waiting: what it does not take at once is lost, counted, and the count is the next line. A log program that cannot be
// started or fails is replaced by the next one; when none is left, lines are lost: an answer never depends on the log.
import { type ChildProcess, spawn } from 'node:child_process';

export type Priority = 'info' | 'warning';

const TAG = 'postfix/allow-nets';

/** How long (ms) a log program may take to end after its last line. */
const LINGER = 2000;

/** A line that a pipe holds for a log program that stands still; with more than this (bytes) waiting, lines are lost. */
const BACKLOG = 64 * 1024;

interface LogProgram {
  readonly command: string;
  readonly arguments: (priority: Priority) => string[];
  /** postlog writes "warning: " before a line of that priority, logger does not. */
  readonly warns: boolean;
}

const postlog = (command: string): LogProgram => ({
  command,
  arguments: (priority) => ['-t', TAG, '-p', priority === 'warning' ? 'warn' : 'info'],
  warns: true,
});

/** In the order they are tried. */
export const LOG_PROGRAMS: readonly LogProgram[] = [
  postlog('postlog'),
  postlog('/usr/sbin/postlog'),
  postlog('/usr/local/sbin/postlog'),
  {
    command: 'logger',
    arguments: (priority) => ['-t', TAG, '-p', `mail.${priority}`],
    warns: false,
  },
];

/** The lines of one priority on their way to the mail log. */
export class MailLog {
  private child: ChildProcess | null = null;
  private program = 0;
  private lost = 0;
  /** The lines that the present child has got, as far as they may have to be said again. */
  private unsure: string[] = [];
  private ended: (() => void) | null = null;

  constructor(
    private readonly priority: Priority,
    private readonly programs: readonly LogProgram[] = LOG_PROGRAMS,
  ) {}

  /** `line`: printable ASCII without a new line. Returns at once. */
  write(line: string): void {
    const pipe = this.start()?.stdin;
    if (!pipe || pipe.writableLength > BACKLOG) {
      this.lost++;
      return;
    }
    if (this.lost > 0) pipe.write(this.worded(`${this.lost} log lines lost`));
    this.lost = 0;
    pipe.write(this.worded(line));
    if (this.unsure.length < 10) this.unsure.push(line);
  }

  /** Lets the log program end, kills it when it does not, then calls `done`. */
  close(done: () => void): void {
    if (this.lost > 0) this.write(`${this.lost} log lines lost`);
    const { child } = this;
    if (child === null) {
      done();
      return;
    }
    const timer = setTimeout(() => child.kill('SIGKILL'), LINGER);
    this.ended = () => {
      clearTimeout(timer);
      this.close(done);
    };
    child.stdin?.end();
  }

  private start(): ChildProcess | null {
    while (this.child === null) {
      const program = this.programs[this.program];
      if (program === undefined) return null;
      const child = started(program, this.priority);
      if (child === null) {
        this.program++;
        continue;
      }
      child.on('exit', (status) => this.hasEnded(child, status === 0));
      this.child = child;
    }
    return this.child;
  }

  private hasEnded(child: ChildProcess, well: boolean): void {
    if (this.child !== child) return;
    this.child = null;
    const again = well ? [] : this.unsure;
    this.unsure = [];
    if (!well) this.program++;
    for (const line of again) this.write(line);
    const { ended } = this;
    this.ended = null;
    ended?.();
  }

  private worded(line: string): string {
    const warns = this.programs[this.program]?.warns === true;
    return this.priority === 'warning' && !warns ? `warning: ${line}\n` : `${line}\n`;
  }
}

function started(program: LogProgram, priority: Priority): ChildProcess | null {
  try {
    const child = spawn(program.command, program.arguments(priority), {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    child.on('error', () => {});
    child.stdin.on('error', () => {});
    return child.pid === undefined ? null : child;
  } catch {
    // Too many processes, or no memory for one more.
    return null;
  }
}
