// The rules of the database file as it is now, for a program that goes on answering while the file changes.
//
// Before each answer the file is looked at without a lock: its identity, size and time by stat, and the change counter in its header
// (SQLite file format 1.3.7), which a writer changes before its commit counts. While they stand, a verdict already given is still right.
// Any difference opens the file anew: so a file renamed over the old one, or copied into it, counts from the next answer on.
// One answer is one read transaction: it never mixes two states of the database.
import * as fs from 'node:fs';
import { Trouble } from '../failure';
import { type Asked, decide, type Rules, type Verdict } from '../policy/decide';
import { type Connection, openForReading, schemaCheck, translating } from './database';
import { expiryMoment } from './expiry';
import { rulesOf } from './lookup';

/**
 * How many verdicts are remembered at the most; the oldest goes first. Enough for the recipients of some sessions; what lives longer
 * than that costs the garbage collector more than the database.
 */
const REMEMBERED = 500;

/** What tells one state of the file from another. */
interface Look {
  readonly device: number;
  readonly inode: number;
  readonly size: number;
  readonly modified: number;
  readonly counter: number;
}

interface Opened {
  readonly connection: Connection;
  /** Our own descriptor of the same file, for its header. Closing it would drop SQLite's locks: it lives as long as the connection. */
  readonly header: number;
  readonly look: Look;
  readonly rules: ReturnType<typeof rulesOf>;
  readonly checkSchema: () => void;
}

export class LiveRules {
  private opened: Opened | null = null;
  private readonly verdicts = new Map<string, Verdict>();

  constructor(private readonly file: string) {}

  /** `now`: ms since 1970. Throws Trouble when the database cannot be read. */
  decide(asked: Asked, now: number): Verdict {
    if (asked.user === '') return decide(asked, noRules, now);
    return translating(this.file, () => {
      const opened = this.current();
      const key = `${asked.wellFormed ? '' : '\n'}${asked.user}\n${asked.address}`;
      const known = this.verdicts.get(key);
      if (known !== undefined && !isOver(known, now)) return known;
      return this.ask(opened, asked, key, now);
    });
  }

  close(): void {
    if (this.opened === null) return;
    this.opened.connection.close();
    fs.closeSync(this.opened.header);
    this.opened = null;
    this.verdicts.clear();
  }

  private ask(opened: Opened, asked: Asked, key: string, now: number): Verdict {
    const { connection, header, look, rules, checkSchema } = opened;
    connection.exec('begin');
    // The first read takes the lock. A change that came between the look and the lock makes untrue what was kept of the old state.
    checkSchema();
    const locked = fs.fstatSync(header);
    const moved = counterOf(header) !== look.counter || locked.mtimeMs !== look.modified;
    if (moved) rules.forget();
    const verdict = decide(asked, () => rules, now);
    // Under our lock no SQLite changes the file: a copy over it, half done, may give a mixture of two databases.
    if (isWrittenOver(header, locked)) throw writtenOver(this.file);
    connection.exec('commit');
    if (moved) this.close();
    else this.remember(key, verdict);
    return verdict;
  }

  private remember(key: string, verdict: Verdict): void {
    if (this.verdicts.size >= REMEMBERED) {
      for (const oldest of this.verdicts.keys()) {
        this.verdicts.delete(oldest);
        break;
      }
    }
    this.verdicts.set(key, verdict);
  }

  private current(): Opened {
    if (this.opened !== null) {
      if (isSame(this.opened.look, lookAt(this.file, this.opened.header))) return this.opened;
      this.close();
    }
    this.opened = open(this.file);
    return this.opened;
  }
}

function open(file: string): Opened {
  const header = fs.openSync(file, 'r');
  let connection: Connection | null = null;
  try {
    connection = openForReading(file);
    const look = lookAt(file, header);
    if (look.inode === fs.fstatSync(header).ino) {
      return {
        connection,
        header,
        look,
        rules: rulesOf(connection),
        checkSchema: schemaCheck(connection, file),
      };
    }
  } catch (error) {
    connection?.close();
    fs.closeSync(header);
    throw error;
  }
  // Renamed over while it was being opened.
  connection.close();
  fs.closeSync(header);
  return open(file);
}

function noRules(): Rules {
  throw new Error('a request without a user asks no rules');
}

function isOver(verdict: Verdict, now: number): boolean {
  return (
    verdict.kind === 'allowed' && verdict.entry.expires !== null && now >= expiryMoment(verdict.entry.expires)
  );
}

const HEADER = Buffer.alloc(28);

function counterOf(header: number): number {
  HEADER.fill(0);
  fs.readSync(header, HEADER, 0, HEADER.length, 0);
  return HEADER.readUInt32BE(24);
}

function lookAt(file: string, header: number): Look {
  const { dev, ino, size, mtimeMs } = fs.statSync(file);
  const counter = counterOf(header);
  // In write-ahead mode the counter stands still, and a user without write permission cannot read the file for sure.
  if (HEADER[18] === 2) throw new Trouble({ kind: 'database-wal', file });
  return { device: dev, inode: ino, size, modified: mtimeMs, counter };
}

function isWrittenOver(header: number, before: fs.Stats): boolean {
  const now = fs.fstatSync(header);
  return now.mtimeMs !== before.mtimeMs || now.size !== before.size;
}

function writtenOver(file: string): Trouble {
  const detail = 'another program than SQLite is writing into it: put a new file in its place by renaming';
  return new Trouble({ kind: 'database-broken', file, detail });
}

function isSame(a: Look, b: Look): boolean {
  return (
    a.counter === b.counter &&
    a.modified === b.modified &&
    a.inode === b.inode &&
    a.size === b.size &&
    a.device === b.device
  );
}
