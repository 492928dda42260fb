// The program under test as it is shipped, or the build that --program names, to compare two builds.
import { accessSync, constants } from 'node:fs';
import { resolve } from 'node:path';

let file = 'bin/allow-nets.js';

export function chooseProgram(path: string): void {
  file = path;
  accessSync(resolve(file), constants.R_OK);
}

/** The command line of the program, run as by `node bin/allow-nets.js` with absolute paths. */
export function allowNets(...args: string[]): string[] {
  return [process.execPath, resolve(file), ...args];
}

/** The policy program on a database. */
export function policy(database: string, ...args: string[]): string[] {
  return allowNets('--db', database, ...args);
}
