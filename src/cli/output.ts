// Prints the output of the commands: results on descriptor 1, everything else on descriptor 2.
//
// Output is written in blocks, so that a list of any length needs little memory. On a terminal, control characters in
// names, notes and log lines are replaced; files and pipes get the text unchanged.
//
// DIAGNOSTICS: if the reader closes the pipe (`| head`), the program ends quietly. Any other write error (a full disk)
// is Trouble.
import { isatty } from 'node:tty';
import { writeAll } from '../descriptor';
import { asHintLines, outputTrouble, printable } from '../failure';

const CHUNK = 64 * 1024;
let pending = '';

const COLOURS = { bold: 1, red: 31, green: 32, yellow: 33, dim: 2 } as const;
export type Colour = keyof typeof COLOURS;

/** Buffers text for standard output until the buffer is full or `flush` is called. */
export function print(text: string): void {
  pending += isTerminal(1) ? withoutControls(text) : text;
  if (pending.length >= CHUNK) flush();
}

/**
 * Prints exactly one line: line breaks in the text become `?`. Coloured on a terminal, unless NO_COLOR is set
 * (no-color.org).
 */
export function printLine(text: string, colour: Colour | null = null): void {
  const line = text.replaceAll('\n', '?');
  const plain = !isTerminal(1) || (process.env['NO_COLOR'] ?? '') !== '' || process.env['TERM'] === 'dumb';
  if (plain || colour === null) print(`${line}\n`);
  else pending += `\x1b[${COLOURS[colour]}m${withoutControls(line)}\x1b[0m\n`;
}

export function flush(): void {
  const text = pending;
  pending = '';
  if (text !== '') writeOut(1, text);
}

export function printError(text: string): void {
  flush();
  writeOut(2, isTerminal(2) ? withoutControls(text) : text);
}

/** Prints a hint, what to do next or what to know, on standard error. `command` does it. */
export function hint(text: string, command?: string): void {
  printError(asHintLines({ hint: text, command }));
}

/** Hints at the first of them, and how many more there are. */
export function hintAll(texts: readonly string[], most = 20): void {
  for (const text of texts.slice(0, most)) hint(text);
  if (texts.length > most) hint(`and ${texts.length - most} more`);
}

function writeOut(descriptor: 1 | 2, text: string): void {
  try {
    if (!writeAll(descriptor, Buffer.from(text))) process.exit(0);
  } catch (error) {
    if (descriptor === 1) throw outputTrouble(error);
  }
}

// Asked once: a system call for each line would slow down long lists.
const terminals = [0, 1, 2].map((descriptor) => isatty(descriptor));

export function isTerminal(descriptor: 0 | 1 | 2): boolean {
  return terminals[descriptor] === true;
}

/** Makes text printable except for line breaks and tabs. */
function withoutControls(text: string): string {
  return text.replace(/[^\n\t]+/g, printable);
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

/** A hint lists at most this many names of a kind. */
const NAMED = 4;

/** The first names and the number of others: `a, b, c, d and 3 more`. */
export function someOf(names: Iterable<string>): string {
  const all = [...new Set(names)];
  const more = all.length > NAMED ? ` and ${all.length - NAMED} more` : '';
  return `${all.slice(0, NAMED).join(', ')}${more}`;
}
