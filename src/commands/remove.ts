// allow-nets remove: removes entries.

import type { Command } from '../cli/command';
import { commandText } from '../cli/command-text';
import { parseNetworkArgument } from '../cli/input';
import { withWriteTransaction } from '../cli/open';
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
    'A network may be written in any spelling, or exactly as list shows it. When the last entry of a user is removed, the next wider subject decides; the output says which. An inherit that would be left alone is removed too.',
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
  run(args) {
    const user = args.text('user');
    const networks = args.texts('network');
    const [all, expired] = [args.flag('all'), args.flag('expired')];
    if (user === null && !expired)
      throw usage('remove requires a user', 'allow-nets remove USER NETWORK, or allow-nets remove --expired');
    if (networks.length > 0 && (all || expired))
      throw usage('--all and --expired exclude networks', removeHint('remove', user ?? '', args.db));
    if (networks.length === 0 && !all && !expired) {
      throw usage('remove requires networks', removeHint('remove', user ?? '', args.db));
    }
    const now = Date.now();
    const { rows, changes } = withWriteTransaction(args.db, (connection) => {
      if (user === null) return removeEntries(connection, [...eachExpired(connection, now)], now);
      const name = foldName(user);
      if (!hasRows(connection, 'access', name)) {
        const hint = 'allow-nets list shows who has';
        throw new Trouble({ kind: 'refused', problem: `${name} has no entry`, hint });
      }
      const named = networks.flatMap((network) => rowsNamed(connection, 'access', name, network, name));
      if (named.length > 0) return removeEntries(connection, named, now);
      const own = rowsOf(connection, 'access', name);
      return removeEntries(connection, expired ? own.filter((row) => isExpired(row, now)) : own, now);
    });
    for (const row of rows) printLine(`removed ${row.user} ${row.network}`);
    if (rows.length === 0) printLine('no entry has expired');
    for (const text of changes.slice(0, SHOWN_CHANGES)) hint(text);
    const more = changes.length - SHOWN_CHANGES;
    if (more > 0) hint(`other entries now decide for ${more} more users: allow-nets list USER`);
    if (rows.some(({ local }) => !local)) {
      hintAtSync(args.db, 'brings this back, unless it is taken out of its list too');
    }
    return 0;
  },
};

/** As many as fit on a screen. */
const SHOWN_CHANGES = 30;
const SHOWN_ROWS = 5;

/**
 * The rows of a subject or set with this text, else with this meaning. `owner`: the name of the subject in messages.
 */
export function rowsNamed(connection: Connection, table: Table, name: string, text: string, owner: string): Row[] {
  const exact = rowsOf(connection, table, name).filter(({ network }) => network === text);
  if (exact.length > 0) return exact;
  const found = rowWith(connection, table, name, parseNetworkArgument(text));
  if (found !== null) return [found];
  const there: string[] = [];
  for (const { network } of eachRowOf(connection, table, name)) {
    if (there.push(String(network)) > SHOWN_ROWS) break;
  }
  const listed = `${there.slice(0, SHOWN_ROWS).join(', ')}${there.length > SHOWN_ROWS ? ' and more' : ''}`;
  throw new Trouble({ kind: 'refused', problem: `${owner} has no entry ${text}`, hint: `it has ${listed}` });
}

/** The commands that remove one network or all networks of a user or set. */
export function removeHint(command: 'remove' | 'set remove', name: string, db: string): string {
  const some = commandText(command, [name, 'NETWORK'], db);
  const all = commandText(command, [name], db, ['--all']);
  return `${some ?? `allow-nets ${command} NAME NETWORK`}, or ${all ?? `allow-nets ${command} NAME --all`}`;
}

function usage(problem: string, hint: string): Trouble {
  return new Trouble({ kind: 'option', problem, hint });
}
