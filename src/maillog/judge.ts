// Decides about the users and addresses of a log with the database as it is, by the function that the policy program decides by.
//
// A log can take minutes to read, and a read transaction of that length would keep everybody from changing the database. So a transaction lasts
// for one block of the log.
import { decide, type Rules, type Verdict } from '../policy/decide';
import { type Connection, checkSchema, translating } from '../rules/database';
import { rulesOf } from '../rules/lookup';

/** An entry of the database that allows something. */
export interface Grant {
  readonly subject: string;
  readonly network: string;
  readonly set: string | null;
}

/** By what a user may send from an address, or why the user may not. */
export type Answer = Grant | Extract<Verdict, { kind: 'refused' }>['why'];

export class Judge {
  private readonly rules: Rules;

  /** `file`: for what goes wrong. `now`: ms since 1970, the moment that all is decided for. */
  constructor(
    private readonly connection: Connection,
    private readonly file: string,
    private readonly now: number,
  ) {
    this.rules = translating(file, () => {
      checkSchema(connection, file);
      return rulesOf(connection);
    });
  }

  ask(user: string, address: string): Answer {
    return translating(this.file, () => {
      if (!this.connection.inTransaction) this.connection.exec('begin');
      const verdict = decide({ user, address }, this.rules, this.now);
      if (verdict.kind === 'refused') return verdict.why;
      if (verdict.kind === 'no-user') throw new Error('a log line without a user');
      const { subject, entry } = verdict;
      return { subject, network: entry.network, set: entry.set };
    });
  }

  /** Lets other programs change the database, until the next question. */
  rest(): void {
    if (this.connection.inTransaction) this.connection.exec('commit');
  }
}
