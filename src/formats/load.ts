// An input of rows into the database: read and checked to its end first, while the database is neither locked nor changed, then applied.
import { whoAmI } from '../cli/input';
import { importing } from '../cli/open';
import { Trouble } from '../failure';
import type { ImportOptions, ImportResult } from '../rules/import';
import { type Input, type Read, readRows } from './read';

export type Loaded =
  /** Lines are wrong; nothing was changed. */
  | { readonly kind: 'unreadable'; readonly read: Read }
  | { readonly kind: 'done'; readonly read: Read; readonly result: ImportResult };

export type LoadOptions = Pick<ImportOptions, 'replace' | 'dryRun' | 'force' | 'report'> & {
  /** What is said of an input without a single line. */
  readonly empty: { readonly problem: string; readonly hint: string };
};

/** `checked` is called when the input is good, before the database is locked. Throws Trouble, also when the guard refuses. */
export function load(
  file: string,
  input: Input,
  { empty, ...options }: LoadOptions,
  checked: () => void = () => {},
): Promise<Loaded> {
  return importing(file, async (rows) => {
    const read = await readRows(input, (row) => rows.add(row));
    if (read.problemCount > 0) return { kind: 'unreadable', read };
    if (!options.force) {
      if (read.isEmpty) throw new Trouble({ kind: 'refused', ...empty });
      if (options.replace && !read.isComplete) throw cutOff();
    }
    checked();
    const tables = read.hasSets ? (['network_set', 'access'] as const) : (['access'] as const);
    const result = rows.apply({ ...options, tables, addedBy: whoAmI(), now: Date.now() });
    return { kind: 'done', read, result };
  });
}

/** Half a last line can be a good one that means something else. */
export function cutOff(): Trouble {
  const problem = 'the input is incomplete: its last line does not end with a line break';
  const hint = 'nothing was changed; was it cut off? If it is all there is, add --force';
  return new Trouble({ kind: 'refused', problem, hint });
}
