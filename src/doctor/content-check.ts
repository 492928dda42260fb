// Checks the content of the database: its integrity, who may send, and rows that do not do what they seem to.
import { withReadTransaction } from '../cli/open';
import { quantity } from '../cli/output';
import { problemOf, warningOf } from '../entries/row-fault';
import { failureOf, shellLine } from '../failure';
import type { Connection } from '../rules/database';
import { databaseFailure } from '../rules/database-failure';
import { eachRow, hasRows, isExpired, rowsOf } from '../rules/entries';
import { foldName } from '../rules/meaning';
import { TABLES } from '../rules/schema';
import { type Finding, fail, ok, warn } from './finding';
import { databaseKind, type InstalledService, servicesOnTrial } from './installed-service';
import { webmailFindings } from './webmail-check';

export function* contentFindings(service: InstalledService): Iterable<Finding> {
  const { db, policy, postfix } = service;
  if (databaseKind(service) !== 'file') return;
  try {
    yield* withReadTransaction(db, (connection) => [
      integrityFinding(connection, db),
      ...rowFindings(connection, service),
      ...webmailFindings(connection, service),
    ]);
  } catch (error) {
    const failure = failureOf(error);
    if (failure.kind === 'installation') {
      const hint = 'the check "program" says whether the service has the same fault; its Node.js can run doctor, too';
      const command = shellLine([...policy.interpreter, policy.script, 'doctor', ...postfix.chosen]);
      yield warn('content', `not examined: ${failure.problem}`, { hint, command });
    } else yield fail(failure.kind === 'database-broken' ? 'integrity' : 'content', failure.problem, failure);
  }
}

function integrityFinding(connection: Connection, db: string): Finding {
  const lines = connection.pragma('quick_check(3)') as { quick_check: string }[];
  const problems = lines.map(({ quick_check }) => quick_check).filter((text) => text !== 'ok');
  if (problems.length === 0) return ok('integrity', 'PRAGMA quick_check finds nothing');
  return fail('integrity', `${db} is damaged: ${problems.join(' | ')}`, databaseFailure('database-broken', db));
}

function* rowFindings(connection: Connection, service: InstalledService): Iterable<Finding> {
  const { db } = service;
  const now = Date.now();
  const marked: string[] = [];
  const expired = new Set<string>();
  let inForce = 0;
  const hasSet = (name: string) => hasRows(connection, 'network_set', name);
  for (const table of TABLES) {
    for (const row of eachRow(connection, table)) {
      const problem = problemOf(table, row, hasSet);
      const mark = problem ?? warningOf(table, row);
      if (mark !== null) marked.push(`${row.user} ${row.network}: ${mark}`);
      if (problem !== null || table === 'network_set') continue;
      if (isExpired(row, now)) expired.add(foldName(String(row.user)));
      else inForce++;
    }
  }
  const users = connection.prepare('select count(distinct user collate nocase) from access').pluck().get() as number;
  const add = shellLine(['allow-nets', 'add', 'USER', 'NETWORK', '--db', db]);
  if (inForce > 0) yield ok('entries', `${inForce} in force, of ${quantity(users, 'user')}`);
  else {
    const status = servicesOnTrial(service).length > 0 ? warn : fail;
    yield status('entries', 'none is in force: no user may send mail', { hint: 'add who may send', command: add });
  }
  if (marked.length === 0) yield ok('rows', 'all mean what they seem to');
  else {
    const command = shellLine(['allow-nets', 'list', '--db', db]);
    const message = `${marked.length} grant nothing, or not what they seem to (${firstOf(marked)})`;
    yield warn('rows', message, { hint: 'the list marks them', command });
  }
  // Do not advise to remove expired entries: without any entry, a wider subject would decide for such a user.
  const usersWithout = [...expired].filter((user) =>
    rowsOf(connection, 'access', user).every((row) => isExpired(row, now)),
  );
  if (usersWithout.length === 0) yield ok('expired', 'no user has only expired entries');
  else {
    const message = `all entries have expired of ${quantity(usersWithout.length, 'user')}: ${firstOf(usersWithout)}`;
    yield warn('expired', message, { hint: 'such users are refused until they get a new entry', command: add });
  }
}

function firstOf(texts: readonly string[]): string {
  return `${texts.slice(0, 3).join(', ')}${texts.length > 3 ? `, and ${texts.length - 3} more` : ''}`;
}
