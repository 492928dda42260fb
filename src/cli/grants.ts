// Counts the users that a database allows, for install to report before it enforces.
import { eachRow, hasRows, isExpired } from '../rules/entries';
import { problemOf } from '../rules/row-fault';
import { withReadTransaction } from './open';

export interface Grants {
  /** The number of users with own entries. */
  readonly users: number;
  /** The wider subjects that have entries: `@example.com`, `*`. */
  readonly wide: readonly string[];
  /** Whether any entry is in force. */
  readonly any: boolean;
}

export function grantsOf(file: string): Grants {
  const now = Date.now();
  return withReadTransaction(file, (connection) => {
    const hasSet = (name: string) => hasRows(connection, 'network_set', name);
    const subjects = new Set<string>();
    let any = false;
    for (const row of eachRow(connection, 'access')) {
      subjects.add(String(row.user));
      any ||= problemOf('access', row, hasSet) === null && !isExpired(row, now);
    }
    const wide = [...subjects].filter((subject) => subject === '*' || subject.startsWith('@')).sort();
    return { users: subjects.size - wide.length, wide, any };
  });
}
