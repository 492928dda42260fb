// What was found in an input besides its rows: problems in its lines, and facts about it.
import type { Refusal } from '../cli/input';
import { hint, printError, quantity } from '../cli/output';
import { printable } from '../failure';

export class Report {
  /** The number of problems, and the first 20 of them. */
  count = 0;
  readonly problems: (Refusal & { readonly line: number })[] = [];
  /** Whether the input covers sets: it has a column for them, or a row. */
  hasSets = false;
  /** The number of users without a list of networks, who were skipped. */
  withoutNetworks = 0;

  /** A name of a user that looks like a domain without its `@`. */
  domain: string | null = null;

  add(line: number, { problem, hint }: Refusal): void {
    this.count++;
    if (this.problems.length < 20) this.problems.push({ line, problem, hint });
  }

  /** Prints the problems as errors and hints. */
  print(): 1 {
    this.problems.forEach(({ line, problem, hint: likely }, i) => {
      printError(`allow-nets: error: line ${line}: ${printable(problem)}\n`);
      // Print a repeated hint only once, after the last of its lines.
      if (this.problems[i + 1]?.hint !== likely) hint(likely);
    });
    const first = this.count > this.problems.length ? `, of which these are the first ${this.problems.length}` : '';
    const lines = quantity(this.count, 'line is wrong', 'lines are wrong');
    printError(`allow-nets: error: ${lines}${first}: nothing was changed\n`);
    return 1;
  }
}
