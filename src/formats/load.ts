// Loads an input of rows into the database. The whole input is read and checked first, while the database is not
// locked.
import { whoAmI } from '../cli/input';
import { withRowImport } from '../cli/open';
import { printLine } from '../cli/output';
import { printable, Trouble } from '../failure';
import type { Change, ImportOptions, ImportResult } from '../rules/import';
import { type Input, type ReadResult, readRows } from './read';

export interface LoadOptions extends Pick<ImportOptions, 'replace' | 'dryRun' | 'force'> {
  /** Whether to print each change. A dry run always does. */
  readonly verbose?: boolean;
  /** The error for an input without any line. */
  readonly empty: { readonly problem: string; readonly hint: string };
  /** Called after the input was read without problems, before the database is locked. */
  readonly onRead?: () => void;
}

/** `result`: null if lines are wrong; then nothing was changed. Throws Trouble, also if the guard refuses. */
export function load(
  file: string,
  input: Input,
  { empty, verbose, onRead, ...options }: LoadOptions,
): Promise<{ readonly read: ReadResult; readonly result: ImportResult | null }> {
  return withRowImport(file, async (rows) => {
    const read = await readRows(input, (row) => rows.add(row));
    if (read.problems.count > 0) return { read, result: null };
    if (!options.force && read.isEmpty) throw new Trouble({ kind: 'refused', ...empty });
    if (!options.force && options.replace && !read.isComplete) throw cutOff();
    onRead?.();
    const tables = read.hasSets ? (['network_set', 'access'] as const) : (['access'] as const);
    const report = changePrinter(options.dryRun, verbose);
    const result = rows.apply({ ...options, tables, addedBy: whoAmI(), now: Date.now(), report });
    return { read, result };
  });
}

/** The Trouble for a truncated input. Half of the last line may be a valid line with another meaning. */
export function cutOff(): Trouble {
  const problem = 'the input is incomplete: its last line does not end with a line break';
  const hint = 'nothing was changed; was it cut off? If it is all there is, add --force';
  return new Trouble({ kind: 'refused', problem, hint });
}

/** Returns a function that prints a change that was, or would be, made; undefined if changes are not printed. */
export function changePrinter(dryRun: boolean, verbose = false): ((change: Change) => void) | undefined {
  if (!dryRun && !verbose) return undefined;
  return ({ table, what, name, network }) => {
    const owner = table === 'network_set' ? `@${name}` : name;
    const done = { add: 'added', change: 'changed', remove: 'removed' }[what];
    printLine(printable(`${dryRun ? `would ${what}` : done} ${owner} ${network}`));
  };
}

export function countsText({ added, changed, removed, unchanged }: ImportResult, dryRun: boolean): string {
  return dryRun
    ? `would add ${added}, change ${changed}, remove ${removed}; unchanged ${unchanged}`
    : `added ${added}, changed ${changed}, removed ${removed}, unchanged ${unchanged}`;
}
