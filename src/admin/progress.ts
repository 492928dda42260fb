// A line that tells how far a long input has been read, on a terminal and only there.
import { isTerminal, printError } from './output';

/** Shorter inputs are done before anybody looks. */
const FIRST_AFTER = 500;
const EVERY = 200;

export interface Progress {
  /** `bytes`: read so far. */
  told(bytes: number): void;
  /** Takes the line away. */
  end(): void;
}

/** `size`: bytes in all, or null when it is not known. */
export function progressOf(size: number | null): Progress {
  if (!isTerminal(2)) return { told() {}, end() {} };
  const start = Date.now();
  let next = start + FIRST_AFTER;
  let shown = false;
  return {
    told(bytes) {
      const now = Date.now();
      if (now < next) return;
      next = now + EVERY;
      shown = true;
      printError(`\r\x1b[K${progressText(bytes, size, now - start)}`);
    },
    end() {
      if (shown) printError('\r\x1b[K');
      shown = false;
      next = Number.POSITIVE_INFINITY;
    },
  };
}

/** `milliseconds`: since the beginning. */
export function progressText(bytes: number, size: number | null, milliseconds: number): string {
  const read = `read ${(bytes / 1e6).toFixed(1)} MB`;
  if (size === null || size < bytes) return read;
  const left = Math.ceil(((size - bytes) / Math.max(1, bytes)) * (milliseconds / 1000));
  return `${read} of ${(size / 1e6).toFixed(1)} MB, ${left} s left`;
}
