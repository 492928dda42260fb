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

const once = new WeakMap<Connection, Map<string, Statement>>();

/** The statement of that text, which its connection keeps: for questions asked again and again. Its rows must be taken at once. */
export function preparedOnce(connection: Connection, sql: string): Statement {
  let statements = once.get(connection);
  if (statements === undefined) {
    statements = new Map();
    once.set(connection, statements);
  }
  let statement = statements.get(sql);
  if (statement === undefined) {
    statement = connection.prepare(sql);
    statements.set(sql, statement);
  }
  return statement;
}
