// Lines to the mail log: through Postfix's postlog(1), which reaches it wherever it is (syslog or maillog_file), else through logger(1).
//
// One child for each priority reads lines from a pipe, so that no line costs a process. Nothing waits for it before `close`. On a terminal nothing is
// logged: what is tried by hand says on standard error what is wrong, and is none of the mail log's.
//
// DIAGNOSTICS: what the pipe does not take is lost, counted, and the count is the next line. When the child fails, the lines of the last seconds go to
// the other program; when that fails too, lines are counted for a while. An answer never depends on the log.
import { type ChildProcess, spawn } from 'node:child_process';
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
  {
    command: 'postlog',
    words: (priority) => [...TAG, priority === 'warning' ? 'warn' : 'info'],
    marksWarnings: true,
  },
  { command: 'logger', words: (priority) => [...TAG, `mail.${priority}`], marksWarnings: false },
];

/** Where programs are looked for: spawn(8) gives a PATH without the folders of postlog. */
export const logPath = (PATH = '/usr/bin:/bin') => `${PATH}:/usr/sbin:/usr/local/sbin`;

/** How long (ms) a child may take to end after its last line. */
const LINGER = 5000;
/** How many bytes may wait in memory for a child that does not read. */
const BACKLOG = 64 * 1024;
/** How long (ms) a line may still turn out to be lost after the pipe took it. */
const UNSURE = 2000;
/** How long (ms) after the last program has failed the first is tried again. */
const RETRY = 10_000;

/** A line that may still turn out to be lost; `lost`: the count, where it is a count of lost lines. */
interface Sent {
  readonly line: string;
  readonly lost: number;
}

export class MailLog {
  private child: ChildProcess | null = null;
  private program = 0;
  private failed = 0;
  private lost = 0;
  private recent: Sent[] = [];
  private earlier: Sent[] = [];
  private since = 0;
  private ended: (() => void) | null = null;

  constructor(
    private readonly priority: Priority,
    private readonly programs: readonly LogProgram[] = isatty(2) ? [] : LOG_PROGRAMS,
  ) {}

  /** `line`: printable ASCII without a new line. Returns at once. */
  write(line: string): void {
    const pipe = this.start()?.stdin;
    if (!pipe || pipe.writableLength > BACKLOG) {
      this.lost++;
      return;
    }
    this.sendCount();
    this.send(line);
  }

  /** Lets the child end, kills it when it does not, then calls `done`. */
  close(done: () => void): void {
    const child = this.lost > 0 ? this.start() : this.child;
    if (child === null) {
      done();
      return;
    }
    this.sendCount();
    const timer = setTimeout(() => child.kill('SIGKILL'), LINGER);
    this.ended = () => {
      clearTimeout(timer);
      this.close(done);
    };
    child.stdin?.end();
  }

  private sendCount(): void {
    if (this.lost > 0) this.send(`${this.lost} log lines lost`, this.lost);
    this.lost = 0;
  }

  private send(line: string, lost = 0): void {
    const pipe = this.child?.stdin;
    if (pipe?.writableLength === 0 && Date.now() - this.since > UNSURE) {
      this.earlier = Date.now() - this.since > 2 * UNSURE ? [] : this.recent;
      this.recent = [];
      this.since = Date.now();
    }
    this.recent.push({ line, lost });
    const marked = this.priority === 'info' || this.programs[this.program]?.marksWarnings;
    pipe?.write(marked ? `${line}\n` : `warning: ${line}\n`);
  }

  private start(): ChildProcess | null {
    if (this.program >= this.programs.length && Date.now() - this.failed > RETRY) this.program = 0;
    while (this.child === null) {
      const program = this.programs[this.program];
      if (program === undefined) return null;
      this.child = started(program, this.priority);
      if (this.child === null) this.fallBack();
      else this.child.on('exit', (status) => this.hasEnded(status));
    }
    return this.child;
  }

  private fallBack(): void {
    this.program++;
    this.failed = Date.now();
  }

  private hasEnded(status: number | null): void {
    const unsure = [...this.earlier, ...this.recent];
    this.child = null;
    this.earlier = [];
    this.recent = [];
    if (status !== 0) {
      this.fallBack();
      for (const { line, lost } of unsure) {
        if (lost > 0) this.lost += lost;
        else this.write(line);
      }
    }
    const { ended } = this;
    this.ended = null;
    ended?.();
  }
}

function started({ command, words }: LogProgram, priority: Priority): ChildProcess | null {
  try {
    const child = spawn(command, words(priority), {
      // From 3.8 on postlog writes its lines to standard error, too.
      stdio: ['pipe', 'ignore', 'ignore'],
      env: { ...process.env, PATH: logPath(process.env['PATH']) },
    });
    child.on('error', () => {});
    child.stdin.on('error', () => {});
    return child.pid === undefined ? null : child;
  } catch {
    // Too many processes, or no memory for one more.
    return null;
  }
}
