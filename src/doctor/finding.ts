// The result of a check of doctor, with the fix.
import type { Fix } from '../failure';

export interface Finding {
  /** The name of the check: a word or two, the same in every run. */
  readonly check: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly message: string;
  /** What to do or to know, in words; null if the command says it all. */
  readonly advice: string | null;
  /** A command for root's shell, with the reload that it needs; null if no command is the fix. */
  readonly remedy: string | null;
  /** The next steps, or other ways to fix it. */
  readonly more?: readonly Pick<Finding, 'advice' | 'remedy'>[];
}

export type Findings = Iterable<Finding> | AsyncIterable<Finding>;

export const ok = (check: string, message: string): Finding => finding('ok', check, message, {});

export const warn = (check: string, message: string, fix: Fix): Finding => finding('warn', check, message, fix);

export const fail = (check: string, message: string, fix: Fix): Finding => finding('fail', check, message, fix);

function finding(status: Finding['status'], check: string, message: string, { more = [], ...first }: Fix): Finding {
  const others = more.map(stepOf);
  return { check, status, message, ...stepOf(first), ...(others.length > 0 ? { more: others } : {}) };
}

const stepOf = ({ hint, command }: Fix) => ({ advice: hint ?? null, remedy: command ?? null });
