// Waiting without an event loop, for a descriptor that another program made non-blocking.

const CELL = new Int32Array(new SharedArrayBuffer(4));

/** Sleeps 1 ms at the first try and up to 50 ms later on, so that an idle program uses no CPU time. */
export function waitAWhile(tries: number): void {
  Atomics.wait(CELL, 0, 0, Math.min(50, tries + 1));
}
