// allow-nets remove: removes entries.

import { type Command, flag } from '../cli/command';
import { printLine } from '../cli/output';
import { removeSelected, rowsNamed } from '../entries/change';
import { refusal, wrongUsage } from '../failure';
import { eachExpired, isExpired, rowsOf } from '../rules/entries';
import { foldName } from '../rules/meaning';

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
  options: { all: flag('all entries of the user'), expired: flag('only entries that have expired') },
  examples: [
    ['allow-nets remove alice@example.com 192.0.2.0/24', 'one network'],
    ['allow-nets remove alice@example.com --all', 'all of alice'],
    ['allow-nets remove --expired', 'all that have expired'],
  ],
  run(args) {
    const user = args.text('user');
    const networks = args.texts('network');
    const all = args.flag('all');
    const expired = args.flag('expired');
    const choices = [networks.length > 0, all, expired].filter(Boolean).length;
    if (choices !== 1 || (user === null && !expired)) {
      const problem = 'remove requires a user with networks or with --all, or --expired';
      throw wrongUsage(problem, 'allow-nets remove USER NETWORK, or allow-nets remove USER --all');
    }
    return removeSelected(
      args.db,
      (connection, now) => {
        if (user === null) return [...eachExpired(connection, now)];
        const name = foldName(user);
        const own = rowsOf(connection, 'access', name);
        if (own.length === 0) throw refusal(`${name} has no entry`, 'allow-nets list shows who has');
        if (expired) return own.filter((row) => isExpired(row, now));
        return all ? own : networks.flatMap((network) => rowsNamed(connection, 'access', name, network, name));
      },
      (rows) => {
        for (const row of rows) printLine(`removed ${row.user} ${row.network}`);
        if (rows.length === 0) printLine('no entry has expired');
      },
    );
  },
};
