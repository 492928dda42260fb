// Changing a running Postfix: copies, then one stage after the other, each checked, loaded and tried.
//
// DIAGNOSTICS: on any failure both files are put back as they were, byte for byte, and loaded again; a Postfix that has ended is started again.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { printError } from '../cli/output';
import { asErrorLines, failureOf, hintLine } from '../failure';
import type { ConfigStore } from './config-store';
import type { ConfigFiles } from './configuration';
import { awaitLive, NoAnswer, socketOf } from './live-service';
import type { Postfix } from './postfix';
import { refused, shellLine } from './run';

/** Files that Postfix is to load, one after the other; those without a change are left out. `answers`: the service that has to answer then, or null. */
export interface Change {
  readonly postfix: Postfix;
  readonly store: ConfigStore;
  readonly stages: readonly ConfigFiles[];
  readonly answers: string | null;
  /** For the names of the copies: 20261124-072800. */
  readonly stamp: string;
}

export function changeOf(
  postfix: Postfix,
  store: ConfigStore,
  stages: readonly ConfigFiles[],
  answers: string | null,
): Change {
  const before = (i: number) => stages[i - 1] ?? store.files;
  const changed = stages.filter(({ main, master }, i) => main !== before(i).main || master !== before(i).master);
  const stamp = new Date().toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  return { postfix, store, stages: changed, answers, stamp };
}

/** Throws Trouble when something failed and everything is as it was before. */
export async function changePostfix(change: Change): Promise<void> {
  const { postfix, store, stages, answers, stamp } = change;
  if (stages.length === 0) return;
  const running = postfix.isRunning();
  let loaded = false;
  store.backUp(stamp);
  // An interrupt at the terminal reaches postfix(1) too, which then fails: that is put back, and not left half done.
  const ignore = () => {};
  process.on('SIGINT', ignore).on('SIGTERM', ignore).on('SIGHUP', ignore);
  try {
    for (const files of stages) {
      store.write(files);
      postfix.readConfiguration();
      // Of the whole; a reload looks for what is fatal by itself.
      if (files === stages.at(-1)) postfix.do('check');
      if (!running) continue;
      loaded = true;
      postfix.do('reload');
      if (answers !== null) await mustAnswer(postfix, answers);
    }
  } catch (error) {
    throw undone(change, loaded, error);
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
    const cause = limits === '' ? '' : `; Postfix was started with limits that can be the cause: ${limits}`;
    throw refused(`the new service does not answer at ${socket} (${error.message})`, `${error.hint}${cause}`);
  }
}

/** What the running master(8) hands down to the programs it starts and a shell does not have: the usual reason why Node.js runs here and not there. */
function limitsOfMaster(queueDir: string): string {
  try {
    const pid = fs.readFileSync(path.join(queueDir, 'pid/master.pid'), 'latin1').trim();
    const bytes = /^Max address space\s+(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/limits`, 'latin1'))?.[1];
    const isFiltered = /^Seccomp:\s+2/m.test(fs.readFileSync(`/proc/${pid}/status`, 'latin1'));
    return [
      ...(bytes === undefined
        ? []
        : [`its address space is limited to ${bytes} bytes (LimitAS=, prlimit --as, ulimit -v)`]),
      ...(isFiltered ? ['its system calls are filtered (MemoryDenyWriteExecute=, SystemCallFilter=)'] : []),
    ].join('; ');
  } catch {
    // Not Linux, or Postfix has gone.
    return '';
  }
}

/** What to throw after a failure, when both files are back. */
function undone({ postfix, store, stamp }: Change, loaded: boolean, error: unknown): unknown {
  const failure = failureOf(error);
  const { problem } = failure;
  const hint = hintLine(failure);
  try {
    store.restore();
  } catch (again) {
    printError(asErrorLines(failureOf(again)));
    return refused(
      `${problem}; putting main.cf and master.cf back failed too`,
      `put the copies back: ${store
        .copies(stamp)
        .map(({ file, copy }) => shellLine(['cp', '-p', copy, file]))
        .join(' && ')}`,
    );
  }
  store.removeCopies(stamp);
  let back = `${problem}; main.cf and master.cf were put back as they were`;
  if (loaded) {
    const word = postfix.isRunning() ? 'reload' : 'start';
    try {
      postfix.do(word);
    } catch {
      return refused(`${back}, but Postfix did not load them`, shellLine(postfix.command(word)));
    }
    if (word === 'start') back += ', and Postfix, which had ended, was started again';
  }
  return failure.kind === 'bug' ? error : refused(back, hint ?? undefined);
}
