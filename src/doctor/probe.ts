// The doctor's question to the running program: about a user who is allowed by the database, so that the answer shows which database is in use
// and the mail log does not get a refusal that nobody met.

import { decide } from '../policy/decide';
import { PROBE } from '../postfix/live-service';
import { type Connection, checkSchema, openForReading, translating } from '../rules/database';
import { eachRow, rowsOf } from '../rules/entries';
import { rulesOf } from '../rules/lookup';
import { meaningOf, meaningText } from '../rules/meaning';

export interface Probe {
  readonly user: string;
  readonly address: string;
}

/** How many entries are tried: the first that can be read and is in force will do. */
const TRIES = 1000;

/**
 * A user whom the database lets send from the address. Without one a client that has not logged in, who is nobody's business; null when the database cannot
 * be read here.
 */
export function probeOf(db: string): Probe | null {
  try {
    return translating(db, () => {
      const connection = openForReading(db);
      try {
        checkSchema(connection, db);
        return allowedIn(connection) ?? { user: '', address: PROBE.address };
      } finally {
        connection.close();
      }
    });
  } catch {
    return null;
  }
}

function allowedIn(connection: Connection): Probe | null {
  const rules = rulesOf(connection);
  let tries = 0;
  for (const { user: name, network } of eachRow(connection, 'access')) {
    if (++tries > TRIES) return null;
    const address = firstAddress(connection, network);
    const user = userOf(name);
    if (address === null || user === null) continue;
    const asked = { user, address };
    if (decide(asked, rules, Date.now()).kind === 'allowed') return { user, address };
  }
  return null;
}

/** A user of whom the subject is one. What cannot stand in a line of the protocol is not asked. */
function userOf(subject: unknown): string | null {
  if (typeof subject !== 'string' || /\p{Cc}/u.test(subject)) return null;
  if (subject === '*') return PROBE.user;
  return subject.startsWith('@') ? `doctor${subject}` : subject;
}

function firstAddress(connection: Connection, network: unknown): string | null {
  const meaning = meaningOf('access', network);
  switch (meaning?.kind) {
    case 'any':
      return PROBE.address;
    case 'inherit':
    case 'none':
      return null;
    case 'network':
      return meaningText(meaning).replace(/\/.*/, '');
    case 'set': {
      const [first] = rowsOf(connection, 'network_set', meaning.name);
      const inside = first === undefined ? null : meaningOf('network_set', first.network);
      return inside?.kind === 'network' ? meaningText(inside).replace(/\/.*/, '') : null;
    }
    case undefined:
      return null;
  }
}
