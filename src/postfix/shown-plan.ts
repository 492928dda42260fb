// The changes of main.cf and master.cf as the administrator sees them before they are made, and the question whether to make them.
import * as fs from 'node:fs';
import { coloured, flush, isTerminal, printError, printLine, visible } from '../cli/output';
import type { Change } from './change';
import type { Postfix } from './postfix';
import { shellLine } from './run';

/** The lines of a change: the command, and what goes and comes. */
export function printChange(postfix: Postfix, { file, command, before, after }: Change): void {
  printLine(`in ${postfix.configDir}/${file}`);
  if (command === null) printLine('  # postconf cannot do this: -P takes no white space');
  else printStep(['postconf', ...postfix.chosen, ...command]);
  for (const line of before) printLine(coloured(`  - ${visible(line)}`, 'red'));
  for (const line of after) printLine(coloured(`  + ${visible(line)}`, 'green'));
}

export function printStep(words: readonly string[]): void {
  printLine(coloured(`  ${visible(shellLine(words))}`, 'bold'));
}

export const ABOUT_COMMANDS =
  '# main.cf and master.cf are changed line by line, so that comments, layout, owner and mode stay; the postconf commands have the same effect';

export type Consent = 'yes' | 'no' | 'nobody to ask';

/** Asks on a terminal. Only an answer that begins with y or Y is a yes. */
export function consent(question: string, yes: boolean): Consent {
  if (yes) return 'yes';
  if (!isTerminal(0)) return 'nobody to ask';
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
