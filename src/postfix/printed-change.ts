// The changes of main.cf and master.cf as the administrator sees them before they are made, and the question whether to make them.
import * as fs from 'node:fs';
import type { Arguments } from '../cli/command';
import { coloured, flush, isTerminal, printError, printLine } from '../cli/output';
import { printable } from '../failure';
import type { Change } from './change-postfix';
import { refused, shellLine } from './run';

export function printStep(step: readonly string[]): void {
  printLine(coloured(printable(shellLine(step)), 'bold'));
}

/** What `changePostfix` does, with the lines that go and come. */
export function printChange({ postfix, store, stages, stamp }: Change): void {
  if (stages.length === 0) return;
  for (const { file, copy } of store.copies(stamp)) printStep(['cp', '-p', file, copy]);
  const running = postfix.isRunning();
  stages.forEach((files, i) => {
    const before = stages[i - 1] ?? store.files;
    printLines(`${postfix.configDir}/main.cf`, before.main, files.main);
    printLines(`${postfix.configDir}/master.cf`, before.master, files.master);
    if (i === stages.length - 1) printStep(postfix.command('check'));
    if (running) printStep(postfix.command('reload'));
  });
}

function printLines(file: string, before: string, after: string): void {
  if (before === after) return;
  printLine(`in ${file}`);
  const [old, now] = [before.split('\n'), after.split('\n')];
  const [kept, known] = [new Set(now), new Set(old)];
  for (let i = 0, j = 0; i < old.length || j < now.length; ) {
    const [gone, come] = [old[i], now[j]];
    if (gone !== undefined && (!kept.has(gone) || come === undefined)) {
      if (!kept.has(gone)) printLine(coloured(`  - ${printable(gone)}`, 'red'));
      i++;
    } else if (come !== undefined && (!known.has(come) || gone === undefined)) {
      if (!known.has(come)) printLine(coloured(`  + ${printable(come)}`, 'green'));
      j++;
    } else [i, j] = [i + 1, j + 1];
  }
}

/** Whether the changes that were printed are to be made. Throws Trouble for who may not make them, and where nobody can be asked. */
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
  const isYes = /^\s*y/i.test(readLine());
  if (!isYes) printLine('nothing was changed');
  return isYes;
}

function readLine(): string {
  const byte = Buffer.alloc(1);
  let line = '';
  while (fs.readSync(0, byte) === 1 && byte[0] !== 0x0a) line += byte.toString('latin1');
  return line;
}
