// What a check of the doctor found, and how it is put right.
import type { Words } from '../failure';

export interface Finding {
  /** What was looked at: a word or two, the same in every run. */
  readonly check: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly message: string;
  /** What to do or to know, in words; null when the command says it all. */
  readonly advice: string | null;
  /** What can be pasted into root's shell as it is, with the reload that it needs; null when no command does it. */
  readonly remedy: string | null;
}

export type Findings = Iterable<Finding> | AsyncIterable<Finding>;

/** How something is put right: a command that can be pasted, a hint in words, or both. */
export type Fix = Partial<Pick<Words, 'hint' | 'command'>>;

export const ok = (check: string, message: string): Finding => finding('ok', check, message, {});

export const warn = (check: string, message: string, fix: Fix): Finding => finding('warn', check, message, fix);

export const fail = (check: string, message: string, fix: Fix): Finding => finding('fail', check, message, fix);

function finding(status: Finding['status'], check: string, message: string, { hint, command }: Fix): Finding {
  return { check, status, message, advice: hint ?? null, remedy: command ?? null };
}
