// The policy program's own line for a refusal, as policy/log-line.ts writes it:
//
//   verdict=reject user=U address=A subject=S entry=E reason=R client_name=N ...
//
// Values hold text that clients chose (user, HELO name), and so do lines of other programs. So only a line of
// allow-nets counts, and its pairs are read one after the other: a value that is not plain is a JSON string.
import type { LineKind } from './read-log';

const PAIR = /([a-z_]+)=("(?:[^"\\]|\\.)*"|[!#-[\]-~]*)(?: |$)/gy;

export const REFUSAL_LINES: LineKind = {
  marks: ['verdict=reject '],
  isLike: (line) => /allow-nets(?:\[\d+\])?: *verdict=reject /.test(line),
  read({ tag, message, times }) {
    if (!/(?:^|\/)allow-nets$/.test(tag) || !message.startsWith('verdict=reject ')) return 'other';
    const { user, address, reason = '' } = pairsOf(message);
    return user && address !== undefined && times > 0 ? { user, address, reason, times } : 'broken';
  },
};

/** The first value of each name, up to a pair that is cut off. */
function pairsOf(text: string): Partial<Record<string, string>> {
  const pairs = [...text.matchAll(PAIR)].map(([, name = '', value = '']) => [name, unquoted(value)]);
  return Object.fromEntries(pairs.reverse());
}

function unquoted(value: string): string {
  try {
    return value.startsWith('"') ? JSON.parse(value) : value;
  } catch {
    return '';
  }
}
