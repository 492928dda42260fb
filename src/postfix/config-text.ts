// Parses and edits the texts of main.cf and master.cf. Comments and layout stay: postconf -e and -P would fold a list
// to one line and move the comments inside it.
//
// DIAGNOSTICS: postconf evaluates the result of an edit (configuration.ts). A spelling that this file does not know
// stays unedited, and doctor and install report it.

/** Matches text with balanced braces, nested up to four deep. */
const nested = (inside: string): string => `(?:[^{}]|\\{${inside}\\})*`;
export const BALANCED = nested(nested(nested(nested('[^{}]*'))));

/** Splits words as Postfix does: a group in braces is one word (mystrtokq in Postfix's src/util/mystrtok.c). */
export function wordsOf(text: string, separators: string): string[] {
  return text.match(new RegExp(`(?:[^${separators}{}]|\\{${BALANCED}\\}|[{}])+`, 'g')) ?? [];
}

/** The separators of a restriction list, and those of master.cf. */
export const COMMA_OR_SPACE = ', \t\r\n';
const SPACE = ' \t\r\n';

/**
 * A logical line with the newline before it. Lines that start with white space continue it; comments and empty lines
 * may stand between them (postconf(5), master(5)).
 */
const LOGICAL_LINE =
  /(^|\n)([^ \t\r\v\f\n#][^\n]*(?:\n(?:[ \t\r\v\f]*(?:#[^\n]*)?\n)*[ \t\r\v\f]+[^ \t\r\v\f\n#][^\n]*)*)/g;

/** Replaces each logical line; null removes it. */
export function editLines(text: string, edit: (line: string) => string | null): string {
  return text.replace(LOGICAL_LINE, (_, newline: string, line: string) => {
    const edited = edit(line);
    return edited === null ? '' : newline + edited;
  });
}

/** Appends lines. A file without a final newline stays without one, so that removing the lines restores it exactly. */
export function appendLines(text: string, lines: string): string {
  return text === '' || text.endsWith('\n') ? `${text}${lines}\n` : `${text}\n${lines}`;
}

const ASSIGNMENT = /^(([^=]*?)\s*=)(.*)$/s;

/** Replaces each value of main.cf. `edit` gets it raw, with white space and comments; null removes the parameter. */
export function editParameters(main: string, edit: (value: string, name: string) => string | null): string {
  return editLines(main, (line) => {
    const [, head, name = '', before = ''] = ASSIGNMENT.exec(line) ?? [];
    if (head === undefined) return line;
    const after = edit(before, name);
    return after === null ? null : head + after;
  });
}

/** An entry of master.cf (master(5)). */
export interface Service {
  readonly name: string;
  readonly type: string;
  /** `private`, `unpriv`, `chroot`, `wakeup`, `maxproc`: as written, `-` for the default. */
  readonly fields: readonly string[];
  readonly command: string;
  /** The words after the command, without the braces that keep one together. */
  readonly words: readonly string[];
  /** Its -o options, name -> value; if one is given several times, the last one counts. */
  readonly overrides: ReadonlyMap<string, string>;
}

/** All entries, in the order of the file. */
export function entriesOf(master: string): Service[] {
  return [...master.matchAll(LOGICAL_LINE)].flatMap(([, , line = '']) => serviceIn(line) ?? []);
}

/** The entries that Postfix uses: the last of those with the same name and type. */
export function servicesOf(master: string): Service[] {
  const all = entriesOf(master);
  const last = new Map(all.map((entry) => [`${entry.name}/${entry.type}`, entry]));
  return all.filter((entry) => last.get(`${entry.name}/${entry.type}`) === entry);
}

/** The entry in a logical line, or null. */
export function serviceIn(line: string): Service | null {
  const text = line.replace(/\n[ \t\r\v\f]*#[^\n]*/g, '').replaceAll('\n', '');
  const [name, type, ...rest] = wordsOf(text, SPACE);
  const [command, ...words] = rest.splice(5).map((word) => word.replace(/^\{\s*(.*?)\s*\}$/s, '$1'));
  if (name === undefined || type === undefined || command === undefined) return null;
  return { name, type, fields: rest, command, words, overrides: overridesIn(words) };
}

/**
 * Parses options as getopt(3) in smtpd: `-o name=value`, `-oname=value`, `-vo name=value`, up to the first non-option.
 */
function overridesIn(words: readonly string[]): Map<string, string> {
  const overrides = new Map<string, string>();
  for (let i = 0; i < words.length; i++) {
    // The options that take a value: Postfix's src/master/single_server.c.
    const [option, letter, joined] = /^-(?!-$)[^imnorst]*(?:([imnorst])(.*))?$/s.exec(words[i] ?? '') ?? [];
    if (option === undefined || option === '-') break;
    if (letter === undefined) continue;
    const word = joined === '' ? (words[++i] ?? '') : (joined ?? '');
    const [, , name, value = ''] = ASSIGNMENT.exec(word) ?? [];
    if (letter === 'o' && name !== undefined) overrides.set(name.trim(), value.trim());
  }
  return overrides;
}

const ONE_WORD = `(?:[^\\s{}]|\\{${BALANCED}\\})*`;

/** Matches a comment, or an override: the option, and `{ NAME = VALUE }` or `NAME=VALUE`. */
const OVERRIDE = new RegExp(
  `\\n[ \\t]*#[^\\n]*|(\\s-\\w*?o)(\\s*)(?:\\{(\\s*([^\\s={}]+)\\s*=)(${BALANCED})\\}|(([^\\s={}]+)=)(${ONE_WORD}))`,
  'g',
);

/** Replaces the value of each override in an entry of master.cf. `edit` gets it raw; braces are added if needed, and removed again. */
export function editOverrides(entry: string, edit: (value: string, name: string) => string): string {
  return entry.replace(
    OVERRIDE,
    (all, option, space, bracedHead, bracedName, bracedValue, head, name, value: string | undefined) => {
      if (option === undefined) return all;
      const before: string = bracedValue ?? value;
      const after = edit(before, bracedName ?? name);
      if (after === before) return all;
      const start = `${option}${space === '' ? ' ' : space}`;
      const isOneWord = new RegExp(`^${ONE_WORD}$`).test(after);
      if (bracedHead === undefined) return isOneWord ? `${start}${head}${after}` : `${start}{ ${head}${after}}`;
      // One blank inside, after the opening brace, marks the braces that an earlier edit added.
      const isAdded = isOneWord && /^ \S+$/.test(bracedHead);
      return isAdded ? `${start}${bracedHead.slice(1)}${after}` : `${start}{${bracedHead}${after}}`;
    },
  );
}
