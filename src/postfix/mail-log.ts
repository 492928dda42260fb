// Lines to the mail log: through Postfix's postlog, which reaches it wherever it is (syslog or maillog_file), else through logger.
//
// One child program for each priority reads lines from a pipe until we are done, so that no line costs a process. The pipe is written without
// waiting: what it does not take in time is lost, counted, and the count is the next line. A log program that cannot be started, fails
// or does not end is replaced by the next one; when none is left, lines are lost for a while: an answer never depends on the log.
import { type ChildProcess, spawn } from 'node:child_process';

export type Priority = 'info' | 'warning';

const TAG = 'postfix/allow-nets';

/** How long (ms) a log program may take to end after its last line. */
const LINGER = 5000;

/** What (bytes) may wait here for a log program that stands still; beyond it, lines are lost. */
const BACKLOG = 64 * 1024;

/** After this time (ms) a line that a log program has taken counts as logged, should the program fail later. */
const SETTLED = 2000;

/** How many lines are said again when a log program fails; the others are counted as lost. */
const SAID_AGAIN = 10;

/** How long (ms) after the last log program has failed the first is tried again. */
const RETRY = 10_000;

interface LogProgram {
  readonly command: string;
  readonly arguments: (priority: Priority) => string[];
  /** postlog writes "warning: " before a line of that priority, logger does not. */
  readonly kind: 'postlog' | 'logger';
}

const postlog = (command: string): LogProgram => ({
  command,
  arguments: (priority) => ['-t', TAG, '-p', priority === 'warning' ? 'warn' : 'info'],
  kind: 'postlog',
});

/** In the order they are tried. */
export const LOG_PROGRAMS: readonly LogProgram[] = [
  postlog('postlog'),
  postlog('/usr/sbin/postlog'),
  postlog('/usr/local/sbin/postlog'),
  {
    command: 'logger',
    arguments: (priority) => ['-t', TAG, '-p', `mail.${priority}`],
    kind: 'logger',
  },
];

/** Lines that a log program has got and may not have logged. */
interface Unsure {
  readonly lines: string[];
  more: number;
}

/** The lines of one priority on their way to the mail log. */
export class MailLog {
  private child: ChildProcess | null = null;
  private program = 0;
  private noneSince = 0;
  private lost = 0;
  private unsure: Unsure = { lines: [], more: 0 };
  private earlier: Unsure = { lines: [], more: 0 };
  private unsureSince = 0;
  private hangs = false;
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
    this.settle(pipe.writableLength === 0);
    if (this.lost > 0) pipe.write(this.worded(`${this.lost} log lines lost`));
    this.unsure.more += this.lost;
    this.lost = 0;
    pipe.write(this.worded(line));
    if (this.unsure.lines.length < SAID_AGAIN) this.unsure.lines.push(line);
    else this.unsure.more++;
  }

  /** Lets the log program end, kills it when it does not, then calls `done`. */
  close(done: () => void): void {
    const { child } = this;
    if (child === null) {
      if (this.lost > 0 && this.start() !== null) this.close(done);
      else done();
      return;
    }
    const pipe = child.stdin;
    if (this.lost > 0) pipe?.write(this.worded(`${this.lost} log lines lost`));
    this.unsure.more += this.lost;
    this.lost = 0;
    const timer = setTimeout(() => {
      this.hangs = true;
      child.kill('SIGKILL');
    }, LINGER);
    this.ended = () => {
      clearTimeout(timer);
      this.close(done);
    };
    pipe?.end();
  }

  private start(): ChildProcess | null {
    if (this.program >= this.programs.length && Date.now() - this.noneSince > RETRY) this.program = 0;
    while (this.child === null) {
      const program = this.programs[this.program];
      if (program === undefined) return null;
      const child = started(program, this.priority);
      if (child === null) {
        this.giveUpProgram();
        continue;
      }
      child.on('exit', (status) => this.hasEnded(child, status === 0));
      this.child = child;
    }
    return this.child;
  }

  private giveUpProgram(): void {
    const { kind } = this.programs[this.program] ?? {};
    this.program++;
    // Where one postlog stands still, so will the other.
    while (this.hangs && this.programs[this.program]?.kind === kind) this.program++;
    this.hangs = false;
    this.noneSince = Date.now();
  }

  private hasEnded(child: ChildProcess, well: boolean): void {
    if (this.child !== child) return;
    this.child = null;
    const { unsure, earlier } = this;
    this.unsure = { lines: [], more: 0 };
    this.earlier = { lines: [], more: 0 };
    if (!well) {
      this.giveUpProgram();
      const lines = [...earlier.lines, ...unsure.lines];
      this.lost += earlier.more + unsure.more + Math.max(0, lines.length - SAID_AGAIN);
      for (const line of lines.slice(0, SAID_AGAIN)) this.write(line);
    }
    const { ended } = this;
    this.ended = null;
    ended?.();
  }

  /** What was handed over some time ago is no longer unsure, if the log program has taken all of it. */
  private settle(taken: boolean): void {
    const age = Date.now() - this.unsureSince;
    if (age < SETTLED || !taken) return;
    this.earlier = age < 2 * SETTLED ? this.unsure : { lines: [], more: 0 };
    this.unsure = { lines: [], more: 0 };
    this.unsureSince += age;
  }

  private worded(line: string): string {
    const warns = this.programs[this.program]?.kind === 'postlog';
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
