// What the commands print: results on descriptor 1, everything else on descriptor 2.
//
// Output is written in blocks as it comes, so that a list of any length needs no memory. A reader that closes the pipe
// (`| head`) ends the program quietly. Any other failure to write (a full disk) is Trouble. A terminal gets no control
// character of a name, a note or a log line; files and pipes get the bytes.
import { isatty } from 'node:tty';
import { writeAll } from '../descriptor';
import { outputTrouble, printable } from '../failure';

const CHUNK = 64 * 1024;
let pending = '';

/** Text for standard output, written at the latest by `flush`. */
export function print(text: string): void {
  pending += text;
  if (pending.length >= CHUNK) flush();
}

/** One line, whatever the text holds. */
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

/** What to do next, or what to know: on standard error. */
export function hint(text: string): void {
  printError(`allow-nets: hint: ${printable(text)}\n`);
}

function writeOut(descriptor: 1 | 2, text: string): void {
  try {
    // Nobody reads the rest.
    if (!writeAll(descriptor, Buffer.from(isTerminal(descriptor) ? forTerminal(text) : text))) process.exit(0);
  } catch (error) {
    if (descriptor === 1) throw outputTrouble(error);
  }
}

const terminals = new Map<number, boolean>();

export function isTerminal(descriptor: 0 | 1 | 2): boolean {
  let found = terminals.get(descriptor);
  if (found === undefined) {
    // A system call for each line would slow long lists down.
    found = isatty(descriptor);
    terminals.set(descriptor, found);
  }
  return found;
}

const COLOURS = { bold: 1, red: 31, green: 32, yellow: 33, dim: 2 } as const;
export type Colour = keyof typeof COLOURS;

/** Stands for the escape character of our own colours until they are written. Random: nobody can forge it. */
const ESCAPE = `\0${Math.random()}\0`;

/** Coloured on a terminal, unless NO_COLOR is set (no-color.org). */
export function coloured(text: string, colour: Colour): string {
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
