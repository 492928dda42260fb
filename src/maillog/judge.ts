// Decides about the users and addresses of a log with the database as it is, by the function that the policy program decides by.
//
// A log can take minutes to read, and a read transaction of that length would keep everybody from changing the database. So a transaction lasts
// for one batch of lines.
import { decide, type Rules } from '../policy/decide';
import { type Connection, translating } from '../rules/database';
import { rulesOf } from '../rules/lookup';
import type { Answer } from './tally';

export class Judge {
  private readonly rules: Rules;

  /** `file`: for what goes wrong. `now`: ms since 1970, the moment that all is decided for. */
  constructor(
    private readonly connection: Connection,
    private readonly file: string,
    private readonly now: number,
  ) {
    this.rules = rulesOf(connection);
  }

  /** By what the user may send from the address, or why not. */
  ask(user: string, address: string): Answer {
    return translating(this.file, () => {
      if (!this.connection.inTransaction) this.begin();
      const verdict = decide({ user, address }, this.rules, this.now);
      if (verdict.kind === 'allowed') {
        const { subject, entry } = verdict;
        return { subject, network: entry.network, set: entry.set };
      }
      return verdict.kind === 'refused' && verdict.why === 'no-entry' ? 'no-entry' : 'refused';
    });
  }

  /** Lets other programs change the database, until the next question. */
  rest(): void {
    if (this.connection.inTransaction) this.connection.exec('commit');
  }

  private begin(): void {
    this.connection.exec('begin');
  }
}
