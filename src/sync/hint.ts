// What a change by hand comes to on a database that `sync` makes equal to a list elsewhere.
import * as path from 'node:path';
import { hint } from '../cli/output';
import { printable } from '../failure';
import { readState } from './state';

/** Hints at the next sync, when the database was ever synced. `words`: what that will do, after its name. */
export function hintAtSync(database: string, words: string): void {
  const state = readState(database);
  if (state === null) return;
  const source = state === 'forbidden' ? '' : ` from ${printable(path.basename(state.source[0] ?? ''))}`;
  hint(`the next sync${source} ${words}`);
}
