// The rules of the database file as it is now, for a program that goes on answering while the file changes.
//
// One answer is one read transaction: SQLite's own locks give it one state of the database, and a change counts from the next answer on.
// No answer is kept. Another file behind the name (one renamed over it), or a file that has changed in any way, is opened anew: so what a
// copy, a truncation or a chmod did to it is seen, too, where SQLite's own change counter would not show it.
import * as fs from 'node:fs';
import { Trouble } from '../failure';
import { type Connection, checkVersion, openForReading, type Statement, translating } from './database';
import { databaseFailure } from './database-failure';
import type { Rules } from './deciding';
import { rulesOf } from './lookup';

/** How often a file is opened anew when others are renamed over it all the while. */
const TRIES = 100;

interface Opened {
  readonly stats: fs.Stats;
  readonly connection: Connection;
  readonly rules: Rules;
  readonly begin: Statement;
  readonly version: Statement;
  readonly commit: Statement;
}

export class RuleStore {
  private opened: Opened | null = null;

  constructor(private readonly file: string) {}

  /** What `work` returns for the rules of the database, all of one state. Throws Trouble when the database cannot be read. */
  read<T>(work: (rules: Rules) => T): T {
    return translating(this.file, () => {
      const { rules, begin, version, commit } = this.current();
      begin.run();
      checkVersion(version.get(), this.file);
      const result = work(rules);
      commit.run();
      return result;
    });
  }

  close(): void {
    this.opened?.connection.close();
    this.opened = null;
  }

  /** The file behind the name. */
  private current(): Opened {
    for (let tries = 0; tries < TRIES; tries++) {
      const stats = fs.statSync(this.file);
      if (this.opened !== null && isUnchanged(stats, this.opened.stats)) return this.opened;
      this.close();
      const connection = openForReading(this.file);
      if (hasOpen(stats)) {
        this.opened = openedOf(connection, stats, this.file);
        return this.opened;
      }
      // Another file was renamed over it between the two calls.
      connection.close();
    }
    throw new Trouble(databaseFailure('database-broken', this.file, 'other files are renamed over it all the time'));
  }
}

/** The statements can be prepared only for a schema that is known. */
function openedOf(connection: Connection, stats: fs.Stats, file: string): Opened {
  const version = connection.prepare('pragma user_version').pluck();
  checkVersion(version.get(), file);
  const [begin, commit] = [connection.prepare('begin'), connection.prepare('commit')];
  return { stats, connection, rules: rulesOf(connection), begin, version, commit };
}

function isSame(a: fs.Stats, b: fs.Stats): boolean {
  return a.ino === b.ino && a.dev === b.dev;
}

function isUnchanged(a: fs.Stats, b: fs.Stats): boolean {
  return isSame(a, b) && a.ctimeMs === b.ctimeMs && a.size === b.size;
}

/**
 * Whether SQLite has that file open: one of this process's descriptors is of it. The name alone cannot tell, since files can be renamed
 * over it and back. Where the system does not list descriptors, the name has to do.
 */
function hasOpen(stats: fs.Stats): boolean {
  if (!fs.existsSync('/dev/fd')) return true;
  return fs.readdirSync('/dev/fd').some((name) => {
    try {
      return isSame(fs.fstatSync(Number(name)), stats);
    } catch {
      // The descriptor of the listing itself.
      return false;
    }
  });
}
