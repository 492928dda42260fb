// Random numbers that can be had again: a failing test prints its seed, SEED=... repeats it.
import type { Pick } from '../rules/spellings';

/** `pick(n)`: 0 to n - 1 (mulberry32). */
export function pickFrom(seed: number): Pick {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * below);
  };
}

export function oneOf<T>(pick: Pick, all: readonly T[]): T {
  return all[pick(all.length)] as T;
}

/** Runs `work` once for each seed; what it throws is told with the seed. */
export function forSeeds(count: number, work: (pick: Pick, seed: number) => void): void {
  const fixed = process.env['SEED'];
  const first = fixed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(fixed);
  for (let i = 0; i < (fixed === undefined ? count : 1); i++) {
    const seed = first + i;
    try {
      work(pickFrom(seed), seed);
    } catch (error) {
      throw new Error(`SEED=${seed}: ${(error as Error).message}`, { cause: error });
    }
  }
}
