// When `sync --every` runs: at once, then at the interval from start to start, until it is told to end.
import { LONGEST_TIMER } from './source';

/**
 * Calls `once` until `stop`. A run that takes longer than the interval makes the next one wait for its turn.
 * @param every seconds
 * @param shift the part (0 to 1) of the interval by which the second run and all after it are moved forward, so that many
 *   servers that were started together do not ask together for ever
 */
export async function repeating(
  every: number,
  shift: number,
  stop: AbortSignal,
  once: () => Promise<void>,
): Promise<void> {
  const start = performance.now();
  while (!stop.aborted) {
    await once();
    await pause(nextRun(start, performance.now(), every * 1000, shift) - performance.now(), stop);
  }
}

/** The first of the moments `start + (n - shift) * every` after `now`; all in ms. */
export function nextRun(start: number, now: number, every: number, shift: number): number {
  const first = start - shift * every;
  return first + (Math.floor((now - first) / every) + 1) * every;
}

function pause(milliseconds: number, stop: AbortSignal): Promise<void> {
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

/**
 * A signal that is aborted when the program is told to end. Nothing that is being done without waiting (a transaction) is cut:
 * the signal comes after it.
 */
export function stopping(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(name, () => controller.abort());
  }
  return controller.signal;
}
