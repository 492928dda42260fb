// allow-nets list --status: where the rows come from, when that last worked, and what went wrong since.

import { coloured, columns, printLine } from '../cli/output';
import { momentText } from '../cli/time';
import { printable, shellWord, Trouble } from '../failure';
import { parseInstant } from '../rules/expiry';
import { ageOf, ageText, limitOf, readState, type SyncState, stateFile } from './state';

export function printStatus(database: string, json: boolean): 0 {
  const now = Date.now();
  const state = readState(database);
  if (state === 'forbidden') {
    const problem = `no permission to read ${stateFile(database)}`;
    throw new Trouble({ kind: 'refused', problem, hint: 'run the command as root' });
  }
  if (state === null) {
    const problem = `${database} was never synced`;
    throw new Trouble({
      kind: 'refused',
      problem,
      hint: 'allow-nets sync -- COMMAND, see allow-nets sync --help',
    });
  }
  if (json) printLine(JSON.stringify(asJson(state, now)));
  else for (const [name, text] of lines(state, now)) printLine(columns([name, text], [13]));
  return 0;
}

function lines(state: SyncState, now: number): [string, string][] {
  const { every, rows, error, failing } = state;
  const age = ageOf(state, now);
  const old = age === null || age > limitOf(state);
  const success = age === null ? 'never' : `${told(state.succeeded)}, ${ageText(age)} ago`;
  const trouble = error === null ? 'none' : `${told(state.attempted)}: ${printable(error)}`;
  return [
    ['source', printable(state.source.map(shellWord).join(' '))],
    ['runs', every === null ? 'when it is started' : `every ${ageText(every)}`],
    ['last success', old ? coloured(success, 'red') : success],
    ['last change', state.changed === null ? 'never' : told(state.changed)],
    ['rows', rows === null ? 'not known' : String(rows)],
    ['last error', error === null ? trouble : coloured(trouble, 'red')],
    ...(failing === null ? [] : ([['failing since', told(failing)]] as [string, string][])),
  ];
}

/** A moment as it is told to people; what is damaged, as it is. */
function told(instant: string | null): string {
  const moment = parseInstant(instant ?? '');
  return moment === null ? printable(String(instant)) : momentText(moment);
}

function asJson(state: SyncState, now: number) {
  const { source, every, attempted, succeeded, changed, rows, error, failing } = state;
  return {
    source,
    every,
    last_attempt: attempted,
    last_success: succeeded,
    age: ageOf(state, now),
    last_change: changed,
    rows,
    last_error: error,
    failing_since: failing,
  };
}
