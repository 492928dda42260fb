// What a check of the doctor has found.
import type { Words } from '../failure';

type Status = 'ok' | 'warn' | 'fail';

export interface Finding {
  /** What was looked at: a word or two, the same in every run. */
  readonly check: string;
  readonly status: Status;
  readonly message: string;
  /** What to do or to know, in words; null when the command says it all. */
  readonly advice: string | null;
  /** What can be pasted into root's shell as it is, with the reload that it needs; null when no command does it. */
  readonly remedy: string | null;
}

export type Findings = Iterable<Finding> | AsyncIterable<Finding>;

/** How something is put right: a command that can be pasted, advice in words, or both. */
export interface Fix {
  readonly command?: string | null;
  readonly advice?: string | null;
}

export const ok = (check: string, message: string): Finding => finding('ok', check, message, {});

export const warn = (check: string, message: string, fix: Fix): Finding => finding('warn', check, message, fix);

export const fail = (check: string, message: string, fix: Fix): Finding => finding('fail', check, message, fix);

function finding(status: Status, check: string, message: string, { advice, command }: Fix): Finding {
  return { check, status, message, advice: advice ?? null, remedy: command ?? null };
}

/** How the words of a failure say that it is put right. */
export const fixOf = ({ hint, command }: Words): Fix => ({ advice: hint ?? null, command: command ?? null });
