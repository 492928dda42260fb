// The names in a database that a command line can be completed with. In trouble of any kind there are none.

import type { Connection } from '../../rules/database';
import { checkSchema, openForReading } from '../../rules/database';
import { eachRowOf, namesFrom } from '../../rules/entries';
import type { Table } from '../../rules/schema';
import { foldName } from '../../rules/subject';
import type { Names } from './candidates';

/** More are of no use to a person. */
const MOST = 200;

export function namesOf(file: string): Names {
  const asking =
    <A extends string[]>(ask: (connection: Connection, ...given: A) => Iterable<string>) =>
    (...given: A): string[] => {
      try {
        const connection = openForReading(file);
        try {
          checkSchema(connection, file);
          return first(ask(connection, ...given));
        } finally {
          connection.close();
        }
      } catch {
        return [];
      }
    };
  return {
    users: asking((connection, prefix: string) => namesFrom(connection, 'access', foldName(prefix))),
    sets: asking((connection, prefix: string) => namesFrom(connection, 'network_set', foldName(prefix))),
    networksOf: asking((connection, user: string, prefix: string) =>
      networks(connection, 'access', foldName(user), prefix),
    ),
    networksOfSet: asking((connection, set: string, prefix: string) =>
      networks(connection, 'network_set', foldName(set.replace(/^@/, '')), prefix),
    ),
  };
}

function* networks(connection: Connection, table: Table, name: string, prefix: string): Iterable<string> {
  for (const { network } of eachRowOf(connection, table, name)) {
    if (typeof network === 'string' && network.startsWith(prefix)) yield network;
  }
}

/** A name that cannot be typed, since it holds a control character, is none. */
function first(names: Iterable<string>): string[] {
  const found: string[] = [];
  for (const name of names) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what must not be printed
    if (!/[\x00-\x1f\x7f-\x9f]/.test(name)) found.push(name);
    if (found.length === MOST) break;
  }
  return found;
}
