// What can go wrong, as data: what happened, what to do next, and which exit status it has.
//
// A failure is thrown as Trouble. The policy program ends without a reply, so that Postfix answers with a temporary error; the mail
// log gets one line with what to do next. A command prints the same as an error and a hint. Nothing here ever means "allowed".

/** What can be wrong with the database: rules/database-failure.ts has the words. */
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
  | 'database-full';

/** `installation`: Node.js or better-sqlite3. `refused`: a command cannot do what it was given. */
export type FailureKind = 'option' | 'request' | 'installation' | 'output' | 'refused' | 'bug' | DatabaseFault;

/** For people: lower case, no full stop. */
export interface Words {
  readonly problem: string;
  /** What to do next. */
  readonly hint?: string | null | undefined;
  /** The shell command that does it, to be run as root or as the hint says. */
  readonly command?: string | undefined;
}

export interface Failure extends Words {
  readonly kind: FailureKind;
}

export class Trouble extends Error {
  constructor(readonly failure: Failure) {
    super(failure.problem);
    this.name = 'Trouble';
  }
}

/** For `catch`: what was thrown, as a failure. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Trouble) return error.failure;
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return {
    kind: 'bug',
    problem: `a bug: ${text.replace(/\s*\n\s*/g, ' | ')}`,
    hint: 'please report this line to the project, with the version that allow-nets --version prints',
  };
}

/** What kept a result from being written. */
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

/** The exit status of a command: 2 for wrong usage, 1 for all else that did not work, 70 for a bug. */
export function commandStatus({ kind }: Failure): 1 | 2 | 70 {
  if (kind === 'option') return 2;
  return kind === 'bug' ? 70 : 1;
}

/** The hint with its command, in one line. */
export function hintLine({ hint, command }: Words): string | null {
  return [hint, command].filter((part) => part != null).join(': ') || null;
}

/** For the mail log: one line. */
export function asLogLine(failure: Failure): string {
  const hint = hintLine(failure);
  return printable(hint === null ? failure.problem : `${failure.problem}; ${hint}`);
}

/** For a terminal. */
export function asErrorLines(failure: Failure): string {
  const hint = hintLine(failure);
  const error = `allow-nets: error: ${printable(failure.problem)}\n`;
  return hint === null ? error : `${error}allow-nets: hint: ${printable(hint)}\n`;
}

/** What asErrorLines wrote, read again: how the service's own program says to `doctor` and `install` what is wrong. */
export function parseErrorLines(text: string): Words | null {
  const [, problem] = /^allow-nets: error: (.*)$/m.exec(text) ?? [];
  const [, hint, command] = /^allow-nets: hint: (.*?)(?:: (.*))?$/m.exec(text) ?? [];
  return problem === undefined ? null : { problem, hint, command };
}

/**
 * Text fit for a terminal and for one line of a log: control characters (C0, C1), line and paragraph separators, and the characters that
 * change the direction of what follows (Unicode, Bidi_Control) are replaced by `?`.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, '?');
}

/** A word that a POSIX shell reads as this text. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

export function unreachable(value: never): never {
  throw new Error(`not handled: ${JSON.stringify(value)}`);
}
