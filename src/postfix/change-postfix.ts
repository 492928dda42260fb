// Changing a running Postfix: copies first, then one part after the other, each checked, loaded and tried; on any failure both files are put back
// as they were, byte for byte, and loaded again, and a Postfix that has ended is started again.

import { printError } from '../cli/output';
import { asErrorLines, failureOf, hintLine } from '../failure';
import type { Change } from './change';
import type { ConfigStore } from './config-store';
import { awaitLive, NoAnswer, socketOf } from './live-service';
import { limitsOfMaster } from './master-limits';
import type { Postfix } from './postfix';
import { refused, shellLine } from './run';
import { printChange, printStep } from './shown-plan';

/** Changes that Postfix is to load at once. `answers`: the service that has to answer then, or null. */
export interface Part {
  readonly changes: readonly Change[];
  readonly answers: string | null;
}

export const partsWithChanges = (parts: readonly Part[]) => parts.filter(({ changes }) => changes.length > 0);

/** What `changePostfix` does with these parts. */
export function printParts(postfix: Postfix, store: ConfigStore, parts: readonly Part[], stamp: string): void {
  if (parts.length === 0) return;
  const copies = store.copies(stamp);
  printStep(['cp', '-p', store.pathOf('main'), copies.main]);
  printStep(['cp', '-p', store.pathOf('master'), copies.master]);
  const running = postfix.isRunning();
  for (const part of parts) {
    for (const change of part.changes) printChange(postfix, change);
    if (part === parts.at(-1)) printStep(['postfix', ...postfix.chosen, 'check']);
    if (running) printStep(['postfix', ...postfix.chosen, 'reload']);
  }
}

/** Throws Trouble when something failed and everything is as it was before. */
export async function changePostfix(
  postfix: Postfix,
  store: ConfigStore,
  parts: readonly Part[],
  stamp: string,
): Promise<void> {
  if (parts.length === 0) return;
  const running = postfix.isRunning();
  let loaded = false;
  store.backUp(stamp);
  // An interrupt at the terminal reaches postfix(1) too, which then fails: that is put back, and not left half done.
  const ignore = () => {};
  process.on('SIGINT', ignore).on('SIGTERM', ignore).on('SIGHUP', ignore);
  try {
    for (const part of parts) {
      const { changes, answers } = part;
      const files = changes.at(-1)?.files;
      if (files === undefined) continue;
      store.write(files);
      postfix.readConfiguration();
      // Of the whole; a reload looks for what is fatal by itself.
      if (part === parts.at(-1)) postfix.do('check');
      if (!running) continue;
      loaded = true;
      postfix.do('reload');
      if (answers !== null) await mustAnswer(postfix, answers);
    }
  } catch (error) {
    throw restored(postfix, store, stamp, loaded, error);
  } finally {
    process.off('SIGINT', ignore).off('SIGTERM', ignore).off('SIGHUP', ignore);
  }
}

async function mustAnswer(postfix: Postfix, service: string): Promise<void> {
  const socket = socketOf(postfix.queueDir, service);
  try {
    await awaitLive(socket);
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    const limits = limitsOfMaster(postfix.queueDir);
    const cause = limits === null ? '' : `; Postfix was started with limits that can be the cause: ${limits}`;
    throw refused(`the new service does not answer at ${socket} (${error.message})`, `${error.hint}${cause}`);
  }
}

/** What to throw after a failure, when both files are back. */
function restored(postfix: Postfix, store: ConfigStore, stamp: string, loaded: boolean, error: unknown): unknown {
  const failure = failureOf(error);
  const { problem } = failure;
  const hint = hintLine(failure);
  try {
    store.restore();
  } catch (again) {
    printError(asErrorLines(failureOf(again)));
    const { main, master } = store.copies(stamp);
    return refused(
      `${problem}; putting main.cf and master.cf back failed too`,
      `the copies are beside them: ${shellLine([main, master])}`,
    );
  }
  store.removeCopies(stamp);
  let back = `${problem}; main.cf and master.cf were put back as they were`;
  if (loaded) {
    const word = postfix.isRunning() ? 'reload' : 'start';
    try {
      postfix.do(word);
    } catch {
      const command = shellLine(['postfix', ...postfix.chosen, word]);
      return refused(`${back}, but Postfix did not load them`, command);
    }
    if (word === 'start') back += ', and Postfix, which had ended, was started again';
  }
  return failure.kind === 'bug' ? error : refused(back, hint ?? undefined);
}

/** The present time for the name of a copy: 20261124-072800. */
export function stampOf(now: Date): string {
  return now.toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
}
