// allow-nets set: networks with a name, for entries to refer to as @NAME.
import { Trouble } from '../failure';
import type { Connection } from '../rules/database';
import { deleteRow, eachRow, meaningText, nameColumn, type Row, rowsOf } from '../rules/entries';
import { foldName } from '../rules/subject';
import { putter } from './add';
import type { Arguments, Command } from './command';
import { nearest, networkTyped, setTyped } from './input';
import { printRows } from './list';
import { changing, reading } from './open';
import { printLine, visible } from './output';
import { rowsNamed } from './remove';

/** The names of all sets, folded. */
export function* setNames(connection: Connection): Iterable<string> {
  const names = connection.prepare(`select distinct ${nameColumn('network_set')} from network_set`).pluck();
  for (const name of names.iterate()) if (typeof name === 'string') yield foldName(name);
}

export const setAdd: Command = {
  line: 'set add <name> <network..>',
  summary: 'put networks into a named set',
  about: ['Every entry @NAME counts for the networks that the set holds at that moment.'],
  positionals: { name: 'name of the set, with or without @', network: 'CIDR, address or any' },
  options: {
    note: { type: 'string', requiresArg: true, describe: 'why, for whoever asks later' },
    local: { type: 'boolean', describe: 'only on this server: sync leaves it alone' },
  },
  examples: [
    ['allow-nets set add office 203.0.113.0/24 2001:db8:1::/48', 'then: allow-nets add alice @office'],
  ],
  run(given) {
    const name = setTyped(given.text('name') ?? '');
    const networks = given.texts('network').map(networkTyped);
    const nested = networks.find(({ kind }) => kind === 'set');
    if (nested) {
      throw new Trouble({
        kind: 'option',
        problem: `a set cannot hold ${meaningText(nested)}`,
        hint: 'give its networks',
      });
    }
    const changed = changing(given.db, (connection) => {
      const put = putter(connection, 'network_set', Date.now());
      const wanted = { note: given.text('note'), expires: null, local: given.flag('local') };
      return networks.map((meaning) => put(name, meaning, wanted) !== null);
    });
    networks.forEach((meaning, i) => {
      printLine(
        `@${name} ${changed[i] ? 'now holds' : 'holds'} ${meaningText(meaning)}${changed[i] ? '' : ' already'}`,
      );
    });
    return 0;
  },
};

export const setRemove: Command = {
  line: 'set remove <name> [network..]',
  summary: 'take networks out of a set, or the set away',
  positionals: { name: 'name of the set', network: 'CIDR, address, any, or the text of a row' },
  options: {
    all: { type: 'boolean', describe: 'the whole set' },
    force: { type: 'boolean', describe: 'also when entries still refer to it, which then grant nothing' },
  },
  examples: [
    ['allow-nets set remove office 203.0.113.0/24', 'one network of it'],
    ['allow-nets set remove office --all', 'the whole set'],
  ],
  run: removeFromSet,
};

function removeFromSet(given: Arguments): number {
  const name = setTyped(given.text('name') ?? '');
  const networks = given.texts('network');
  if (given.flag('all') === networks.length > 0) {
    throw new Trouble({
      kind: 'option',
      problem: networks.length > 0 ? '--all goes without networks' : 'set remove wants networks',
      hint: `allow-nets set remove ${name} NETWORK, or set remove ${name} --all`,
    });
  }
  const gone = changing(given.db, (connection) => {
    const rows = rowsOf(connection, 'network_set', name);
    if (rows.length === 0) throw noSet(connection, name);
    const chosen =
      networks.length === 0
        ? rows
        : networks.flatMap((text) => rowsNamed('network_set', rows, text, `@${name}`));
    const users = new Set(chosen).size === rows.length ? usersOf(connection, name) : [];
    if (users.length > 0 && !given.flag('force')) {
      const named = users.slice(0, 10).map(visible).join(', ');
      const more = users.length > 10 ? ` and ${users.length - 10} more` : '';
      throw new Trouble({
        kind: 'refused',
        problem: `the set ${name} is in use by ${named}${more}`,
        hint: `remove @${name} from them first, or add --force: their entries @${name} then grant nothing`,
      });
    }
    for (const row of chosen) deleteRow(connection, 'network_set', row);
    return chosen;
  });
  for (const row of gone) printLine(`removed ${visible(`@${name} ${row.network}`)}`);
  return 0;
}

/** The subjects that have an entry @name. */
function usersOf(connection: Connection, name: string): string[] {
  const keyed = connection.prepare('select user from access where key is not null and network = ?').pluck();
  const byHand = connection.prepare(
    "select user, network from access where key is null and network like '%@%'",
  );
  const refers = (network: unknown) => typeof network === 'string' && foldName(network.trim()) === `@${name}`;
  return [
    ...(keyed.all(`@${name}`) as string[]),
    ...(byHand.all() as Row[]).filter((row) => refers(row.network)).map((row) => String(row.user)),
  ];
}

function noSet(connection: Connection, name: string): Trouble {
  const meant = nearest(name, setNames(connection));
  const hint = meant === null ? 'allow-nets set list shows the sets' : `did you mean ${meant}`;
  return new Trouble({ kind: 'refused', problem: `there is no set ${name}`, hint });
}

export const setList: Command = {
  line: 'set list [name]',
  summary: 'show the sets and their networks',
  positionals: { name: 'only this set' },
  options: { json: { type: 'boolean', describe: 'as a JSON array' } },
  examples: [['allow-nets set list', 'all sets']],
  run(given) {
    const typed = given.text('name');
    return reading(given.db, (connection) => {
      if (typed === null)
        return printRows(
          connection,
          'network_set',
          () => eachRow(connection, 'network_set'),
          given.flag('json'),
        );
      const name = setTyped(typed);
      const rows = rowsOf(connection, 'network_set', name);
      if (rows.length === 0) throw noSet(connection, name);
      return printRows(connection, 'network_set', () => rows, given.flag('json'));
    });
  },
};
