// The changes of main.cf and master.cf, printed before they are made, and the question whether to make them.
import * as fs from 'node:fs';
import type { Arguments } from '../cli/command';
import { coloured, flush, isTerminal, printError, printLine } from '../cli/output';
import { printable } from '../failure';
import type { Change } from './change-postfix';
import { refused, shellLine } from './run';

export function printStep(step: readonly string[]): void {
  printLine(coloured(printable(shellLine(step)), 'bold'));
}

/** Prints the steps of `changePostfix`, with the lines that it removes and adds. */
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
  for (const line of removed) printLine(coloured(`  - ${printable(line)}`, 'red'));
  for (const line of added) printLine(coloured(`  + ${printable(line)}`, 'green'));
}

/** Whether to make the printed changes. Throws Trouble for anybody but root, and where nobody can be asked. */
export function isAgreed(command: string, given: Arguments, { postfix }: Change): boolean {
  if (given.flag('dry-run')) return false;
  if (process.getuid?.() !== 0) {
    throw refused(
      `only root may change ${postfix.configDir}`,
      `sudo allow-nets ${command}, or allow-nets ${command} --dry-run to see what it would do`,
    );
  }
  if (given.flag('yes')) return true;
  if (!isTerminal(0)) {
    throw refused(
      'nothing was changed: standard input is not a terminal',
      `allow-nets ${command} --yes makes these changes, --dry-run only prints them`,
    );
  }
  flush();
  printError('make these changes? [y/N] ');
  // A terminal gives a line at a time.
  const answer = Buffer.alloc(1024);
  const isYes = /^\s*y/i.test(answer.toString('latin1', 0, fs.readSync(0, answer)));
  if (!isYes) printLine('nothing was changed');
  return isYes;
}
