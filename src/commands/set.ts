// allow-nets set: manages named sets of networks, to which entries refer as @NAME.
import { type Command, flag, LOCAL, NOTE } from '../cli/command';
import { parseNetworkArgument, parseSetArgument } from '../cli/input';
import { withReadTransaction, withWriteTransaction } from '../cli/open';
import { printJsonArray, printLine, quantity } from '../cli/output';
import { printTable } from '../cli/table';
import { entryWriter, requireSet, rowsNamed } from '../entries/change';
import { printRows } from '../entries/table';
import { printable, refusal, wrongUsage } from '../failure';
import type { Connection } from '../rules/database';
import { deleteRows, eachRowOf, hasRows, rowsOf, usersOfSet } from '../rules/entries';
import { meaningText } from '../rules/meaning';

export const setAdd: Command = {
  line: 'set add <name> <network..>',
  summary: 'add networks to a named set',
  about: ['An entry @NAME allows the networks that the set holds at that moment.'],
  positionals: { name: 'name of the set, with or without @', network: 'CIDR, address or any' },
  options: { note: NOTE, local: LOCAL },
  examples: [['allow-nets set add office 203.0.113.0/24 2001:db8:1::/48', 'then: allow-nets add alice @office']],
  run(args) {
    const name = parseSetArgument(args.text('name') ?? '');
    const networks = args.texts('network').map((text) => parseNetworkArgument(text, 'network_set'));
    const lines = withWriteTransaction(args.db, (connection) => {
      const writeNetwork = entryWriter(connection, 'network_set', Date.now());
      const wanted = { note: args.text('note'), expires: null, local: args.flag('local') };
      return networks.map((meaning) => {
        const isNew = writeNetwork(name, meaning, wanted) !== null;
        return `@${name} ${isNew ? 'now holds' : 'already holds'} ${meaningText(meaning)}`;
      });
    });
    for (const line of lines) printLine(line);
    return 0;
  },
};

export const setRemove: Command = {
  line: 'set remove <name> [network..]',
  summary: 'remove networks from a set, or the whole set',
  positionals: { name: 'name of the set', network: 'CIDR, address, any, or the text of a row' },
  options: {
    all: flag('the whole set'),
    force: flag('even if entries name the set, which then grant nothing'),
  },
  examples: [
    ['allow-nets set remove office 203.0.113.0/24', 'one network of it'],
    ['allow-nets set remove office --all', 'the whole set'],
  ],
  run(args) {
    const name = parseSetArgument(args.text('name') ?? '');
    const networks = args.texts('network');
    const all = args.flag('all');
    if (all === networks.length > 0) {
      const hint = 'allow-nets set remove NAME NETWORK, or allow-nets set remove NAME --all';
      throw wrongUsage('set remove requires either networks or --all', hint);
    }
    const removed = withWriteTransaction(args.db, (connection) => {
      requireSet(connection, name);
      const chosen = all
        ? rowsOf(connection, 'network_set', name)
        : networks.flatMap((text) => rowsNamed(connection, 'network_set', name, text, `@${name}`));
      deleteRows(connection, 'network_set', chosen);
      if (!args.flag('force') && !hasRows(connection, 'network_set', name)) refuseInUse(connection, name);
      return chosen;
    });
    if (all) printLine(`removed @${name} and its ${removed.length === 1 ? 'network' : `${removed.length} networks`}`);
    else for (const row of removed) printLine(`removed @${name} ${row.network}`);
    return 0;
  },
};

/** Throws Trouble if entries name the set. */
function refuseInUse(connection: Connection, name: string): void {
  const users = usersOfSet(connection, name, 10);
  if (users.length === 0) return;
  const problem = `the set ${name} is in use by ${users.join(', ')}${users.length === 10 ? ' and maybe more' : ''}`;
  const hint = `remove @${name} from them first, or add --force: their entries @${name} then grant nothing`;
  throw refusal(problem, hint);
}

export const setList: Command = {
  line: 'set list [name]',
  summary: 'show the sets, or the networks of one',
  positionals: { name: 'only this set' },
  options: { json: flag('as a JSON array') },
  examples: [
    ['allow-nets set list', 'each set, how many networks it has, and from what it was last loaded'],
    ['allow-nets set list office', 'the networks of a set'],
  ],
  run(args) {
    const typed = args.text('name');
    return withReadTransaction(args.db, (connection) => {
      if (typed === null) return printSummaries(connection, args.flag('json'));
      const name = parseSetArgument(typed);
      requireSet(connection, name);
      const rows = eachRowOf(connection, 'network_set', name);
      return printRows(connection, 'network_set', rows, args.flag('json'));
    });
  },
};

/** Prints each set: how many networks it has, and when it was last loaded and from what, or null. */
function printSummaries(connection: Connection, json: boolean): 0 {
  const sql = `select name as "set", count(*) as networks, loaded_at, source
    from network_set left join set_source using (name) group by name order by name`;
  const all = connection.prepare(sql).all() as Record<string, string>[];
  if (json) {
    printJsonArray(all);
    return 0;
  }
  const lines = all.map(({ set, networks, loaded_at, source }) => {
    const loaded = source === null ? '-' : `${loaded_at} from ${source}`;
    return { cells: [`@${set}`, quantity(Number(networks), 'network'), loaded].map(printable) };
  });
  printTable(null, lines);
  return 0;
}
