// allow-nets remove: take entries away.

import type { Command } from '../cli/command';
import { isRefusal, readNetwork } from '../cli/input';
import { changing } from '../cli/open';
import { hint, printLine, visible } from '../cli/output';
import { Trouble } from '../failure';
import type { Connection } from '../rules/database';
import {
  deleteRows,
  eachExpired,
  eachRowOf,
  hasRows,
  isExpired,
  type Row,
  rowsOf,
  rowsWithText,
  rowWith,
} from '../rules/entries';
import type { Table } from '../rules/schema';
import { EVERYBODY, foldName, subjectsOf } from '../rules/subject';
import { hintAtSync } from '../sync/hint';

export const remove: Command = {
  line: 'remove [user] [network..]',
  summary: 'take entries away',
  about: [
    'A network is named by its meaning or exactly as list shows it. When the last entry of a user goes, the next wider subject decides about that user; the answer says which.',
  ],
  positionals: {
    user: 'SASL user name, @domain or *',
    network: 'CIDR, address, @SET, any, or the text of a row',
  },
  options: {
    all: { type: 'boolean', describe: 'all entries of the user' },
    expired: { type: 'boolean', describe: 'only entries that have expired' },
  },
  examples: [
    ['allow-nets remove alice@example.com 192.0.2.0/24', 'one network'],
    ['allow-nets remove alice@example.com --all', 'all that alice has'],
    ['allow-nets remove --expired', 'all that is over'],
  ],
  run(given) {
    const typed = given.text('user');
    const networks = given.texts('network');
    const expired = given.flag('expired');
    const user = typed === null ? null : foldName(typed);
    if (user === null && !expired)
      throw usage('remove wants a user', 'allow-nets remove USER NETWORK, or remove --expired');
    if (user !== null && networks.length === 0 && !given.flag('all') && !expired) {
      throw usage('remove wants networks', `allow-nets remove ${typed} NETWORK, or remove ${typed} --all`);
    }
    if (networks.length > 0 && (given.flag('all') || expired)) {
      throw usage('--all and --expired go without networks', `allow-nets remove ${typed} NETWORK`);
    }
    const gone = changing(given.db, (connection) => {
      const rows = chosen(connection, user, networks, expired);
      deleteRows(connection, 'access', rows);
      return { rows, decides: user === null ? user : decidingSubject(connection, user) };
    });
    for (const row of gone.rows) printLine(`removed ${visible(`${row.user} ${row.network}`)}`);
    if (gone.rows.length === 0) printLine('no entry has expired');
    if (gone.rows.some(({ local }) => !local)) {
      hintAtSync(given.db, 'brings this back, unless it is taken out of its list too');
    }
    if (user !== null && gone.decides === null)
      hint(`${user} has no entry left, and no wider one: it is refused from everywhere`);
    else if (gone.decides !== user) {
      hint(`${user} has no entry left: the entries of ${gone.decides} decide now`);
    }
    return 0;
  },
};

function chosen(connection: Connection, user: string | null, networks: string[], expired: boolean): Row[] {
  const now = Date.now();
  if (user === null) return [...eachExpired(connection, now)];
  if (!hasRows(connection, 'access', user)) {
    throw new Trouble({
      kind: 'refused',
      problem: `${user} has no entry`,
      hint: 'allow-nets list shows who has',
    });
  }
  if (networks.length > 0) {
    return networks.flatMap((network) => rowsNamed(connection, 'access', user, network, user));
  }
  const rows = rowsOf(connection, 'access', user);
  return expired ? rows.filter((row) => isExpired(row, now)) : rows;
}

const TOLD_ROWS = 5;

/** The rows of a subject or set that a person named by their text or their meaning. `owner`: what it is called. */
export function rowsNamed(
  connection: Connection,
  table: Table,
  name: string,
  text: string,
  owner: string,
): Row[] {
  const exact = rowsWithText(connection, table, name, text);
  if (exact.length > 0) return exact;
  const read = readNetwork(text);
  const found = isRefusal(read) ? null : rowWith(connection, table, name, read);
  if (found !== null) return [found];
  if (isRefusal(read)) throw new Trouble({ kind: 'option', ...read });
  const there: string[] = [];
  for (const row of eachRowOf(connection, table, name)) {
    if (there.length > TOLD_ROWS) break;
    there.push(visible(String(row.network)));
  }
  const more = there.length > TOLD_ROWS ? ' and more' : '';
  throw new Trouble({
    kind: 'refused',
    problem: `${owner} has no entry ${text}`,
    hint: there.length === 0 ? 'it has none at all' : `it has ${there.slice(0, TOLD_ROWS).join(', ')}${more}`,
  });
}

/** The subject that decides about a user, or about what a domain's users have in common; null when there is none. */
export function decidingSubject(connection: Connection, user: string): string | null {
  const subjects = user.startsWith('@') ? [user, EVERYBODY] : subjectsOf(user);
  return subjects.find((subject) => hasRows(connection, 'access', subject)) ?? null;
}

function usage(problem: string, correct: string): Trouble {
  return new Trouble({ kind: 'option', problem, hint: correct });
}
