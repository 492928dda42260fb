// master.cf as text: its services (master(5)), the words of their command lines, and where the value of each -o override stands.
//
// postconf -M and -P show the same without the places. -P would also refuse a value with white space in it, and move the comments
// that stand inside an entry.
import { type LogicalLine, logicalLines, part, type Slice } from './config-text';
import { valueAfter } from './main-cf';
import { tokensOf } from './tokens';

export interface Override {
  readonly name: string;
  readonly value: Slice;
  /** Whether it is written in braces, where white space may stand: `-o { name = value }`. */
  readonly braced: boolean;
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

export function servicesOf(masterCf: string): Service[] {
  return logicalLines(masterCf).flatMap((line) => {
    const tokens = tokensOf(line.text, WHITE_SPACE);
    const [name, type, ...rest] = tokens.slice(0, FIELDS).map(({ text }) => text);
    const command = rest.pop();
    if (name === undefined || type === undefined || command === undefined || tokens.length < FIELDS)
      return [];
    const words = tokens.slice(FIELDS).map(({ start, end }) => unbraced(part(line, start, end)));
    return [
      {
        line,
        name,
        type,
        fields: rest,
        command,
        words: words.map(({ slice }) => slice.text),
        overrides: overridesIn(words),
      },
    ];
  });
}

interface Word {
  readonly slice: Slice;
  readonly braced: boolean;
}

function unbraced(word: Slice): Word {
  const { text } = word;
  if (!text.startsWith('{') || !text.endsWith('}') || text.length < 2) return { slice: word, braced: false };
  const inside = text.slice(1, -1);
  const start = 1 + inside.length - inside.trimStart().length;
  return { slice: part(word, start, start + inside.trim().length), braced: true };
}

function overridesIn(words: readonly Word[]): Override[] {
  return words.flatMap((word, i) => {
    const joined = /^-o./.test(word.slice.text);
    const follows = words[i - 1]?.slice.text === '-o';
    if (!joined && !follows) return [];
    const { slice, braced } = joined ? { ...word, slice: part(word.slice, 2, word.slice.text.length) } : word;
    const equals = slice.text.indexOf('=');
    if (equals < 0) return [];
    const name = slice.text.slice(0, equals).trim();
    return [{ name, value: valueAfter(slice, equals, slice.text.length), braced }];
  });
}

/** Of several overrides with one name the last counts. */
export function overrideOf(service: Service, name: string): Override | null {
  return service.overrides.findLast((override) => override.name === name) ?? null;
}

export function serviceNamed(masterCf: string, name: string, type: string): Service | null {
  return servicesOf(masterCf).find((one) => one.name === name && one.type === type) ?? null;
}

/** A word as it must be written to stay one word (master(5), Postfix 3.0 and later). */
export function asWord(word: string): string {
  return /[\s{}]/.test(word) || word === '' ? `{${word}}` : word;
}
