// Failures as data: what happened, what to do next, and the exit status.
//
// A failure is thrown as Trouble. The policy program then exits without a reply, so that Postfix answers with a
// temporary error, and logs one line that says what to do. A command prints an error and a hint. No failure ever means
// "allowed".

/** The faults of a database; rules/database-failure.ts has their messages. */
export type DatabaseFault =
  | 'database-missing'
  | 'database-unreadable'
  | 'database-unwritable'
  | 'database-readonly'
  | 'database-broken'
  | 'database-foreign'
  | 'database-newer'
  | 'database-interrupted'
  | 'database-wal'
  | 'database-busy'
  | 'database-system'
  | 'database-full';

/** `installation`: Node.js or better-sqlite3 is at fault. `refused`: a command cannot do what it was asked. */
export type FailureKind = 'option' | 'request' | 'installation' | 'output' | 'refused' | 'bug' | DatabaseFault;

/** What to do next. */
export interface Fix {
  /** In words: lower case, no full stop. */
  readonly hint?: string | null | undefined;
  /** The shell command that does it, to be run as root or as the hint says. */
  readonly command?: string | null | undefined;
  /** The next steps, or other ways to fix it. */
  readonly more?: readonly Fix[] | undefined;
}

/** The message of a failure: lower case, no full stop. */
export interface Message extends Fix {
  readonly problem: string;
}

export interface Failure extends Message {
  readonly kind: FailureKind;
}

export class Trouble extends Error {
  constructor(readonly failure: Failure) {
    super(failure.problem);
    this.name = 'Trouble';
  }
}

/** A command line that is wrong in itself: exit status 2. */
export const wrongUsage = (problem: string, hint: string): Trouble => new Trouble({ kind: 'option', problem, hint });

/** What a command cannot do as things are: exit status 1. `command`: the command that the hint speaks of. */
export function refusal(
  problem: string,
  hint?: string | null,
  command?: string | null,
  more?: readonly Fix[],
): Trouble {
  return new Trouble({ kind: 'refused', problem, hint, command, more });
}

/** Tells a failure from the result of work that succeeded. */
export function isFailure(outcome: object): outcome is Failure {
  return 'kind' in outcome;
}

/** Turns anything thrown into a failure. What is not Trouble is a bug. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Trouble) return error.failure;
  if ((error as NodeJS.ErrnoException | null)?.syscall === 'uv_cwd') {
    return {
      kind: 'refused',
      problem: 'the current folder does not exist any more',
      hint: 'leave it',
      command: 'cd /',
    };
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return {
    kind: 'bug',
    problem: `a bug: ${text.replace(/\s*\n\s*/g, ' | ')}`,
    hint: 'please report this line to the project, with the version that allow-nets --version prints',
  };
}

/** The Trouble for a result that cannot be written. */
export function outputTrouble(error: unknown): Trouble {
  const problem = `the answer cannot be written (${(error as Error).message})`;
  return new Trouble({ kind: 'output', problem, hint: 'free the space or correct the redirection' });
}

/** The exit status of the policy program (sysexits.h). */
export function policyStatus({ kind }: Failure): 64 | 65 | 70 | 75 | 78 {
  if (kind === 'option') return 64;
  if (kind === 'request') return 65;
  if (kind === 'bug') return 70;
  return kind === 'database-busy' ? 75 : 78;
}

/** The exit status of a command: 2 for wrong usage, 70 for a bug, 1 for other failures. */
export function commandStatus({ kind }: Failure): 1 | 2 | 70 {
  if (kind === 'option') return 2;
  return kind === 'bug' ? 70 : 1;
}

/** The steps of a fix, one after the other. */
const stepsOf = ({ more = [], ...first }: Fix): Fix[] => [first, ...more];

/** The failure as one line for the mail log. */
export function asLogLine(failure: Failure): string {
  const steps = stepsOf(failure).map(({ hint, command }) => [hint, command].filter((part) => part != null).join(': '));
  return printable([failure.problem, ...steps].filter((part) => part !== '').join('; '));
}

/** The failure as lines for standard error. */
export const asErrorLines = (failure: Message): string =>
  `allow-nets: error: ${printable(failure.problem)}\n${asHintLines(failure)}`;

/** A fix as lines for standard error. Each command has a line to itself, so that it can be pasted. */
export const asHintLines = (fix: Fix): string => asFixLines(fix, 'allow-nets: hint:', '  ');

/** `label` begins a line of words, `indent` a command. */
export function asFixLines(fix: Fix, label: string, indent: string): string {
  const lines = stepsOf(fix).flatMap(({ hint, command }) => {
    if (command == null) return hint == null ? [] : [`${label} ${hint}`];
    return [hint == null ? `${label} run:` : `${label} ${hint}:`, `${indent}${command}`];
  });
  return lines.map((line) => `${printable(line)}\n`).join('');
}

/** Parses the output of asErrorLines: doctor and install run the service's program and read its error. */
export function parseErrorLines(text: string): Message | null {
  const [, problem] = /^allow-nets: error: (.*)$/m.exec(text) ?? [];
  const steps = [...text.matchAll(/^allow-nets: hint: (.*?)(?::\n {2}(.*))?$/gm)];
  const [first, ...more] = steps.map(([, hint, command]) => ({ hint, command }));
  return problem === undefined ? null : { problem, ...first, more };
}

/**
 * Makes text safe for a terminal and for one line of a log: control characters (C0, C1), line and paragraph separators
 * and bidirectional controls (Unicode, Bidi_Control) become `?`.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, '?');
}

/** Quotes a text as one word for a POSIX shell. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** A command line, ready to be pasted into a POSIX shell. */
export const shellLine = (words: readonly string[]): string => words.map(shellWord).join(' ');
