// What is in the database: whether it is whole, whom its entries let send, and which of them do not do what they seem to.
import { networkInterfaces } from 'node:os';
import { failureOf } from '../failure';
import { shellLine } from '../postfix/run';
import { parseAddress } from '../rules/address';
import { type Connection, checkSchema, openForReading, translating } from '../rules/database';
import { eachRow, hasRows, isExpired, problemOf, type Row, rowsOf } from '../rules/entries';
import { meaningOf } from '../rules/meaning';
import { contains, parseNetwork } from '../rules/network';
import type { Table } from '../rules/schema';
import { foldName } from '../rules/subject';
import { type Finding, fail, fixOf, ok, warn } from './finding';
import { type InstalledService, isDatabaseFile, isTrial } from './installed-service';

export function* rowFindings(service: InstalledService): Iterable<Finding> {
  const { db } = service;
  if (!isDatabaseFile(service)) return;
  let connection: Connection | null = null;
  try {
    connection = openForReading(db);
    const open = connection;
    yield* translating(db, () => {
      checkSchema(open, db);
      return [integrityFinding(open, db), ...contentFindings(open, service)];
    });
  } catch (error) {
    const failure = failureOf(error);
    const { kind, problem } = failure;
    if (kind === 'installation') {
      const advice = 'the check "program" says whether the service has the same fault; its Node.js can run doctor, too';
      yield warn('content', `not looked at: ${problem}`, { advice });
      return;
    }
    yield fail(kind === 'database-broken' ? 'integrity' : 'content', problem, fixOf(failure));
  } finally {
    connection?.close();
  }
}

function integrityFinding(connection: Connection, db: string): Finding {
  const lines = connection.pragma('quick_check(3)', { simple: false }) as { quick_check: string }[];
  const problems = lines.map(({ quick_check }) => quick_check).filter((text) => text !== 'ok');
  if (problems.length === 0) return ok('integrity', 'PRAGMA quick_check finds nothing');
  const command = `sqlite3 ${shellLine([db])} .recover | sqlite3 ${shellLine([`${db}.recovered`])}`;
  const advice = 'put a good copy in its place; without one, save what can be read into a new file';
  return fail('integrity', `${db} is damaged: ${problems.join(' | ')}`, { advice, command });
}

/** Some names, and how many there are. */
class Examples {
  count = 0;
  private readonly names: string[] = [];

  add(name: string): void {
    if (++this.count <= 3) this.names.push(name);
  }

  get text(): string {
    return `${this.names.join(', ')}${this.count > 3 ? `, and ${this.count - 3} more` : ''}`;
  }
}

interface Seen {
  inForce: number;
  expired: number;
  users: number;
  readonly broken: Examples;
  readonly wider: Examples;
  /** The users with an entry that has expired. */
  readonly expiredUsers: Set<string>;
  /** Set -> how many users have it. */
  readonly usersOfSets: Map<string, number>;
}

function lookAtRows(connection: Connection, now: number): Seen {
  const seen: Seen = {
    inForce: 0,
    expired: 0,
    users: 0,
    broken: new Examples(),
    wider: new Examples(),
    expiredUsers: new Set(),
    usersOfSets: new Map(),
  };
  const hasSet = (name: string) => hasRows(connection, 'network_set', name);
  let last: unknown;
  for (const table of ['access', 'network_set'] as const satisfies readonly Table[]) {
    for (const row of eachRow(connection, table)) {
      const problem = problemOf(table, row, hasSet);
      if (table === 'access' && row.user !== last) seen.users++;
      last = row.user;
      if (problem !== null) seen.broken.add(`${row.user} ${row.network}: ${problem}`);
      else if (table === 'access') lookAtEntry(seen, row, now);
      if (parseNetwork(String(row.network).trim())?.hostBits) seen.wider.add(`${row.user} ${row.network}`);
    }
  }
  return seen;
}

function lookAtEntry(seen: Seen, row: Row, now: number): void {
  const user = foldName(String(row.user));
  if (isExpired(row, now)) {
    seen.expired++;
    seen.expiredUsers.add(user);
    return;
  }
  seen.inForce++;
  const meaning = meaningOf('access', row.network);
  if (meaning?.kind === 'set') seen.usersOfSets.set(meaning.name, (seen.usersOfSets.get(meaning.name) ?? 0) + 1);
}

function* contentFindings(connection: Connection, service: InstalledService): Iterable<Finding> {
  const now = Date.now();
  const seen = lookAtRows(connection, now);
  const list = shellLine(['allow-nets', 'list', '--db', service.db]);
  if (seen.inForce > 0) yield ok('entries', `${seen.inForce} in force, of ${seen.users} users`);
  else {
    const advice = `add who may send: allow-nets add USER NETWORK --db ${service.db}`;
    yield (isTrial(service) ? warn : fail)('entries', 'none is in force: every user is refused', { advice });
  }
  if (seen.broken.count === 0) yield ok('rows', 'all can be read');
  else yield warn('rows', `${seen.broken.count} grant nothing (${seen.broken.text})`, { command: list });
  if (seen.wider.count > 0) {
    const message = `${seen.wider.count} have bits behind their prefix, and grant the whole network (${seen.wider.text})`;
    yield warn('host bits', message, { command: list });
  }
  yield expiredFinding(connection, seen, now);
  yield* webmailFindings(connection, seen);
}

/** Removing what has expired would hand such a user to a wider subject: that is not advised. */
function expiredFinding(connection: Connection, seen: Seen, now: number): Finding {
  const over = new Examples();
  for (const user of seen.expiredUsers) {
    if (rowsOf(connection, 'access', user).every((row) => isExpired(row, now))) over.add(user);
  }
  if (over.count === 0) return ok('expired', `${seen.expired} entries, of users who have others`);
  const advice = 'refused until they get a new entry: allow-nets add USER NETWORK';
  return warn('expired', `all entries have expired of ${over.count} users: ${over.text}`, { advice });
}

/** A set that every user has and that holds a machine on which users log in themselves, as a webmail does. */
function* webmailFindings(connection: Connection, seen: Seen): Iterable<Finding> {
  for (const [set, users] of seen.usersOfSets) {
    if (seen.users < 2 || users < seen.users || !(/web/.test(set) || holdsThisHost(connection, set))) continue;
    const message = `every user may send from the set ${set}: if it is a webmail, a stolen password works there from everywhere`;
    const advice =
      'let the webmail name its clients with XCLIENT (smtpd_authorized_xclient_hosts), then take the set from the users';
    yield warn('webmail', message, { advice });
  }
}

function holdsThisHost(connection: Connection, set: string): boolean {
  const own = Object.values(networkInterfaces())
    .flatMap((all) => all ?? [])
    .flatMap(({ address }) => parseAddress(address.replace(/%.*/, '')) ?? []);
  return rowsOf(connection, 'network_set', set).some((row) => {
    const meaning = meaningOf('network_set', row.network);
    return meaning?.kind === 'network' && own.some((address) => contains(meaning.network, address));
  });
}
