// Prints the state of `sync` for list --status, checks it for doctor, and warns that the next sync may undo a change.
import * as path from 'node:path';
import { hint, printLine } from '../cli/output';
import { printTable, type TableLine } from '../cli/table';
import { momentText } from '../cli/time';
import { printable, shellWord, Trouble } from '../failure';
import { parseInstant } from '../rules/expiry';
import { ageOf, ageText, isOld, readState, type SyncState } from './state';

export function printStatus(database: string, json: boolean): 0 {
  const now = Date.now();
  const state = readState(database);
  if (state === null) {
    const root = process.geteuid?.() === 0 ? '' : ', or you may not see it: run the command as root';
    const problem = `${database} was never synced${root}`;
    throw new Trouble({ kind: 'refused', problem, hint: 'allow-nets sync -- COMMAND, see allow-nets sync --help' });
  }
  if (json) printLine(JSON.stringify({ ...state, age: ageOf(state, now) }));
  else printTable(null, lines(state, now));
  return 0;
}

function lines(state: SyncState, now: number): TableLine[] {
  const { source, every, rows, last_attempt, last_success, last_change, last_error, failing_since } = state;
  const age = ageOf(state, now);
  const success = age === null ? 'never' : `${timeText(last_success)}, ${ageText(age)} ago`;
  const error = last_error === null ? 'none' : `${timeText(last_attempt)}: ${printable(last_error)}`;
  return [
    { cells: ['source', printable(source.map(shellWord).join(' '))] },
    { cells: ['runs', every === null ? 'when it is started' : `every ${ageText(every)}`] },
    { cells: ['last success', success], colour: isOld(state, now) ? 'red' : null },
    { cells: ['last change', timeText(last_change)] },
    { cells: ['rows', rows === null ? 'not known' : String(rows)] },
    { cells: ['last error', error], colour: last_error === null ? null : 'red' },
    ...(failing_since === null ? [] : [{ cells: ['failing since', timeText(failing_since)] }]),
  ];
}

/** Formats a time for people; an invalid one is printed unchanged. */
function timeText(time: string | null): string {
  const moment = parseInstant(time ?? '');
  return moment === null ? printable(time ?? 'never') : momentText(moment);
}

export interface SyncCheck {
  readonly level: 'ok' | 'warn';
  readonly text: string;
  readonly remedy: string | null;
}

/** The check of `doctor`; null if the database was never synced. */
export function syncCheck(database: string, now: number): SyncCheck | null {
  const state = readState(database);
  if (state === null) return null;
  const age = ageOf(state, now);
  const success = age === null ? ' has never worked' : `: last success ${ageText(age)} ago`;
  const text = `sync from ${state.source[0]}${success}${state.last_error === null ? '' : `; last error: ${state.last_error}`}`;
  if (!isOld(state, now)) return { level: 'ok', text, remedy: null };
  const remedy = 'allow-nets list --status shows the command: run it by hand; see that sync --every is running';
  return { level: 'warn', text, remedy };
}

/** If the database was ever synced, hints at what the next sync will do. `words`: the end of the sentence. */
export function hintAtSync(database: string, words: string): void {
  const state = readState(database);
  if (state === null) return;
  hint(`the next sync from ${printable(path.basename(state.source[0] ?? ''))} ${words}`);
}
