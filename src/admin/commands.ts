// All commands, in the order that --help and the manual show them.
import { add } from './add';
import { check } from './check';
import type { Command } from './command';
import { exportRows } from './export';
import { importRows } from './import';
import { init } from './init';
import { list } from './list';
import { remove } from './remove';
import { setAdd, setList, setRemove } from './sets';
import { tidy } from './tidy';

export const COMMANDS: readonly Command[] = [
  init,
  add,
  remove,
  list,
  check,
  setAdd,
  setRemove,
  setList,
  tidy,
  importRows,
  exportRows,
];
