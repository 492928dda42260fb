// Adds and removes entries, for add, block, unblock and remove, and says what that means for the users.

import type { Arguments } from '../cli/command';
import { commandText, withCommand } from '../cli/command-text';
import { parseNetworkArgument, parseSubjectArgument, whoAmI } from '../cli/input';
import { withWriteTransaction } from '../cli/open';
import { hintAll, printLine, someOf } from '../cli/output';
import { expiryOf, untilText } from '../cli/time';
import { refusal, wrongUsage } from '../failure';
import type { Connection } from '../rules/database';
import { hasHostBits, hasRows, namesFrom, type Row, rowsOf, rowWith, rowWriter } from '../rules/entries';
import { EVERYBODY, formatInstant, keptExpiry, type Meaning, meaningOf, meaningText } from '../rules/meaning';
import type { Table } from '../rules/schema';
import { hintAtSync } from '../sync/status';
import { type Deciders, decidersOf, inheritWider, removeEntries } from './inherit';
import { nameHints, requireUserName } from './names';

interface EntryValues {
  /** Null keeps the present note; an empty one removes it. */
  readonly note: string | null;
  /** Null keeps the present time, unless it has passed. Of a block it removes it. */
  readonly expires: string | null;
  readonly local: boolean;
}

/** Returns a function that adds an entry or changes the one of the same meaning; it returns null if nothing changed. */
export function entryWriter(connection: Connection, table: Table, now: number) {
  const write = rowWriter(connection, table);
  const origin = { addedBy: whoAmI(), addedAt: formatInstant(now) };
  return (user: string, meaning: Meaning, wanted: EntryValues): Pick<EntryValues, 'expires' | 'local'> | null => {
    const present = rowWith(connection, table, user, meaning);
    const note = wanted.note === '' ? null : (wanted.note ?? present?.note ?? null);
    const expires = wanted.expires ?? (meaning.kind === 'none' ? null : keptExpiry(present?.expires, now));
    const local = wanted.local || present?.local === true;
    if (present?.note === note && present.expires === expires && present.local === local) return null;
    write({ user, meaning, note, expires, local, ...origin });
    return { expires, local };
  };
}

/** Adds entries of the user in `args`. The command is `block` if `texts`, their networks, are only `none`. */
export function addEntries(args: Arguments, texts: readonly string[]): 0 {
  const { db } = args;
  const now = Date.now();
  const user = parseSubjectArgument(args.text('user') ?? '');
  const networks = texts.map((text) => parseNetworkArgument(text));
  const only = args.flag('only');
  const force = args.flag('force');
  const local = args.flag('local');
  const wanted = { note: args.text('note'), expires: expiryOf(args.text('until'), args.text('for'), now), local };
  const has = (kind: Meaning['kind']) => networks.some((network) => network.kind === kind);
  const isBlock = networks.every(({ kind }) => kind === 'none');
  const sameCommandFor = (name: string) =>
    isBlock ? commandText('block', [name], db) : commandText('add', [name, ...networks.map(meaningText)], db);
  if (user === EVERYBODY && has('inherit')) {
    throw wrongUsage('nothing is wider than *, so it cannot inherit', "allow-nets add '*' NETWORK");
  }
  if (user === EVERYBODY && has('none') && !force) {
    const problem = '* is everybody: all users without entries of their own would be refused';
    throw refusal(problem, 'to block them all the same', commandText('block', [EVERYBODY], db, ['--force']));
  }
  const { written, wider, hints } = withWriteTransaction(db, (connection) => {
    requireUserName(connection, user, force);
    for (const network of networks) {
      if (network.kind !== 'set') continue;
      requireSet(connection, network.name, commandText('set add', [network.name, 'NETWORK'], db));
    }
    const before = decidersOf(connection, user, now);
    // An expired block is still an entry of the user's own: without `inherit`, wider entries would not apply again.
    const keepsWider = !only && !has('inherit') && (!isBlock || wanted.expires !== null);
    const origin = { addedAt: formatInstant(now), addedBy: whoAmI(), local };
    const wider = keepsWider ? inheritWider(connection, user, origin) : [];
    const writeEntry = entryWriter(connection, 'access', now);
    const written = networks.map((network) => writeEntry(user, network, wanted));
    const hints = [
      ...(only ? inheritHints(user, decidersOf(connection, user, now), db) : []),
      ...(has('none') ? [] : blockHints(user, before, db)),
      ...nameHints(connection, user, isBlock, sameCommandFor),
    ];
    return { written, wider: wider.join(' or '), hints };
  });
  networks.forEach((network, i) => {
    const row = written[i] ?? null;
    printLine(`${grantText(user, network, row === null)}${untilText(row?.expires ?? null)}`);
  });
  if (wider !== '' && isBlock) printLine(`when the block has ended, ${wider} decides for ${user} again`);
  else if (wider !== '') printLine(`${user} also keeps what ${wider} allows`);
  hintAll(hints);
  if (written.some((row) => row !== null && !row.local)) {
    hintAtSync(db, 'takes this away again, unless its list has it too or it is added with --local');
  }
  return 0;
}

