// All commands, in the order that --help and the manual show them.
import { add } from './add';
import { check } from './check';
import type { Command } from './command';
import { completionOf } from './completion';
import { doctor } from './doctor';
import { exportRows } from './export';
import { importRows } from './import';
import { init } from './init';
import { install } from './install';
import { learn } from './learn';
import { list } from './list';
import { remove } from './remove';
import { replay } from './replay';
import { setAdd, setList, setRemove } from './sets';
import { sync } from './sync';
import { tidy } from './tidy';
import { uninstall } from './uninstall';

const WORKING: readonly Command[] = [
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
  install,
  uninstall,
  doctor,
  learn,
  replay,
  sync,
];

export const COMMANDS: readonly Command[] = [...WORKING, completionOf(WORKING)];
