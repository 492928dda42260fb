// A change that was interrupted, before it is taken back: whether its journal belongs to the file that it lies beside.
//
// SQLite finds a journal by the name of its file. When another database has been renamed over the one that was being changed, the journal
// would be played back into the new one, and the mixture of both would be taken for a good database. So this is tried on a copy first; when
// the copy is not sound, that is Trouble with the remedy, and nothing has been changed. (A journal that holds all of the old file makes that
// out of the new one: this is not seen here.)
import * as fs from 'node:fs';
import { Trouble } from '../failure';
import { type Connection, openForCreating, openForReading } from './database';

/** Throws Trouble when what lies beside the file must not be played back into it. Costs a copy of the file, only if there is such a journal. */
export function checkInterrupted(file: string): void {
  if (!isInterrupted(file)) return;
  const copy = `${file}-repair-${process.pid}`;
  try {
    fs.copyFileSync(file, copy);
    fs.copyFileSync(`${file}-journal`, `${copy}-journal`);
    if (isSound(openForCreating(copy))) return;
  } finally {
    for (const name of [copy, `${copy}-journal`]) fs.rmSync(name, { force: true });
  }
  const detail = `${file}-journal holds an interrupted change of another file: if this is the right one, remove that journal`;
  throw new Trouble({ kind: 'database-broken', file, detail });
}

/** True for a journal that nobody is writing any more: then only somebody with write permission can go on. */
function isInterrupted(file: string): boolean {
  if (!fs.existsSync(`${file}-journal`)) return false;
  const connection = openForReading(file);
  try {
    connection.pragma('user_version');
    return false;
  } catch (error) {
    return (error as { code?: string }).code === 'SQLITE_READONLY_ROLLBACK';
  } finally {
    connection.close();
  }
}

function isSound(connection: Connection): boolean {
  try {
    return connection.pragma('integrity_check(1)', { simple: true }) === 'ok';
  } catch (error) {
    // Of the file as the journal would leave it.
    if (/^SQLITE_(CORRUPT|NOTADB)/.test((error as { code?: string }).code ?? '')) return false;
    throw error;
  } finally {
    connection.close();
  }
}
