// What ends a run of `sync`: a signal to the program, or its time. Both hold for the command and for the reading of its output; a
// transaction that has begun is finished.
import { Trouble } from '../failure';

/** What setTimeout takes (ms), 24 days. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** The program was told to end. */
export class Stopped extends Trouble {
  constructor() {
    super({ kind: 'refused', problem: 'sync was ended by a signal', hint: 'nothing was changed' });
  }
}

/** The limits of one run. */
export interface Limits {
  /** Rejected with Trouble when a limit is reached. */
  readonly reached: Promise<never>;
  /** Throws Trouble when a limit has been reached. */
  check(): void;
  /** To be called at the end of the run. */
  clear(): void;
}

/** `seconds`: from now on. `name`: of the command. */
export function limitsOf(seconds: number, name: string, stop: AbortSignal): Limits {
  let trouble: Trouble | null = null;
  let reject = (_: Trouble) => {};
  const reached = new Promise<never>((_, no) => {
    reject = no;
  });
  // Nobody may be waiting.
  reached.catch(() => {});
  const reach = (reason: Trouble) => {
    trouble ??= reason;
    reject(trouble);
  };
  const late = () => {
    const hint = `nothing was changed; if it needs longer: --timeout ${2 * seconds}s`;
    reach(
      new Trouble({
        kind: 'refused',
        problem: `${name} had not ended after ${seconds} s and was killed`,
        hint,
      }),
    );
  };
  const stopped = () => reach(new Stopped());
  const timer = setTimeout(late, Math.min(seconds * 1000, LONGEST_TIMER));
  stop.addEventListener('abort', stopped);
  if (stop.aborted) stopped();
  return {
    reached,
    check() {
      if (trouble !== null) throw trouble;
    },
    clear() {
      clearTimeout(timer);
      stop.removeEventListener('abort', stopped);
    },
  };
}

/** Aborted when the program is told to end. */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(name, () => controller.abort());
  return controller.signal;
}

export function pause(milliseconds: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      stop.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, Math.min(milliseconds, LONGEST_TIMER));
    stop.addEventListener('abort', done);
    if (stop.aborted) done();
  });
}
