// A bash command line taken apart as bash does it, and words put back so that bash reads them as they are meant.
//
// A name from the database must not become a command: what has a meaning to the shell is escaped.

export interface BashLine {
  /** Without their quotes; the last one is the one to complete. */
  readonly words: readonly string[];
  /** How the last word begins: with an open quote, or not. */
  readonly quote: '' | '"' | "'";
  /** The last word as it was typed. */
  readonly typed: string;
}

/** `line`: up to the cursor. Nothing is expanded, but a tilde at the beginning of a word to `home`. */
export function bashLine(line: string, home: string): BashLine {
  const words: string[] = [];
  let word = '';
  let started = false;
  let quote: BashLine['quote'] = '';
  let from = 0;
  for (let i = 0; i < line.length; i++) {
    const character = line[i] ?? '';
    if (quote === "'" || (quote === '"' && character !== '\\')) {
      if (character === quote) quote = '';
      else word += character;
    } else if (character === '\\' && i + 1 < line.length) {
      const next = line[++i] ?? '';
      word += quote === '"' && !/["\\$`]/.test(next) ? `\\${next}` : next;
      started = true;
    } else if (quote === '' && /\s/.test(character)) {
      if (started) words.push(word);
      word = '';
      started = false;
      from = i + 1;
    } else {
      started = true;
      if (character === '"' || character === "'") quote = character;
      else word += character === '~' && i === from && /^(\/|$)/.test(line.slice(i + 1)) ? home : character;
    }
  }
  words.push(word);
  return { words, quote, typed: line.slice(from) };
}

/**
 * What bash puts in the place of `replaced`, the end of the word that it takes for the word: only what follows its last break
 * character ( : or = or @ ).
 */
export function bashWord(candidate: string, { quote, typed }: BashLine, replaced: string | null): string {
  const whole = quote === '' ? escapedFor(candidate) : `${quotedFor(candidate, quote)}`;
  if (replaced === null || !typed.endsWith(replaced)) return whole;
  const before = typed.slice(quote === '' ? 0 : typed.indexOf(quote) + 1, typed.length - replaced.length);
  return whole.toLowerCase().startsWith(before.toLowerCase()) ? whole.slice(before.length) : whole;
}

function escapedFor(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII that is not known to be harmless
  return text.replace(/[\x00-\x7f]/g, (character) =>
    /[A-Za-z0-9_@%+=:,./-]/.test(character) ? character : `\\${character}`,
  );
}

function quotedFor(text: string, quote: '"' | "'"): string {
  return quote === '"' ? text.replace(/["\\$`]/g, '\\$&') : text.replaceAll("'", "'\\''");
}
