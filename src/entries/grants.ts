// Counts the users that a database allows, for install to report before it enforces.

import { withReadTransaction } from '../cli/open';
import { namesFrom } from '../rules/entries';
import { grantsAnything } from './inherit';

export interface Grants {
  /** The number of users with own entries. */
  readonly users: number;
  /** The wider subjects that have entries: `@example.com`, `*`. */
  readonly wide: readonly string[];
  /** Whether any entry in force grants a network. */
  readonly any: boolean;
}

export function grantsOf(file: string): Grants {
  const now = Date.now();
  return withReadTransaction(file, (connection) => {
    const subjects = [...namesFrom(connection, 'access')];
    const wide = subjects.filter((subject) => subject === '*' || subject.startsWith('@'));
    const any = subjects.some((subject) => grantsAnything(connection, subject, now));
    return { users: subjects.length - wide.length, wide, any };
  });
}
