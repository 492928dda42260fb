// All commands, in the order that --help and the manual show them.

import { type Command, firstWord } from './cli/command';
import { runCommandLine } from './cli/run';
import { add } from './commands/add';
import { block } from './commands/block';
import { check } from './commands/check';
import { completion } from './commands/completion';
import { doctor } from './commands/doctor';
import { exportRows } from './commands/export';
import { importRows } from './commands/import';
import { init } from './commands/init';
import { install } from './commands/install';
import { learn } from './commands/learn';
import { list } from './commands/list';
import { refused } from './commands/refused';
import { remove } from './commands/remove';
import { replay } from './commands/replay';
import { setAdd, setList, setRemove } from './commands/set';
import { setLoad } from './commands/set-load';
import { sync } from './commands/sync';
import { tidy } from './commands/tidy';
import { unblock } from './commands/unblock';
import { uninstall } from './commands/uninstall';

export const COMMANDS: readonly Command[] = [
  init,
  add,
  block,
  unblock,
  remove,
  list,
  check,
  setAdd,
  setRemove,
  setLoad,
  setList,
  tidy,
  importRows,
  exportRows,
  install,
  uninstall,
  doctor,
  learn,
  replay,
  refused,
  sync,
  completion,
];

export function isCommand(word: string): boolean {
  return COMMANDS.some((command) => firstWord(command) === word);
}

/** Runs the command and sets the exit status. `words`: the command line after the program's name. */
export function runCommand(words: readonly string[]): Promise<void> {
  return runCommandLine(words, COMMANDS);
}
