// Loads an input into the database. The whole input is read and checked first, while the database is not locked.
import { whoAmI } from '../cli/input';
import { withRowImport } from '../cli/open';
import { hint, printLine } from '../cli/output';
import { printable, refusal } from '../failure';
import type { Change, ImportOptions, ImportResult, ImportRow } from '../rules/import';
import { Lines } from './lines';
import { Report } from './report';

export interface LoadOptions extends Pick<ImportOptions, 'replace' | 'dryRun' | 'force' | 'set' | 'before'> {
  readonly blocks: Iterable<Buffer>;
  /** Whether to print each change. A dry run always does. */
  readonly verbose?: boolean;
}

/** Calls `add` for each row of an input. What is wrong in its lines goes to `report`; then no row is used. */
export type Reader = (lines: Lines, report: Report, add: (row: ImportRow) => void) => void | Promise<void>;

/** `result`: null if lines are wrong; then nothing was changed. */
export interface Loaded {
  readonly report: Report;
  readonly result: ImportResult | null;
}

/** Throws Trouble, also if the guard refuses. */
export function load(file: string, options: LoadOptions, read: Reader): Promise<Loaded> {
  return withRowImport(file, async (rows) => {
    const { blocks, replace, dryRun, force, set, verbose } = options;
    const lines = new Lines(blocks);
    const report = new Report();
    await read(lines, report, (row) => rows.add(row));
    if (report.count > 0) return { report, result: null };
    if (!force && lines.first === '') {
      const hint = 'did the command that printed it fail? If the list really is empty, run this once with --force';
      throw refusal('the input is empty', `nothing was changed; ${hint}`);
    }
    // Half of the last line may be a valid line with another meaning.
    if (replace && !force && !lines.isComplete) {
      const hint = 'nothing was changed; was it cut off? If it is all there is, add --force';
      throw refusal('the input is incomplete: its last line does not end with a line break', hint);
    }
    const covered = { access: set === undefined, network_set: set !== undefined || report.hasSets };
    const tables = (['network_set', 'access'] as const).filter((table) => covered[table]);
    const onChange = dryRun || verbose ? (change: Change) => printChange(change, dryRun) : undefined;
    const result = rows.apply({ ...options, tables, addedBy: whoAmI(), now: Date.now(), report: onChange });
    return { report, result };
  });
}

function printChange({ table, what, name, network }: Change, dryRun: boolean): void {
  const done = { add: 'added', change: 'changed', remove: 'removed' }[what];
  const owner = table === 'network_set' ? `@${name}` : name;
  printLine(printable(`${dryRun ? `would ${what}` : done} ${owner} ${network}`));
}

/** Prints the problems, or what was changed. Returns the exit status. */
export function printLoaded({ report, result }: Loaded, dryRun: boolean): 0 | 1 {
  if (result === null) return report.print();
  if (report.withoutNetworks > 0) hint(`users without allow_nets, left out: ${report.withoutNetworks}`);
  if (report.domain !== null) hint(`${report.domain} is a login name here; the domain is @${report.domain}`);
  if (result.repeated > 0) hint(`rows that mean the same as another one: ${result.repeated}`);
  printCounts(result, dryRun);
  if (result.refusal !== null) hint(`it would be refused without --force: ${result.refusal.message}`);
  return 0;
}

export function printCounts({ added, changed, removed, unchanged }: ImportResult, dryRun: boolean): void {
  printLine(
    dryRun
      ? `would add ${added}, change ${changed}, remove ${removed}; unchanged ${unchanged}`
      : `added ${added}, changed ${changed}, removed ${removed}, unchanged ${unchanged}`,
  );
}
