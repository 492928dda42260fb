// What a check of the doctor has found.

export type Status = 'ok' | 'warn' | 'fail';

export interface Finding {
  /** What was looked at: a word or two, the same in every run. */
  readonly check: string;
  readonly status: Status;
  readonly message: string;
  /** The command, or what else to do. */
  readonly remedy: string | null;
}

export const ok = (check: string, message: string): Finding => ({
  check,
  status: 'ok',
  message,
  remedy: null,
});

export const warn = (check: string, message: string, remedy: string | null): Finding => ({
  check,
  status: 'warn',
  message,
  remedy,
});

export const fail = (check: string, message: string, remedy: string | null): Finding => ({
  check,
  status: 'fail',
  message,
  remedy,
});
