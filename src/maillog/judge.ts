// Decides about the users and addresses of a log with the database as it is, by the function that the policy program decides by.
//
// A log can take minutes to read, and a read transaction of that length would keep everybody from changing the database. So a transaction lasts
// for one batch of lines. What is remembered of a database is forgotten when another program has changed it.
import { type Asked, decide, type Rules } from '../policy/decide';
import { type Connection, type Statement, translating } from '../rules/database';
import { rulesOf } from '../rules/lookup';
import type { Answer } from './tally';

export class Judge {
  private readonly rules: ReturnType<typeof rulesOf>;
  private readonly anyEntry: Statement;
  private readonly dataVersion: Statement;
  /** Whether a subject has an entry. */
  private readonly known = new Map<string, boolean>();
  private version: unknown = null;
  private isEmpty = false;

  /** `file`: for what goes wrong. `now`: ms since 1970, the moment that all is decided for. */
  constructor(
    private readonly connection: Connection,
    private readonly file: string,
    private readonly now: number,
  ) {
    this.rules = rulesOf(connection);
    this.anyEntry = connection.prepare('select 1 from access limit 1');
    this.dataVersion = connection.prepare('pragma data_version').pluck();
  }

  /** By what the user may send from the address, or why not. */
  ask(user: string, address: string): Answer {
    return translating(this.file, () => {
      if (!this.connection.inTransaction) this.begin();
      const asked: Asked = { user, wellFormed: true, address };
      const verdict = decide(asked, () => this.remembering, this.now);
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
    this.isEmpty = this.anyEntry.get() === undefined;
    const version = this.dataVersion.get();
    if (version === this.version) return;
    this.version = version;
    this.rules.forget();
    this.known.clear();
  }

  private readonly remembering: Rules = {
    covering: (subject, address) =>
      this.remembering.has(subject) ? this.rules.covering(subject, address) : [],
    has: (subject) => {
      if (this.isEmpty) return false;
      let has = this.known.get(subject);
      if (has === undefined) {
        has = this.rules.has(subject);
        this.known.set(subject, has);
      }
      return has;
    },
  };
}
