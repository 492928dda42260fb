// The database file: whether the service user can read it and nobody else write it, whether it is whole, and which rows grant nothing.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { failureOf, words } from '../failure';
import type { Account } from '../postfix/account';
import { closedFile, hindranceOf } from '../postfix/trial-run';
import { type Connection, checkSchema, openForReading, translating } from '../rules/database';
import { eachRow, hasRows, isExpired, problemOf } from '../rules/entries';
import { SCHEMA_VERSION, type Table } from '../rules/schema';
import { type Finding, fail, ok, warn } from './finding';
import { isTrial, type Patient } from './patient';

export function* databaseFindings(patient: Patient, account: Account | null): Iterable<Finding> {
  const { db } = patient;
  if (!fs.existsSync(db)) {
    yield fail('database', `there is no database ${db}`, `allow-nets init --db ${db}`);
    return;
  }
  const closed = account === null ? null : closedFile(account, [db], patient.postfix);
  if (closed !== null) yield fail('database', closed.problem, closed.hint);
  else yield headerFinding(db);
  yield writersFinding(db, account);
  yield* contentFindings(db, isTrial(patient));
}

/** From the header (SQLite file format 1.3), so that it is known even where the addon does not load. */
function headerFinding(db: string): Finding {
  const header = Buffer.alloc(100);
  const descriptor = fs.openSync(db, 'r');
  try {
    fs.readSync(descriptor, header, 0, 100, 0);
  } finally {
    fs.closeSync(descriptor);
  }
  if (header.toString('latin1', 0, 15) !== 'SQLite format 3') {
    return fail('database', `${db} is no SQLite file`, `mv ${db} ${db}.bad && allow-nets init --db ${db}`);
  }
  const version = header.readUInt32BE(60);
  if (version !== SCHEMA_VERSION) {
    const { problem, hint } = words({
      kind: 'database-version',
      file: db,
      found: version,
      known: SCHEMA_VERSION,
    });
    return fail('database', problem, hint);
  }
  if (header[18] === 2 || header[19] === 2) {
    const { problem, hint } = words({ kind: 'database-wal', file: db });
    return fail('database', problem, hint);
  }
  return ok('database', `${db}, schema version ${version}, rollback journal`);
}

function writersFinding(db: string, account: Account | null): Finding {
  for (const file of [db, ...foldersOf(db)]) {
    const { mode, uid, gid } = fs.statSync(file);
    const sticky = (mode & 0o1000) !== 0;
    if ((mode & 0o002) !== 0 && !(sticky && file !== db)) {
      return fail('writers', `everybody may write ${file}, and so let anybody send`, `chmod o-w ${file}`);
    }
    const own = account !== null && (uid === account.uid || (gid === account.gid && (mode & 0o020) !== 0));
    if (own) {
      const message = `${account.name}, who runs the program, may write ${file}; it needs no write permission`;
      return warn('writers', message, `chown root:root ${file}`);
    }
  }
  return ok('writers', `only its owner and group may write ${db}`);
}

function foldersOf(file: string): string[] {
  const folder = path.dirname(file);
  return folder === file ? [] : [folder, ...foldersOf(folder)];
}

function* contentFindings(db: string, onTrial: boolean): Iterable<Finding> {
  let connection: Connection | null = null;
  try {
    connection = openForReading(db);
    const open = connection;
    yield* translating(db, () => {
      checkSchema(open, db);
      return [integrityFinding(open, db), ...rowFindings(open, db, onTrial)];
    });
  } catch (error) {
    const failure = failureOf(error);
    const { problem, hint } = words(failure);
    yield fail(failure.kind === 'database-broken' ? 'integrity' : 'content', problem, hint);
  } finally {
    connection?.close();
  }
}

function integrityFinding(connection: Connection, db: string): Finding {
  const said = connection.pragma('quick_check(3)', { simple: false }) as { quick_check: string }[];
  const problems = said.map(({ quick_check }) => quick_check).filter((text) => text !== 'ok');
  if (problems.length === 0) return ok('integrity', 'PRAGMA quick_check finds nothing');
  const remedy = `put a good copy in its place, or: sqlite3 ${db} .recover | sqlite3 ${db}.new`;
  return fail('integrity', `${db} is damaged: ${problems.join(' | ')}`, remedy);
}

function rowFindings(connection: Connection, db: string, onTrial: boolean): Finding[] {
  const now = Date.now();
  const hasSet = (name: string) => hasRows(connection, 'network_set', name);
  const count = { entries: 0, inForce: 0, expired: 0, broken: 0 };
  let example = '';
  for (const table of ['access', 'network_set'] as const satisfies readonly Table[]) {
    for (const row of eachRow(connection, table)) {
      const problem = problemOf(table, row, hasSet);
      if (table === 'access') count.entries++;
      if (problem !== null) {
        count.broken++;
        example ||= `${row.user} ${row.network}: ${problem}`;
      } else if (isExpired(row, now)) count.expired++;
      else if (table === 'access') count.inForce++;
    }
  }
  const option = `--db ${db}`;
  return [
    count.inForce > 0
      ? ok('entries', `${count.inForce} in force`)
      : (onTrial ? warn : fail)(
          'entries',
          'none is in force: every user is refused',
          `allow-nets add USER NETWORK ${option}`,
        ),
    count.broken === 0
      ? ok('rows', 'all can be read')
      : warn('rows', `${count.broken} grant nothing (${example})`, `allow-nets list ${option}`),
    count.expired === 0
      ? ok('expired', 'none')
      : warn('expired', `${count.expired} entries have expired`, `allow-nets remove --expired ${option}`),
  ];
}

/** The whole program, run once as the service user. */
export function programFinding(patient: Patient, account: Account): Finding {
  const hindrance = hindranceOf(account, patient.policy, patient.postfix);
  if (hindrance === null) return ok('program', `answers when ${account.name} runs it`);
  return fail('program', hindrance.problem, hindrance.hint);
}
