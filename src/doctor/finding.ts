// The result of a check of doctor, with the fix.
import type { Words } from '../failure';

export interface Finding {
  /** The name of the check: a word or two, the same in every run. */
  readonly check: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly message: string;
  /** What to do or to know, in words; null if the command says it all. */
  readonly advice: string | null;
  /** A command for root's shell, with the reload that it needs; null if no command is the fix. */
  readonly remedy: string | null;
}

export type Findings = Iterable<Finding> | AsyncIterable<Finding>;

/** The fix: a command to paste, a hint in words, or both. */
export type Fix = Partial<Pick<Words, 'hint' | 'command'>>;

export const ok = (check: string, message: string): Finding => finding('ok', check, message, {});

export const warn = (check: string, message: string, fix: Fix): Finding => finding('warn', check, message, fix);

export const fail = (check: string, message: string, fix: Fix): Finding => finding('fail', check, message, fix);

function finding(status: Finding['status'], check: string, message: string, { hint, command }: Fix): Finding {
  return { check, status, message, advice: hint ?? null, remedy: command ?? null };
}
