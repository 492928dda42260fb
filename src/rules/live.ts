// The rules of the database file as it is now, for a program that goes on answering while the file changes.
//
// A verdict counts only when the file, looked at without a lock once it is found (file-state.ts), still is what it was when it was opened.
// Otherwise the file is opened anew and asked again: so a change, or a file renamed over the old one, counts from the next answer on, and no
// answer mixes two states. While the file stands, a verdict already given is still right.
//
// A lock costs more than the rest of an answer. So once the file's time of change tells it from any later state, one read transaction is
// kept open without its lock: what it reads is right while the file stands, and no change of the database waits for it.
import * as fs from 'node:fs';
import { Trouble } from '../failure';
import { type Asked, decide, type Rules, type Verdict } from '../policy/decide';
import { waitAWhile } from '../policy/wait';
import { type Connection, checkSchema, openForReading, translating } from './database';
import { expiryMoment } from './expiry';
import { FileState } from './file-state';
import { rulesOf } from './lookup';
import { SCHEMA_VERSION } from './schema';

/**
 * How many verdicts are remembered, once or twice as many. Enough for the recipients of some sessions; what lives longer costs memory, and
 * the garbage collector more than asking again.
 */
const REMEMBERED = 50;

/** How much of the database (KB) SQLite keeps in memory: the upper levels of the indexes of a large one. */
const CACHE = 1024;

/** How often an answer is tried again when the file changes all the time: for two and a half seconds. */
const TRIES = 70;

interface Opened {
  readonly connection: Connection;
  /** Our own descriptor of the file. To close it drops the locks that SQLite has on the file (close(2), POSIX): null when it is closed. */
  header: number | null;
  readonly state: FileState;
  readonly rules: Rules;
}

export class LiveRules {
  private opened: Opened | null = null;
  private verdicts = new Map<string, Verdict>();
  private olderVerdicts = new Map<string, Verdict>();
  private fresh: { readonly key: string; readonly verdict: Verdict } | null = null;

  constructor(
    private readonly file: string,
    private readonly settling: number | null = null,
  ) {}

  /**
   * `now`: ms since 1970. Throws Trouble when the database cannot be read. No other program can finish a change of the database until
   * `rest` is called.
   */
  decide(asked: Asked, now: number): Verdict {
    if (asked.user === '') return decide(asked, noRules, now);
    const key = `${asked.wellFormed ? '' : '\n'}${asked.user}\n${asked.address}`;
    return translating(this.file, () => {
      for (let tries = 0; tries < TRIES; tries++) {
        if (tries > 1) waitAWhile(tries);
        this.opened ??= open(this.file, this.settling);
        const known = this.verdicts.get(key) ?? this.olderVerdicts.get(key);
        const isKnown = known !== undefined && !isOver(known, now);
        const verdict = isKnown ? known : this.ask(this.opened, asked, now);
        // Looked at afterwards: what was read from a file that is no longer this one decides nothing.
        if (verdict !== null && this.opened.state.stands()) {
          if (!isKnown) this.fresh = { key, verdict };
          return verdict;
        }
        this.close();
      }
      throw writtenOver(this.file);
    });
  }

  /** What can wait until the answer is on its way: lets other programs change the database, and remembers the verdict. */
  rest(): void {
    const { opened, file } = this;
    try {
      if (opened !== null) translating(file, () => unlock(opened, file));
    } catch (error) {
      if (!(error instanceof Trouble)) throw error;
      // The answer is on its way; what is wrong with the file is told with the next one, if it still is then.
      this.close();
    }
    if (this.fresh === null) return;
    if (this.verdicts.size >= REMEMBERED) {
      this.olderVerdicts = this.verdicts;
      this.verdicts = new Map();
    }
    this.verdicts.set(this.fresh.key, this.fresh.verdict);
    this.fresh = null;
  }

  close(): void {
    if (this.opened === null) return;
    this.opened.connection.close();
    if (this.opened.header !== null) fs.closeSync(this.opened.header);
    this.opened = null;
    this.fresh = null;
    this.verdicts.clear();
    this.olderVerdicts.clear();
  }

  /** Null when the file is no longer the one that was opened, which can be seen by what it holds. */
  private ask({ connection, header, rules, state }: Opened, asked: Asked, now: number): Verdict | null {
    try {
      if (!connection.inTransaction) {
        // Its locks could not be dropped a second time.
        if (header === null) return null;
        connection.exec('begin');
      }
      return decide(asked, () => rules, now);
    } catch (error) {
      if (state.stands()) throw error;
      return null;
    }
  }
}

/** Ends the transaction, or keeps it without its lock. */
function unlock(opened: Opened, file: string): void {
  if (opened.header === null || !opened.connection.inTransaction) return;
  if (opened.state.settled) {
    opened.connection.exec(`pragma cache_size = -${CACHE}`);
    // A transaction takes its lock with the first read, which must not come after the lock is dropped.
    checkSchema(opened.connection, file);
    fs.closeSync(opened.header);
    opened.header = null;
  } else opened.connection.exec('commit');
}

/** That all is opened from one and the same file is certain when its state stands afterwards. */
function open(file: string, settling: number | null): Opened {
  const header = fs.openSync(file, 'r');
  let connection: Connection | null = null;
  try {
    const state = new FileState(file, header, settling);
    connection = openForReading(file);
    // A header that says so is right while the state stands. Otherwise SQLite says what is wrong.
    if (state.userVersion !== SCHEMA_VERSION) checkSchema(connection, file);
    return { connection, header, state, rules: rulesOf(connection) };
  } catch (error) {
    connection?.close();
    fs.closeSync(header);
    throw error;
  }
}

function noRules(): Rules {
  throw new Error('a request without a user asks no rules');
}

function isOver(verdict: Verdict, now: number): boolean {
  return (
    verdict.kind === 'allowed' && verdict.entry.expires !== null && now >= expiryMoment(verdict.entry.expires)
  );
}

function writtenOver(file: string): Trouble {
  const detail = 'another program than SQLite is writing into it: put a new file in its place by renaming';
  return new Trouble({ kind: 'database-broken', file, detail });
}
