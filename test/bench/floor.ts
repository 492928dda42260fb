// What a program in Node that does this job cannot do without: peers/bare.js, which decides nothing.
import { resolve } from 'node:path';

/** Its command line, on a database or, without one, without a query. */
export function bare(database: string | null, ...args: string[]): string[] {
  const asked = database === null ? [] : [resolve('node_modules/better-sqlite3'), database];
  return [process.execPath, resolve('test/bench/peers/bare.js'), ...asked, ...args];
}
