// The rules of the database file as it is now, for a program that goes on answering while the file changes.
//
// One answer is one read transaction: SQLite's own locks give it one state of the database, and a change counts from the next answer on.
// No answer is kept. A whole new file renamed over the old one is another inode behind the name, and is opened anew.
import * as fs from 'node:fs';
import { Trouble } from '../failure';
import type { Rules } from '../policy/decide';
import { type Connection, checkSchema, openForReading, type Statement, translating } from './database';
import { rulesOf } from './lookup';

/** How often a file is opened anew when others are renamed over it all the while. */
const TRIES = 100;

interface Opened {
  readonly connection: Connection;
  readonly rules: Rules;
  readonly begin: Statement;
  readonly commit: Statement;
  readonly inode: Inode;
}

type Inode = Pick<fs.Stats, 'dev' | 'ino'>;

export class RuleStore {
  private opened: Opened | null = null;

  constructor(private readonly file: string) {}

  /** What `work` returns for the rules of the database, all of one state. Throws Trouble when the database cannot be read. */
  read<T>(work: (rules: Rules) => T): T {
    return translating(this.file, () => {
      const { connection, rules, begin, commit } = this.current();
      begin.run();
      checkSchema(connection, this.file);
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
      const inode = fs.statSync(this.file);
      if (this.opened !== null && isSame(inode, this.opened.inode)) return this.opened;
      this.close();
      const connection = openForReading(this.file);
      if (hasOpen(inode)) {
        this.opened = { connection, inode, rules: rulesOf(connection), ...transaction(connection) };
        return this.opened;
      }
      // Another file was renamed over it between the two calls.
      connection.close();
    }
    const detail = 'other files are renamed over it all the time';
    throw new Trouble({ kind: 'database-broken', file: this.file, detail });
  }
}

function transaction(connection: Connection) {
  return { begin: connection.prepare('begin'), commit: connection.prepare('commit') };
}

function isSame(a: Inode, b: Inode): boolean {
  return a.ino === b.ino && a.dev === b.dev;
}

/**
 * Whether SQLite has that file open: one of this process's descriptors is of it. The name alone cannot tell, since files can be renamed
 * over it and back. Where the system does not list descriptors, the name has to do.
 */
function hasOpen(inode: Inode): boolean {
  let names: string[];
  try {
    names = fs.readdirSync('/dev/fd');
  } catch {
    return true;
  }
  return names.some((name) => {
    try {
      return isSame(fs.fstatSync(Number(name)), inode);
    } catch {
      // The descriptor of the listing itself.
      return false;
    }
  });
}
