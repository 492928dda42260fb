// master.cf as text: its services (master(5)), the words of their command lines, and where the value of each -o override stands.
//
// postconf -M and -P show the same without the places. -P would also refuse a value with white space in it, and move the comments
// that stand inside an entry.
import { type LogicalLine, logicalLines, part, type Slice } from './config-text';
import { valueAfter } from './main-cf';
import { refused } from './run';
import { tokensOf } from './tokens';

export interface Override {
  readonly name: string;
  readonly value: Slice;
  /** `name=value` with what is around it: the whole word, with its braces if it has any. */
  readonly word: Slice;
}

export interface Service {
  readonly line: LogicalLine;
  readonly name: string;
  readonly type: string;
  /** `private`, `unpriv`, `chroot`, `wakeup`, `maxproc`: as written, `-` for the default. */
  readonly fields: readonly string[];
  readonly command: string;
  /** The words after the command, without the braces that keep one together. */
  readonly words: readonly string[];
  readonly overrides: readonly Override[];
}

const WHITE_SPACE = ' \t\r\n';
const FIELDS = 8;

/** All entries, in the order of the file. */
export function entriesOf(masterCf: string): Service[] {
  return logicalLines(masterCf).flatMap((line) => {
    const tokens = tokensOf(line.text, WHITE_SPACE);
    const [name, type, ...rest] = tokens.slice(0, FIELDS).map(({ text }) => text);
    const command = rest.pop();
    if (name === undefined || type === undefined || command === undefined || tokens.length < FIELDS) return [];
    const words = tokens.slice(FIELDS).map(({ start, end }) => part(line, start, end));
    const bare = words.map((word) => unbraced(word).text);
    return [{ line, name, type, fields: rest, command, words: bare, overrides: overridesIn(words) }];
  });
}

/** The entries that Postfix uses: of several with one name and type the last. */
export function servicesOf(masterCf: string): Service[] {
  const all = entriesOf(masterCf);
  const last = new Map(all.map((entry) => [`${entry.name}/${entry.type}`, entry]));
  return all.filter((entry) => last.get(`${entry.name}/${entry.type}`) === entry);
}

function unbraced(word: Slice): Slice {
  const { text } = word;
  if (!text.startsWith('{') || !text.endsWith('}') || text.length < 2) return word;
  const inside = text.slice(1, -1);
  const start = 1 + inside.length - inside.trimStart().length;
  return part(word, start, start + inside.trim().length);
}

/** The options of smtpd that take a value (Postfix's src/master/single_server.c). */
const WITH_VALUE = 'imnorst';

/** As getopt(3) reads them: `-o name=value`, `-oname=value`, `-vo name=value`; the first word that is not an option ends them. */
function overridesIn(words: readonly Slice[]): Override[] {
  const overrides: Override[] = [];
  for (let i = 0; i < words.length; i++) {
    const option = words[i];
    if (option === undefined || option.text === '--' || !/^-./.test(option.text)) break;
    const letter = [...option.text].findIndex((one, at) => at > 0 && WITH_VALUE.includes(one));
    if (letter < 0) continue;
    const joined = letter + 1 < option.text.length;
    const word = joined ? part(option, letter + 1, option.text.length) : words[++i];
    if (option.text.charAt(letter) !== 'o' || word === undefined) continue;
    const slice = joined ? word : unbraced(word);
    const equals = slice.text.indexOf('=');
    if (equals < 0) continue;
    const name = slice.text.slice(0, equals).trim();
    overrides.push({ name, value: valueAfter(slice, equals, slice.text.length), word });
  }
  return overrides;
}

/** Of several overrides with one name the last counts. */
export function overrideOf(service: Service, name: string): Override | null {
  return service.overrides.findLast((override) => override.name === name) ?? null;
}

export function serviceNamed(masterCf: string, name: string, type: string): Service | null {
  return servicesOf(masterCf).find((one) => one.name === name && one.type === type) ?? null;
}

/**
 * A word as it must be written to stay one word (master(5), Postfix 3.0 and later). Throws Trouble for one that master.cf cannot hold: an unbalanced
 * brace ends the master(8) that reads it.
 */
export function asWord(word: string): string {
  let level = 0;
  for (const character of word) {
    level += character === '{' ? 1 : character === '}' ? -1 : 0;
    if (level < 0) break;
  }
  if (level !== 0 || /\p{Cc}|^\s|\s$/u.test(word)) {
    throw refused(
      `master.cf cannot hold ${JSON.stringify(word)}`,
      'use a name without unbalanced braces, control characters and blanks at its ends',
    );
  }
  return /[\s{}]/.test(word) || word === '' ? `{${word}}` : word;
}
