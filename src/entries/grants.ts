// Counts the users that a database allows, for install to report before it enforces.

import { withReadTransaction } from '../cli/open';
import { eachRow, hasRows, isExpired, namesFrom } from '../rules/entries';
import { problemOf } from './row-fault';

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
    const subjects = [...namesFrom(connection, 'access')];
    const wide = subjects.filter((subject) => subject === '*' || subject.startsWith('@'));
    const hasSet = (name: string) => hasRows(connection, 'network_set', name);
    let any = false;
    for (const row of eachRow(connection, 'access')) {
      any = problemOf('access', row, hasSet) === null && !isExpired(row, now);
      if (any) break;
    }
    return { users: subjects.length - wide.length, wide, any };
  });
}
