// The words of a command line as yargs shall have them.
import type { Command } from './command';
import { COMPLETION_QUERY } from './completion';

/** Marks a positional that yargs would take for an option, or for nothing (`-`). No word of a command line can hold a NUL. */
const POSITIONAL = '\0';

const LONG: Readonly<Record<string, string>> = {
  '-h': '--help',
  '-?': '--help',
  '-V': '--version',
  '-v': '--version',
};

/** The words that begin a command line. */
export function firstWords(commands: readonly Command[]): string[] {
  return [...new Set(commands.map(({ line }) => line.split(' ')[0] ?? ''))];
}

/** `help COMMAND` and short options by their long names, and words after `--` as positionals, unless the command takes them as they are. */
export function wordsForYargs(words: readonly string[], commands: readonly Command[]): string[] {
  if (words[0] === COMPLETION_QUERY) return [...words];
  const known = firstWords(commands);
  const end = words.includes('--') ? words.indexOf('--') : words.length;
  const own = withLongNames(words.slice(0, end), known).map((word) => (word === '-' ? `${POSITIONAL}-` : word));
  const command = own.find((word) => known.includes(word));
  const hasTail = commands.some(({ line, tail }) => tail !== undefined && line.split(' ')[0] === command);
  if (hasTail) return [...own, ...words.slice(end)];
  return [...own, ...words.slice(end + 1).map((word) => `${POSITIONAL}${word}`)];
}

function withLongNames(words: readonly string[], known: readonly string[]): string[] {
  const [first = '', second] = words;
  if (first === 'help') {
    const isHelp = second === undefined || known.includes(second);
    return isHelp ? [...words.slice(1), '--help'] : words.slice(1);
  }
  return words.map((word, i) => {
    const long = LONG[word];
    return long === '--help' || (long !== undefined && i === 0) ? long : word;
  });
}

/** The text as it was typed. */
export function asTyped(text: string): string {
  return text.replaceAll(POSITIONAL, '');
}
