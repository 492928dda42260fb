// Prints the state of `sync` for list --status, checks it for doctor, and warns that the next sync may undo a change.
import * as path from 'node:path';
import { hint, printLine } from '../cli/output';
import { printTable } from '../cli/table';
import { printable, refusal, shellLine } from '../failure';
import { ageText, isOld, readState, secondsSince } from './state';

export function printStatus(database: string, json: boolean): 0 {
  const state = readState(database);
  if (state === null) {
    const root = process.geteuid?.() === 0 ? '' : ', or you may not see it: run the command as root';
    const problem = `${database} was never synced${root}`;
    throw refusal(problem, 'allow-nets sync -- COMMAND, see allow-nets sync --help');
  }
  const age = secondsSince(state.last_success, Date.now());
  if (json) {
    printLine(JSON.stringify({ ...state, age }));
    return 0;
  }
  const { source, every, last_success, ...others } = state;
  const facts = {
    source: shellLine(source),
    runs: every === null ? 'when it is started' : `every ${ageText(every)}`,
    last_success: age === null ? 'never' : `${last_success}, ${ageText(age)} ago`,
    ...others,
  };
  const cells = ([key, value]: [string, unknown]) => [key.replace('_', ' '), printable(`${value ?? 'none'}`)];
  const lines = Object.entries(facts).map((fact) => ({ cells: cells(fact) }));
  printTable(null, lines);
  return 0;
}

/** The check of `doctor`; null if the database was never synced. */
export function syncCheck(database: string, now: number): { text: string; isOld: boolean } | null {
  const state = readState(database);
  if (state === null) return null;
  const age = secondsSince(state.last_success, now);
  const success = age === null ? ' has never worked' : `: last success ${ageText(age)} ago`;
  const error = state.last_error === null ? '' : `; last error: ${state.last_error}`;
  return { text: `sync from ${state.source[0]}${success}${error}`, isOld: isOld(state, now) };
}

/** If the database was ever synced, hints at what the next sync will do. `words`: the end of the sentence. */
export function hintAtSync(database: string, words: string): void {
  const state = readState(database);
  if (state === null) return;
  hint(`the next sync from ${printable(path.basename(state.source[0] ?? ''))} ${words}`);
}
