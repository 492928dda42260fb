// allow-nets remove: take entries away.

import type { Command } from '../cli/command';
import { isRefusal, readNetwork } from '../cli/input';
import { changing } from '../cli/open';
import { hint, printLine } from '../cli/output';
import { Trouble } from '../failure';
import type { Connection } from '../rules/database';
import { eachExpired, eachRowOf, hasRows, isExpired, type Row, rowsOf, rowWith } from '../rules/entries';
import { removeEntries } from '../rules/inherit';
import type { Table } from '../rules/schema';
import { foldName } from '../rules/subject';
import { hintAtSync } from '../sync/status';

export const remove: Command = {
  line: 'remove [user] [network..]',
  summary: 'remove entries',
  about: [
    'A network is named by its meaning or exactly as list shows it. When the last entry of a user goes, the next wider subject decides about that user; the answer says which. An inherit with nothing beside it goes too.',
  ],
  positionals: {
    user: 'SASL user name, @domain or *',
    network: 'CIDR, address, @SET, any, inherit, none, or the text of a row',
  },
  options: {
    all: { type: 'boolean', describe: 'all entries of the user' },
    expired: { type: 'boolean', describe: 'only entries that have expired' },
  },
  examples: [
    ['allow-nets remove alice@example.com 192.0.2.0/24', 'one network'],
    ['allow-nets remove alice@example.com --all', 'all of alice'],
    ['allow-nets remove --expired', 'all that have expired'],
  ],
  run(given) {
    const typed = given.text('user');
    const networks = given.texts('network');
    const expired = given.flag('expired');
    const user = typed === null ? null : foldName(typed);
    if (user === null && !expired)
      throw usage('remove requires a user', 'allow-nets remove USER NETWORK, or remove --expired');
    if (user !== null && networks.length === 0 && !given.flag('all') && !expired) {
      throw usage('remove requires networks', `allow-nets remove ${typed} NETWORK, or remove ${typed} --all`);
    }
    if (networks.length > 0 && (given.flag('all') || expired)) {
      throw usage('--all and --expired exclude networks', `allow-nets remove ${typed} NETWORK`);
    }
    const now = Date.now();
    const { rows, changes } = changing(given.db, (connection) =>
      removeEntries(connection, chosen(connection, user, networks, expired, now), now),
    );
    for (const row of rows) printLine(`removed ${row.user} ${row.network}`);
    if (rows.length === 0) printLine('no entry has expired');
    for (const text of changes.slice(0, SHOWN_CHANGES)) hint(text);
    if (changes.length > SHOWN_CHANGES) {
      hint(`others decide now about ${changes.length - SHOWN_CHANGES} more users: allow-nets list USER`);
    }
    if (rows.some(({ local }) => !local)) {
      hintAtSync(given.db, 'brings this back, unless it is taken out of its list too');
    }
    return 0;
  },
};

/** More are more than a screen. */
const SHOWN_CHANGES = 30;

function chosen(connection: Connection, user: string | null, networks: string[], expired: boolean, now: number): Row[] {
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

const SHOWN_ROWS = 5;

/** The rows of a subject or set that a person named by their text or their meaning. `owner`: what it is called. */
export function rowsNamed(connection: Connection, table: Table, name: string, text: string, owner: string): Row[] {
  const exact = rowsOf(connection, table, name).filter(({ network }) => network === text);
  if (exact.length > 0) return exact;
  const read = readNetwork(text);
  const found = isRefusal(read) ? null : rowWith(connection, table, name, read);
  if (found !== null) return [found];
  if (isRefusal(read)) throw new Trouble({ kind: 'option', ...read });
  const there: string[] = [];
  for (const row of eachRowOf(connection, table, name)) {
    if (there.length > SHOWN_ROWS) break;
    there.push(String(row.network));
  }
  const more = there.length > SHOWN_ROWS ? ' and more' : '';
  throw new Trouble({
    kind: 'refused',
    problem: `${owner} has no entry ${text}`,
    hint: there.length === 0 ? 'it has none at all' : `it has ${there.slice(0, SHOWN_ROWS).join(', ')}${more}`,
  });
}

function usage(problem: string, correct: string): Trouble {
  return new Trouble({ kind: 'option', problem, hint: correct });
}
