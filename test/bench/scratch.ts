// The benchmark's folder and processes, and the promise that both are gone at its end: after success, after a failure,
// and after SIGINT, SIGTERM or SIGHUP.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folder = mkdtempSync(join(tmpdir(), 'allow-nets-bench-'));
// A service user (postfwd's, Postfix's) must be able to read what lies below.
chmodSync(folder, 0o755);

const undo: (() => void)[] = [];

/** A path below the benchmark's own folder. */
export function scratchPath(...names: string[]): string {
  return join(folder, ...names);
}

/** Registers something to undo at the end, whatever the end is; must be synchronous. Returns a function that does it now. */
export function atEnd(action: () => void): () => void {
  undo.push(action);
  return () => {
    const at = undo.indexOf(action);
    if (at < 0) return;
    undo.splice(at, 1);
    action();
  };
}

function cleanUp(): void {
  for (const action of undo.splice(0).reverse()) {
    try {
      action();
    } catch (error) {
      process.exitCode = 1;
      console.error(`cleaning up: ${error}`);
    }
  }
  rmSync(folder, { recursive: true, force: true });
}

process.once('exit', cleanUp);
for (const [signal, number] of [
  ['SIGINT', 2],
  ['SIGTERM', 15],
  ['SIGHUP', 1],
] as const) {
  process.once(signal, () => process.exit(128 + number));
}
