// What a test suite needs on the machine: `describe('...', needs('root', 'postfix'), () => { ... })`.
//
// run.mjs reads these calls out of the test files, so the names must be plain string literals; it installs what is missing
// where it can. In trouble: without the programs the suite is skipped with the reason; with CI=true that is an error.
import { missing, programPath } from './packages.mjs';

/**
 * @param names programs of the table in packages.mjs, or `root`
 * @returns options for `describe` or `test`
 * @throws when something is missing and CI=true
 */
export function needs(...names: string[]): { skip: string | false } {
  const lacks = missing(names);
  if (lacks.length === 0) return { skip: false };
  if (process.env['CI'] === 'true') throw new Error(`left out, which CI=true forbids: needs ${lacks.join(', ')}`);
  return { skip: `LEFT OUT: needs ${lacks.join(', ')}` };
}

/**
 * @returns the absolute path of a program that the suite has asked for with `needs`
 * @throws when it is missing
 */
export function program(name: string): string {
  const path = programPath(name);
  if (path === undefined) throw new Error(`${name} is not installed`);
  return path;
}
