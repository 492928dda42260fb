// What was found in an input besides its rows: problems in its lines, and facts about it.
import { hint, printError, quantity } from '../cli/output';
import { printable, Trouble } from '../failure';

/** A longer list of problems is cut off here. */
const MOST_PROBLEMS = 20;

export class Report {
  /** The number of problems, and the first of them. */
  count = 0;
  readonly problems: { readonly line: number; readonly problem: string; readonly hint: string }[] = [];
  /** Whether the input covers sets: it has a column for them, or a row. */
  hasSets = false;
  /** The number of users without a list of networks, who were skipped. */
  withoutNetworks = 0;
  /** A name of a user that looks like a domain without its `@`. */
  domain: string | null = null;

  /** Calls `read`. If it throws wrongUsage, the line is wrong: that is added, and the result is null. */
  attempt<T>(line: number, read: () => T): T | null {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof Trouble) || error.failure.kind !== 'option') throw error;
      this.add(line, error.message, error.failure.hint ?? '');
      return null;
    }
  }

  add(line: number, problem: string, hint: string): void {
    this.count++;
    if (this.problems.length < MOST_PROBLEMS) this.problems.push({ line, problem, hint });
  }

  /** Prints the problems as errors and hints. */
  print(): 1 {
    this.problems.forEach(({ line, problem, hint: likely }, i) => {
      printError(`allow-nets: error: line ${line}: ${printable(problem)}\n`);
      // Print a repeated hint only once, after the last of its lines.
      if (this.problems[i + 1]?.hint !== likely) hint(likely);
    });
    const first = this.count > MOST_PROBLEMS ? `, of which these are the first ${MOST_PROBLEMS}` : '';
    const lines = quantity(this.count, 'line is wrong', 'lines are wrong');
    printError(`allow-nets: error: ${lines}${first}: nothing was changed\n`);
    return 1;
  }
}
