// Databases and inputs of many rows, of which the first number of the network tells one state from another.
import * as fs from 'node:fs';
import { writeDatabase } from '../rig/database';

export const userName = (i: number) => `user${i}@example.com`;
export const address = (state: number, i: number) => `${state}.${i >> 16}.${(i >> 8) & 255}.${i & 255}`;

/** Writes a CSV file with a network for each of `count` users. @returns its path */
export function writeInput(path: string, state: number, count: number): string {
  const lines = Array.from({ length: count }, (_, i) => `${userName(i)},${address(state, i)}/32\n`);
  fs.writeFileSync(path, `user,network\n${lines.join('')}`);
  return path;
}

export function writeManyRows(db: string, state: number, count: number): void {
  writeDatabase(
    db,
    [...Array(count)].map((_, i) => ({ name: userName(i), network: `${address(state, i)}/32` })),
  );
}
