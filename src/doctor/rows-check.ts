// Checks the rows of the database: whether they are intact, whom they allow, and which do something else than they seem to.
import { networkInterfaces } from 'node:os';
import { failureOf } from '../failure';
import { shellLine } from '../postfix/run';
import { parseAddress } from '../rules/address';
import { type Connection, checkSchema, openForReading, translating } from '../rules/database';
import { eachRow, hasRows, isExpired, type Row, rowsOf } from '../rules/entries';
import { meaningOf } from '../rules/meaning';
import { contains } from '../rules/network';
import { problemOf, warningOf } from '../rules/row-fault';
import { foldName } from '../rules/subject';
import { type Finding, fail, ok, warn } from './finding';
import { type InstalledService, isDatabaseFile } from './installed-service';

export function* rowFindings(service: InstalledService): Iterable<Finding> {
  const { db } = service;
  if (!isDatabaseFile(service)) return;
  let connection: Connection | null = null;
  try {
    const open = openForReading(db);
    connection = open;
    yield* translating(db, () => {
      checkSchema(open, db);
      return [integrityFinding(open, db), ...contentFindings(open, service)];
    });
  } catch (error) {
    const failure = failureOf(error);
    if (failure.kind === 'installation') {
      const hint = 'the check "program" says whether the service has the same fault; its Node.js can run doctor, too';
      yield warn('content', `not examined: ${failure.problem}`, { hint });
    } else if (failure.kind === 'database-broken') yield damageFinding(db, failure.problem);
    else yield fail('content', failure.problem, failure.kind === 'database-foreign' ? { hint: COPY } : failure);
  } finally {
    connection?.close();
  }
}

const COPY = 'put a good copy in its place; mail waits until then';

function integrityFinding(connection: Connection, db: string): Finding {
  const lines = connection.pragma('quick_check(3)') as { quick_check: string }[];
  const problems = lines.map(({ quick_check }) => quick_check).filter((text) => text !== 'ok');
  if (problems.length === 0) return ok('integrity', 'PRAGMA quick_check finds nothing');
  return damageFinding(db, `${db} is damaged: ${problems.join(' | ')}`);
}

function damageFinding(db: string, message: string): Finding {
  const [from, to] = [shellLine([db]), shellLine([`${db}.recovered`])];
  const hint = `${COPY}; without one, save what can be read into a new file`;
  return fail('integrity', message, { hint, command: `sqlite3 ${from} .recover | sqlite3 ${to}` });
}

/** The first three of the texts, and how many there are in all. */
class Examples {
  count = 0;
  private readonly first: string[] = [];

  add(text: string): void {
    if (++this.count <= 3) this.first.push(text);
  }

  get text(): string {
    return `${this.first.join(', ')}${this.count > 3 ? `, and ${this.count - 3} more` : ''}`;
  }
}

function* contentFindings(connection: Connection, service: InstalledService): Iterable<Finding> {
  const now = Date.now();
  const broken = new Examples();
  const doubtful = new Examples();
  const expired = new Set<string>();
  const usersOfSets = new Map<string, number>();
  let inForce = 0;
  const hasSet = (name: string) => hasRows(connection, 'network_set', name);
  for (const table of ['access', 'network_set'] as const) {
    for (const row of eachRow(connection, table)) {
      const problem = problemOf(table, row, hasSet);
      const warning = warningOf(table, row);
      if (warning !== null) doubtful.add(`${row.user} ${row.network}: ${warning}`);
      if (problem !== null) broken.add(`${row.user} ${row.network}: ${problem}`);
      else if (table === 'network_set') continue;
      else if (isExpired(row, now)) expired.add(foldName(String(row.user)));
      else {
        inForce++;
        const meaning = meaningOf(table, row.network);
        if (meaning?.kind === 'set') usersOfSets.set(meaning.name, (usersOfSets.get(meaning.name) ?? 0) + 1);
      }
    }
  }
  const users = connection.prepare('select count(distinct user collate nocase) from access').pluck().get() as number;
  const { db } = service;
  const list = shellLine(['allow-nets', 'list', '--db', db]);
  if (inForce > 0) yield ok('entries', `${inForce} in force, of ${users} users`);
  else {
    const hint = `add who may send: allow-nets add USER NETWORK --db ${shellLine([db])}`;
    yield (service.trial ? warn : fail)('entries', 'none is in force: every user is refused', { hint });
  }
  if (broken.count === 0) yield ok('rows', 'all can be read');
  else yield warn('rows', `${broken.count} grant nothing (${broken.text})`, { command: list });
  if (doubtful.count > 0) {
    yield warn('meaning', `${doubtful.count} may not do what was meant (${doubtful.text})`, { command: list });
  }
  yield expiredFinding(expired, (user) => rowsOf(connection, 'access', user), now);
  for (const [set, count] of usersOfSets) {
    if (users < 2 || count < users || !isWebmail(connection, set)) continue;
    const message = `every user may send from the set ${set}: if it is a webmail, a stolen password works there from everywhere`;
    const hint =
      'let the webmail name its clients with XCLIENT (smtpd_authorized_xclient_hosts), then take the set from the users';
    yield warn('webmail', message, { hint });
  }
}

/** Removing what has expired would hand such a user to a wider subject: that is not advised. */
function expiredFinding(expired: Iterable<string>, rowsOfUser: (user: string) => Row[], now: number): Finding {
  const refused = new Examples();
  let others = 0;
  for (const user of expired) {
    if (rowsOfUser(user).every((row) => isExpired(row, now))) refused.add(user);
    else others++;
  }
  if (refused.count === 0) return ok('expired', `entries of ${others} users, who have others`);
  const hint = 'they are refused until they get a new entry: allow-nets add USER NETWORK';
  return warn('expired', `all entries of ${refused.count} users have expired: ${refused.text}`, { hint });
}

/** Whether the set is called webmail, or holds this host, where a webmail logs in for its users. */
function isWebmail(connection: Connection, set: string): boolean {
  const own = Object.values(networkInterfaces())
    .flatMap((all) => all ?? [])
    .flatMap(({ address }) => parseAddress(address.replace(/%.*/, '')) ?? []);
  const holdsThisHost = rowsOf(connection, 'network_set', set).some((row) => {
    const meaning = meaningOf('network_set', row.network);
    return meaning?.kind === 'network' && own.some((address) => contains(meaning.network, address));
  });
  return /web/.test(set) || holdsThisHost;
}
