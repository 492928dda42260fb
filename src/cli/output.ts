// Prints the output of the commands: results on descriptor 1, everything else on descriptor 2.
//
// Output is written in blocks, so that a list of any length needs little memory. On a terminal, control characters in
// names, notes and log lines are replaced; files and pipes get the text unchanged.
//
// DIAGNOSTICS: if the reader closes the pipe (`| head`), the program ends quietly. Any other write error (a full disk)
// is Trouble.
import { isatty } from 'node:tty';
import { writeAll } from '../descriptor';
import { outputTrouble, printable } from '../failure';

const CHUNK = 64 * 1024;
let pending = '';

/** Buffers text for standard output until the buffer is full or `flush` is called. */
export function print(text: string): void {
  pending += text;
  if (pending.length >= CHUNK) flush();
}

/** Prints exactly one line: line breaks in the text become `?`. */
export function printLine(line: string): void {
  print(`${line.replaceAll('\n', '?')}\n`);
}

export function flush(): void {
  const text = pending;
  pending = '';
  if (text !== '') writeOut(1, text);
}

export function printError(text: string): void {
  flush();
  writeOut(2, text);
}

/** Prints a hint, what to do next or what to know, on standard error. */
export function hint(text: string): void {
  printError(`allow-nets: hint: ${printable(text)}\n`);
}

function writeOut(descriptor: 1 | 2, text: string): void {
  try {
    if (!writeAll(descriptor, Buffer.from(isTerminal(descriptor) ? forTerminal(text) : text))) process.exit(0);
  } catch (error) {
    if (descriptor === 1) throw outputTrouble(error);
  }
}

const terminals = new Map<number, boolean>();

export function isTerminal(descriptor: 0 | 1 | 2): boolean {
  // Cached: a system call for each line would slow down long lists.
  const isTty = terminals.get(descriptor) ?? isatty(descriptor);
  terminals.set(descriptor, isTty);
  return isTty;
}

const COLOURS = { bold: 1, red: 31, green: 32, yellow: 33, dim: 2 } as const;
export type Colour = keyof typeof COLOURS;

/** Stands for the escape character of our colours until they are written. Random, so that no name can forge it. */
const ESCAPE = `\0${Math.random()}\0`;

/** Coloured on a terminal, unless NO_COLOR is set (no-color.org). */
export function withColour(text: string, colour: Colour): string {
  const plain = !isTerminal(1) || (process.env['NO_COLOR'] ?? '') !== '' || process.env['TERM'] === 'dumb';
  return plain ? text : `${ESCAPE}[${COLOURS[colour]}m${text}${ESCAPE}[0m`;
}

/** Makes text printable except for line breaks, tabs and our own colours. */
function forTerminal(text: string): string {
  return text
    .split(ESCAPE)
    .map((part) => part.replace(/[^\n\t]+/g, printable))
    .join('\x1b');
}

/** A JSON array, written object by object. */
export function printJsonArray(items: Iterable<unknown>): void {
  let separator = '[\n';
  for (const item of items) {
    print(`${separator}  ${JSON.stringify(item)}`);
    separator = ',\n';
  }
  print(separator === '[\n' ? '[]\n' : '\n]\n');
}

/** `1 line`, `2 lines`. */
export function quantity(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`;
}
