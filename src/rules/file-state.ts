// One state of the database file, told from the next one without a lock.
//
// A change gives the file another time of change (ctime, which nobody can set), and a file renamed over it is another inode. Soon after a
// change the time alone could hide the next one, since file systems keep it in steps; then the change counter in the
// header (SQLite file format 1.3), which a writer changes before its commit counts, is compared too.
import * as fs from 'node:fs';
import { Trouble } from '../failure';

/**
 * How old (ms) a change must be for its time to tell it from the next one. Most file systems keep the time of the kernel's last tick, 10 ms
 * ago at the most; some keep whole seconds, or even ones.
 */
export const SETTLED = { fine: 100, whole: 3000 };

const HEADER = new DataView(new ArrayBuffer(64));

export class FileState {
  private readonly stats: fs.Stats;
  private readonly counter: number;
  /** PRAGMA user_version, as far as the header tells without a lock. */
  readonly userVersion: number;
  /** Whether any later change will show in the time of change alone: then the header is looked at no more. */
  settled: boolean;
  private readonly settling: number;

  /**
   * `header`: a descriptor of the file. `settling`: ms in place of what SETTLED has for its file system. Throws Trouble when the file is in
   * write-ahead mode, and what the file system throws.
   */
  constructor(
    private readonly file: string,
    private readonly header: number,
    settling: number | null,
  ) {
    const now = Date.now();
    // Of the descriptor, since the name may mean another file by now: then this state does not stand.
    this.stats = fs.fstatSync(header);
    this.counter = readCounter(header);
    this.userVersion = HEADER.getUint32(60);
    // In write-ahead mode changes go to another file, and a user without write permission cannot read it for sure.
    if (HEADER.getUint8(18) === 2) throw new Trouble({ kind: 'database-wal', file });
    this.settling = settling ?? (this.stats.ctimeMs % 1000 === 0 ? SETTLED.whole : SETTLED.fine);
    this.settled = now - this.stats.ctimeMs > this.settling;
  }

  /** Whether the file is still in this state, and its name still means this file. */
  stands(): boolean {
    const now = this.settled ? 0 : Date.now();
    const seen = fs.statSync(this.file);
    if (!isSame(seen, this.stats)) return false;
    if (this.settled) return true;
    this.settled = now - seen.ctimeMs > this.settling;
    return readCounter(this.header) === this.counter;
  }
}

function isSame(a: fs.Stats, b: fs.Stats): boolean {
  return a.ctimeMs === b.ctimeMs && a.ino === b.ino && a.size === b.size && a.dev === b.dev;
}

function readCounter(header: number): number {
  HEADER.setUint8(18, 0);
  HEADER.setUint32(24, 0);
  HEADER.setUint32(60, 0);
  fs.readSync(header, HEADER, 0, HEADER.byteLength, 0);
  return HEADER.getUint32(24);
}
