// A line on a terminal's standard error that tells how far long work has come, drawn over itself and wiped away at the end.
// Elsewhere nothing is written.
import * as fs from 'node:fs';
import { isTerminal } from './output';

/** Not drawn more often (ms), and not at all for what is done sooner. */
const EVERY = 200;
const BAR = 30;

export class Progress {
  private readonly started = Date.now();
  private drawn = this.started;
  private isDrawn = false;
  private bytes = 0;

  /** `total`: bytes there are to read, or null when nobody knows. */
  constructor(private readonly total: number | null) {}

  /** `bytes`: read since the last call. */
  readonly add = (bytes: number): void => {
    this.bytes += bytes;
    const now = Date.now();
    if (now - this.drawn < EVERY) return;
    this.drawn = now;
    if (isTerminal(2)) this.draw(progressLine(this.bytes, this.total, (now - this.started) / 1000));
  };

  /** What is being done now that all is read, and no share can be told of. */
  say(what: string): void {
    if (Date.now() - this.started >= EVERY && isTerminal(2)) this.draw(what);
  }

  /** Wipes the line away. */
  done(): void {
    if (this.isDrawn) this.draw('');
    this.isDrawn = false;
  }

  private draw(line: string): void {
    this.isDrawn = true;
    try {
      fs.writeSync(2, `\r${line}\x1b[K`);
    } catch {
      // A bar is nothing to fail for.
    }
  }
}

/** `[####....]  42 %  1.2 GB of 2.9 GB, 0:12 left`. `seconds`: since it began. */
export function progressLine(bytes: number, total: number | null, seconds: number): string {
  if (total === null || total === 0) return `read ${size(bytes)}`;
  // A log may grow while it is being read.
  const share = Math.min(1, bytes / total);
  const filled = Math.round(share * BAR);
  const left = share === 0 ? '' : `, ${clock((seconds / share) * (1 - share))} left`;
  const bar = `[${'#'.repeat(filled)}${'.'.repeat(BAR - filled)}]`;
  return `${bar} ${String(Math.floor(share * 100)).padStart(3)} %  ${size(bytes)} of ${size(total)}${left}`;
}

function size(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  const power = bytes < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  return `${(bytes / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}

function clock(seconds: number): string {
  const whole = Math.ceil(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const tail = `${String(whole % 60).padStart(2, '0')}`;
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${tail}` : `${minutes}:${tail}`;
}