/** Hints at a block that was in force before the entries were written. */
function blockHints(user: string, { subjects, state }: Deciders, db: string): string[] {
  const blocked = state === 'blocked' ? subjects.at(-1) : undefined;
  if (blocked === undefined) return [];
  const text =
    blocked === user
      ? `${user} is blocked, and still refused from everywhere`
      : `${blocked} is blocked, but ${user} may now send mail from there; to block ${user} too`;
  return [withCommand(text, commandText(blocked === user ? 'unblock' : 'block', [user], db))];
}

/** Hints at wider subjects that still decide for the user, although --only was given. */
function inheritHints(user: string, { subjects: [, ...inherited] }: Deciders, db: string): string[] {
  if (inherited.length === 0) return [];
  const text = `${user} still inherits what ${inherited.join(' or ')} allows; to end that`;
  return [withCommand(text, commandText('remove', [user, 'inherit'], db))];
}

/** `isPresent`: whether the entry was there before. */
function grantText(user: string, meaning: Meaning, isPresent: boolean): string {
  const when = isPresent ? 'already' : 'now';
  if (meaning.kind === 'none') return `${user} is ${when} blocked`;
  if (meaning.kind === 'inherit') return `${user} ${when} inherits what the next wider entries allow`;
  return `${user} may ${when} send mail from ${meaningText(meaning)}`;
}

/** Throws Trouble if there is no such set. `command`: makes it. */
export function requireSet(connection: Connection, name: string, command: string | null = null): void {
  if (hasRows(connection, 'network_set', name)) return;
  const known = someOf(namesFrom(connection, 'network_set'));
  const hint = known === '' ? 'there are no sets yet' : `the sets are ${known}`;
  throw refusal(`there is no set ${name}`, command === null ? hint : `${hint}; to make it`, command);
}

/** Removes the selected entries, and says who decides now for users for whom that has changed. */
export function removeSelected(
  db: string,
  select: (connection: Connection, now: number) => readonly Row[],
  print: (removed: readonly Row[]) => void,
): 0 {
  const now = Date.now();
  const { rows, changes } = withWriteTransaction(db, (connection) =>
    removeEntries(connection, select(connection, now), now),
  );
  print(rows);
  hintAll(changes);
  if (rows.some(({ local }) => !local)) hintAtSync(db, 'brings this back, unless it is taken out of its list too');
  return 0;
}

/** An error names at most this many rows. */
const MOST_ROWS = 5;

/**
 * The rows of a subject or set that grant a network, in whatever spelling. `text`: the network; for a row that cannot
 * be read, or grants more than it seems to, the text that list shows. `owner`: the name in messages.
 */
export function rowsNamed(connection: Connection, table: Table, name: string, text: string, owner: string): Row[] {
  const rows = rowsOf(connection, table, name);
  const exact = rows.filter(({ network }) => network === text);
  if (exact.length > 0 && (meaningOf(table, text) === null || exact.some(hasHostBits))) return exact;
  const wanted = meaningText(parseNetworkArgument(text));
  const found = rows.filter(({ network }) => {
    const meaning = meaningOf(table, network);
    return meaning !== null && meaningText(meaning) === wanted;
  });
  if (found.length > 0) return found;
  const present = rows.slice(0, MOST_ROWS).map(({ network }) => String(network));
  throw refusal(
    `${owner} has no entry ${text}`,
    `it has ${present.join(', ')}${rows.length > MOST_ROWS ? ' and more' : ''}`,
  );
}
