// The doctor's questions to the running program: about a user who is allowed by the database, so that the answer shows which database is in use, and
// about one who is refused, so that a program that allows everybody is found.
import { decide } from '../policy/decide';
import { PROBE } from '../postfix/live-service';
import { type Connection, checkSchema, openForReading, translating } from '../rules/database';
import { eachRow, rowsOf } from '../rules/entries';
import { rulesOf } from '../rules/lookup';
import { meaningOf, meaningText } from '../rules/meaning';

export interface Probe {
  readonly user: string;
  readonly address: string;
  /** What the database says; null when it cannot be read here. */
  readonly expected: 'dunno' | 'reject' | null;
}

/** How many entries are tried: the first that can be read and is in force will do. */
const TRIES = 1000;

export function probesOf(db: string): Probe[] {
  try {
    return translating(db, () => {
      const connection = openForReading(db);
      try {
        checkSchema(connection, db);
        const stranger = judged(connection, PROBE.user, PROBE.address);
        return [...allowedIn(connection), stranger];
      } finally {
        connection.close();
      }
    });
  } catch {
    return [{ ...PROBE, expected: null }];
  }
}

function judged(connection: Connection, user: string, address: string): Probe {
  const verdict = decide({ user, address }, rulesOf(connection), Date.now());
  return { user, address, expected: verdict.kind === 'allowed' ? 'dunno' : 'reject' };
}

/** One user whom the database lets send from the address, where there is one. */
function allowedIn(connection: Connection): Probe[] {
  let tries = 0;
  for (const { user: name, network } of eachRow(connection, 'access')) {
    if (++tries > TRIES) return [];
    const address = firstAddress(connection, network);
    const user = userOf(name);
    if (address === null || user === null) continue;
    const probe = judged(connection, user, address);
    if (probe.expected === 'dunno') return [probe];
  }
  return [];
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
    case 'network':
      return meaningText(meaning).replace(/\/.*/, '');
    case 'set': {
      const [first] = rowsOf(connection, 'network_set', meaning.name);
      const inside = first === undefined ? null : meaningOf('network_set', first.network);
      return inside?.kind === 'network' ? meaningText(inside).replace(/\/.*/, '') : null;
    }
    default:
      return null;
  }
}
