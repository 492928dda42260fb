// Databases and inputs of many rows, of which the first number of the network tells one state from another.
import * as fs from 'node:fs';
import { query, writeDatabase } from '../rig/database';

export const userName = (i: number) => `user${i}@example.com`;
export const address = (state: number, i: number) => `${state}.${i >> 16}.${(i >> 8) & 255}.${i & 255}`;

function* lines(state: number, count: number): Iterable<string> {
  yield 'user,network\n';
  for (let i = 0; i < count; i++) yield `${userName(i)},${address(state, i)}/32\n`;
}

/** Writes a CSV file with a network for each of `count` users. @returns its path */
export function writeInput(path: string, state: number, count: number): string {
  const file = fs.openSync(path, 'w');
  let text = '';
  for (const line of lines(state, count)) {
    text += line;
    if (text.length < 65_536) continue;
    fs.writeSync(file, text);
    text = '';
  }
  fs.writeSync(file, text);
  fs.closeSync(file);
  return path;
}

export function writeManyRows(db: string, state: number, count: number): void {
  writeDatabase(
    db,
    [...Array(count)].map((_, i) => ({ name: userName(i), network: `${address(state, i)}/32` })),
  );
}

/** How many entries there are of each state, and whether SQLite finds the file in order. */
export function counts(db: string): { readonly sound: boolean; readonly of: Readonly<Record<string, number>> } {
  const sql = "select substr(network, 1, instr(network, '.') - 1) as state, count(*) as count from access group by 1";
  const rows = query(db, sql) as { state: string; count: number }[];
  const sound = query(db, 'pragma integrity_check')[0] === 'ok';
  return { sound, of: Object.fromEntries(rows.map(({ state, count }) => [state, count])) };
}
