// Reads the current rules of the database, for a program that keeps answering while the file changes.
//
// Each answer is one read transaction, so it sees one state of the database, and a change counts from the next answer
// on. Answers are not cached. If the file was replaced or has changed in any way, it is reopened. That also detects a
// copy, a truncation or a chmod, which SQLite's own change counter does not show.
import { type Stats, statSync } from 'node:fs';
import { checkVersion, type OpenDatabase, openForReading, type Statement, withDatabaseErrors } from './database';
import { rulesOf } from './lookup';
import type { Rules } from './subject';

interface OpenRules extends OpenDatabase {
  readonly rules: Rules;
  readonly begin: Statement;
  readonly version: Statement;
  readonly commit: Statement;
}

export class RuleStore {
  private opened: OpenRules | null = null;

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
  private current(): OpenRules {
    if (this.opened !== null && isUnchanged(statSync(this.file), this.opened.stats)) return this.opened;
    this.close();
    const { connection, stats } = openForReading(this.file);
    this.opened = {
      connection,
      stats,
      rules: rulesOf(connection),
      begin: connection.prepare('begin'),
      version: connection.prepare('pragma user_version').pluck(),
      commit: connection.prepare('commit'),
    };
    return this.opened;
  }
}

function isUnchanged(a: Stats, b: Stats): boolean {
  return a.ino === b.ino && a.dev === b.dev && a.ctimeMs === b.ctimeMs && a.size === b.size;
}
