// Random choices from fast-check. A failure names the seed: SEED=... repeats the run.
import fc from 'fast-check';

/** `pick(n)` is a whole number from 0 to n - 1. */
export type Pick = (below: number) => number;

/** A stream costs 0.4 us a number; `fc.gen()`, which could shrink a failure, costs 10 us. */
export const picks: fc.Arbitrary<Pick> = fc
  .infiniteStream(fc.maxSafeNat(), { noHistory: true })
  .map((numbers) => (below) => (numbers.next().value as number) % below);

/** The same choices in every run, each as likely as the others. */
export function seededPick(seed: number): Pick {
  return fc.sample(picks, { seed, numRuns: 1, unbiased: true })[0] as Pick;
}

export function oneOf<T>(pick: Pick, all: readonly T[]): T {
  return all[pick(all.length)] as T;
}

/** The options of `fc.assert` for this many runs. */
export function runs(numRuns: number): fc.Parameters<unknown> {
  const seed = process.env['SEED'];
  return { numRuns, endOnFailure: true, ...(seed === undefined ? {} : { seed: Number(seed) }) };
}

/** Runs `work` this many times, each time with other choices. */
export function forRandom(numRuns: number, work: (pick: Pick) => void): void {
  fc.assert(fc.property(picks, work), runs(numRuns));
}
