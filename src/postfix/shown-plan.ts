// The changes of main.cf and master.cf as the administrator sees them before they are made, and the question whether to make them.
import * as fs from 'node:fs';
import { coloured, flush, isTerminal, printError, printLine } from '../cli/output';
import { printable } from '../failure';
import type { Change } from './change';
import type { Postfix } from './postfix';
import { shellLine } from './run';

/** The lines of a change: what goes and comes. */
export function printChange(postfix: Postfix, { file, before, after }: Change): void {
  printLine(`in ${postfix.configDir}/${file}`);
  for (const line of before) printLine(coloured(`  - ${printable(line)}`, 'red'));
  for (const line of after) printLine(coloured(`  + ${printable(line)}`, 'green'));
}

export function printStep(words: readonly string[]): void {
  printLine(coloured(printable(shellLine(words)), 'bold'));
}

export type Consent = 'yes' | 'no' | 'no terminal';

/** Asks on a terminal. Only an answer that begins with y or Y is a yes. */
export function askConsent(question: string, yes: boolean): Consent {
  if (yes) return 'yes';
  if (!isTerminal(0)) return 'no terminal';
  flush();
  printError(`${question} [y/N] `);
  return /^\s*y/i.test(readLine()) ? 'yes' : 'no';
}

function readLine(): string {
  const byte = Buffer.alloc(1);
  let line = '';
  while (fs.readSync(0, byte) === 1 && byte[0] !== 0x0a) line += byte.toString('latin1');
  return line;
}
