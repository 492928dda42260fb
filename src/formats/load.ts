// An input into the database: read and checked to its end first, while the database is neither locked nor changed, then brought in.

import { whoAmI } from '../cli/input';
import { bringIn, type Manner, type Outcome } from '../rules/bring-in';
import { type Connection, openForWriting, translating } from '../rules/database';
import { Staging } from '../rules/staging';
import { type Input, type Read, readRows } from './read';

export type Loaded =
  /** Lines are wrong; nothing was changed. */
  | { readonly kind: 'unreadable'; readonly read: Read }
  | { readonly kind: 'done'; readonly read: Read; readonly outcome: Outcome };

export type Loading = Pick<Manner, 'replace' | 'dryRun' | 'force'>;

/**
 * `checked` is called when the input has ended and is good, before the database is locked, and may throw; `seen` with the difference
 * found, before it is made. Throws Trouble, also when the guard of a replacement refuses.
 */
export function load(
  file: string,
  input: Input,
  loading: Loading,
  checked: (read: Read) => void = () => {},
  seen: (connection: Connection, outcome: Outcome) => void = () => {},
): Loaded {
  return translating(file, () => {
    const connection = openForWriting(file);
    try {
      const staging = new Staging(connection, input.compare === true);
      const read = readRows(input, staging);
      if (read.problemCount > 0) return { kind: 'unreadable', read };
      checked(read);
      const { hasSets } = read;
      const manner = { ...loading, hasSets, addedBy: whoAmI(), now: Date.now() };
      return {
        kind: 'done',
        read,
        outcome: bringIn(connection, staging, manner, (found) => seen(connection, found)),
      };
    } finally {
      connection.close();
    }
  });
}
