// Reads the current rules of the database, for a program that keeps answering while the file changes.
//
// Each answer is one read transaction, so it sees one state of the database, and a change counts from the next answer
// on. Answers are not cached. If the file was replaced or has changed in any way, it is reopened. That also detects a
// copy, a truncation or a chmod, which SQLite's own change counter does not show.
import * as fs from 'node:fs';
import { Trouble } from '../failure';
import { type Connection, checkVersion, openForReading, type Statement, withDatabaseErrors } from './database';
import { databaseFailure } from './database-failure';
import type { Rules } from './deciding';
import { rulesOf } from './lookup';

/** The most attempts to open a file that is being replaced all the time. */
const TRIES = 100;

interface OpenDatabase {
  readonly stats: fs.Stats;
  readonly connection: Connection;
  readonly rules: Rules;
  readonly begin: Statement;
  readonly version: Statement;
  readonly commit: Statement;
}

export class RuleStore {
  private opened: OpenDatabase | null = null;

  constructor(private readonly file: string) {}

  /** Runs `work` on one state of the database. Throws Trouble if the database cannot be read. */
  read<T>(work: (rules: Rules) => T): T {
    return withDatabaseErrors(this.file, () => {
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
  private current(): OpenDatabase {
    for (let tries = 0; tries < TRIES; tries++) {
      const stats = fs.statSync(this.file);
      if (this.opened !== null && isUnchanged(stats, this.opened.stats)) return this.opened;
      this.close();
      const connection = openForReading(this.file);
      if (hasOpen(stats)) {
        this.opened = openDatabaseOf(connection, stats, this.file);
        return this.opened;
      }
      // The file was replaced between the two calls.
      connection.close();
    }
    throw new Trouble(databaseFailure('database-broken', this.file, 'other files are renamed over it all the time'));
  }
}

/** Checks the schema version first: the statements cannot be prepared for another schema. */
function openDatabaseOf(connection: Connection, stats: fs.Stats, file: string): OpenDatabase {
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
 * Whether SQLite has that file open, by the descriptors of this process. The name is not enough, since files can be
 * renamed over it and back. Without /dev/fd, the name must do.
 */
function hasOpen(stats: fs.Stats): boolean {
  if (!fs.existsSync('/dev/fd')) return true;
  return fs.readdirSync('/dev/fd').some((name) => {
    try {
      return isSame(fs.fstatSync(Number(name)), stats);
    } catch {
      // readdirSync's own descriptor is closed by now.
      return false;
    }
  });
}
