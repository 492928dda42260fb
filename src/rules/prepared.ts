// The statements of one connection, each prepared when it is first used: an answer uses few of them.
import type { Connection, Statement } from './database';

export class Prepared<Name extends string> {
  private readonly statements = new Map<Name, Statement>();

  /** `sql`: all statements by their names. Rows come as arrays. */
  constructor(
    private readonly connection: Connection,
    private readonly sql: () => Record<Name, string>,
  ) {}

  get(name: Name): Statement {
    let statement = this.statements.get(name);
    if (statement === undefined) {
      statement = this.connection.prepare(this.sql()[name]).raw();
      this.statements.set(name, statement);
    }
    return statement;
  }
}
