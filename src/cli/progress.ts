// Shows the progress of a long operation on a terminal, in one line of standard error that is erased at the end.
import * as fs from 'node:fs';
import { isTerminal } from './output';

/** The time between two updates (ms); a shorter operation shows nothing. */
const EVERY = 200;
const MB = 1e6;

export class Progress {
  private drawn = Date.now();
  private isDrawn = false;
  private bytes = 0;

  /** `total`: the number of bytes to read, or null if it is not known. */
  constructor(private readonly total: number | null) {}

  /** `bytes`: read since the last call. */
  readonly add = (bytes: number): void => {
    this.bytes += bytes;
    const now = Date.now();
    if (now - this.drawn < EVERY) return;
    this.drawn = now;
    // A file may grow while it is being read.
    const share = this.total ? `, ${Math.min(100, Math.floor((this.bytes / this.total) * 100))} %` : '';
    this.draw(`read ${(this.bytes / MB).toFixed(1)} MB${share}`);
  };

  /** Erases the line. */
  done(): void {
    if (this.isDrawn) this.draw('');
    this.isDrawn = false;
  }

  private draw(line: string): void {
    if (!isTerminal(2)) return;
    this.isDrawn = true;
    try {
      fs.writeSync(2, `\r${line}\x1b[K`);
    } catch {
      // Progress is optional: a write error must not stop the command.
    }
  }
}
