// The result of a check of doctor, with the fix.
import type { Fix } from '../failure';

export interface Finding {
  /** The name of the check: a word or two, the same in every run. */
  readonly check: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly message: string;
  readonly fix: Fix;
}

export type Findings = Iterable<Finding> | AsyncIterable<Finding>;

export const ok = (check: string, message: string): Finding => ({ check, status: 'ok', message, fix: {} });

export const warn = (check: string, message: string, fix: Fix): Finding => ({ check, status: 'warn', message, fix });

export const fail = (check: string, message: string, fix: Fix): Finding => ({ check, status: 'fail', message, fix });

/** A finding as `doctor --json` prints it. `remedy`: a command for root's shell, with the reload that it needs. */
export function asJson({ check, status, message, fix: { more = [], ...first } }: Finding) {
  const step = ({ hint, command }: Fix) => ({ advice: hint ?? null, remedy: command ?? null });
  return { check, status, message, ...step(first), ...(more.length > 0 ? { more: more.map(step) } : {}) };
}
