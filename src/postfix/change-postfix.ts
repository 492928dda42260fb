// Changes a running Postfix: prints the changes, asks, backs up the files, then applies the stages one by one. Each is
// checked, loaded and tested.
//
// DIAGNOSTICS: on any failure both files are restored byte for byte and reloaded. If Postfix has stopped, it is
// started.
import * as fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Arguments } from '../cli/command';
import { flush, hint, isTerminal, printError, printLine } from '../cli/output';
import { asErrorLines, failureOf, printable, refusal, shellLine, Trouble } from '../failure';
import type { ConfigStore } from './config-store';
import type { ConfigFiles } from './configuration';
import { askLive, socketOf } from './live-service';
import { entriesNamed } from './plan';
import type { Postfix } from './postfix';
import { typedCommand } from './run';

export interface Change {
  readonly postfix: Postfix;
  readonly store: ConfigStore;
  /** The configurations that Postfix loads, one after the other. */
  readonly stages: readonly ConfigFiles[];
  /** The service that must answer after each stage, or null. */
  readonly answers: string | null;
}

/** The stages that change something. */
export function changedStages({ files }: ConfigStore, stages: readonly ConfigFiles[]): ConfigFiles[] {
  return stages.filter(({ main, master }, i) => {
    const before = stages[i - 1] ?? files;
    return main !== before.main || master !== before.master;
  });
}

export function printStep(step: readonly string[]): void {
  printLine(printable(shellLine(step)), 'bold');
}

/** Prints the commands that `changePostfix` runs and the lines that it removes and adds. */
export function printChange({ postfix, store, stages }: Change): void {
  if (stages.length === 0) return;
  for (const { path, copy } of store.originals) printStep(['cp', '-p', path, copy]);
  const running = postfix.isRunning();
  stages.forEach((files, i) => {
    const before = stages[i - 1] ?? store.files;
    printLines(`${postfix.configDir}/main.cf`, before.main.split('\n'), files.main.split('\n'));
    printLines(`${postfix.configDir}/master.cf`, before.master.split('\n'), files.master.split('\n'));
    if (i === stages.length - 1) printStep(postfix.command('check'));
    if (running) printStep(postfix.command('reload'));
  });
}

function printLines(file: string, before: readonly string[], after: readonly string[]): void {
  const removed = before.filter((line) => !after.includes(line));
  const added = after.filter((line) => !before.includes(line));
  if (removed.length + added.length > 0) printLine(`in ${file}`);
  for (const line of removed) printLine(`  - ${printable(line)}`, 'red');
  for (const line of added) printLine(`  + ${printable(line)}`, 'green');
}

/**
 * Asks whether to make the printed changes. Throws Trouble if we are not root, or if there is no terminal to ask on.
 */
export function confirmChange(args: Arguments, { postfix }: Change): boolean {
  if (args.flag('dry-run')) return false;
  if (process.getuid?.() !== 0) {
    const more = [{ hint: 'or see what it would do', command: typedCommand('--dry-run') }];
    throw refusal(`only root may change ${postfix.configDir}`, 'run it as root', `sudo ${typedCommand()}`, more);
  }
  if (args.flag('yes')) return true;
  if (!isTerminal(0)) {
    const problem = 'nothing was changed: standard input is not a terminal';
    throw refusal(problem, 'make these changes without a question', typedCommand('--yes'));
  }
  flush();
  printError('make these changes? [y/N] ');
  // A terminal returns one line per read.
  const answer = Buffer.alloc(1024);
  const isYes = /^\s*y/i.test(answer.toString('latin1', 0, fs.readSync(0, answer)));
  if (!isYes) printLine('nothing was changed');
  return isYes;
}

/** Throws Trouble if a step fails; then both files are as before. */
export async function changePostfix(change: Change): Promise<void> {
  const { postfix, store, stages, answers } = change;
  if (stages.length === 0) return;
  const running = postfix.isRunning();
  const pause = answers !== null && entriesNamed(store.files, answers).length > 0 ? PAUSE : 0;
  let loaded = false;
  store.backUp();
  // Ctrl-C also ends postfix(1), and that failure is rolled back. If we ended too, the change would stay half done.
  const ignore = () => {};
  process.on('SIGINT', ignore).on('SIGTERM', ignore).on('SIGHUP', ignore);
  try {
    for (const files of stages) {
      store.write(files);
      postfix.readConfiguration();
      // `postfix check` is slow, so it runs only once; a reload reports fatal errors by itself.
      if (files === stages.at(-1)) postfix.do('check');
      if (!running) continue;
      loaded = true;
      postfix.do('reload');
      if (answers !== null) await requireAnswer(postfix, answers, pause);
    }
  } catch (error) {
    throw rollBack(change, loaded, error);
  } finally {
    process.off('SIGINT', ignore).off('SIGTERM', ignore).off('SIGHUP', ignore);
  }
}

export function hintAtStart(postfix: Postfix): void {
  if (postfix.isRunning()) return;
  hint('Postfix is not running: the change takes effect when it starts', shellLine(postfix.command('start')));
}

/** How long (ms) Postfix and the program may need after a reload. */
const LONGEST_START = 10_000;

/**
 * The default (ms) of service_throttle_time. A service that could not run before, such as one with `chroot` set to y,
 * stays paused for so long after its last failure; a reload does not end that (master(8)).
 */
const PAUSE = 60_000;

async function requireAnswer(postfix: Postfix, service: string, pause: number): Promise<void> {
  const socket = socketOf(postfix.queueDir, service);
  const end = Date.now() + LONGEST_START + pause;
  let isAnnounced = pause === 0;
  for (;;) {
    const answer = await askLive(socket);
    if ('action' in answer) return;
    if (Date.now() > end) {
      throw refusal(`the new service does not answer at ${socket} (${answer.problem})`, answer.hint);
    }
    if (!isAnnounced && Date.now() > end - pause) {
      hint('no answer yet: Postfix pauses a service that could not run; this waits for up to a minute');
      flush();
      isAnnounced = true;
    }
    await sleep(100);
  }
}

/** Restores both files and returns the error to throw. */
function rollBack({ postfix, store }: Change, loaded: boolean, error: unknown): unknown {
  const failure = failureOf(error);
  try {
    store.restore();
  } catch (again) {
    printError(asErrorLines(failureOf(again)));
    const commands = [...store.originals.map(({ path, copy }) => ['cp', '-p', copy, path]), postfix.command('reload')];
    const command = commands.map(shellLine).join(' && ');
    return refusal(`${failure.problem}; putting main.cf and master.cf back failed too`, 'put them back', command);
  }
  store.removeCopies();
  let problem = `${failure.problem}; main.cf and master.cf were put back as they were`;
  if (loaded) {
    const word = postfix.isRunning() ? 'reload' : 'start';
    try {
      postfix.do(word);
    } catch {
      const command = shellLine(postfix.command(word));
      return refusal(`${problem}, but Postfix did not load them`, 'let it load the old files', command);
    }
    if (word === 'start') problem += ', and Postfix, which had ended, was started again';
  }
  return failure.kind === 'bug' ? error : new Trouble({ ...failure, problem });
}
