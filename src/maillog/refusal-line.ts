// The line that the policy program logs for a refusal (policy/log-line.ts):
//
//   verdict=reject user=U address=A subject=S entry=E reason=R client_name=N ...
//
// Clients choose some of the values (user, HELO name), and could imitate this line in the logs of other programs. So
// only lines tagged allow-nets count, and the pairs are parsed from left to right; a value with spaces or quotes is a
// JSON string.
import { STRANGER } from '../postfix/live-service';
import type { LineKind } from './read-log';

const PAIR = /([a-z_]+)=("(?:[^"\\]|\\.)*"|[!#-[\]-~]*)(?: |$)/gy;

export const REFUSAL_LINES: LineKind = {
  marks: ['verdict=reject '],
  isLike: (line) => /allow-nets(?:\[\d+\])?: *verdict=reject /.test(line),
  read({ tag, message, times }) {
    if (!/(?:^|\/)allow-nets$/.test(tag) || !message.startsWith('verdict=reject ')) return 'other';
    const { user, address, reason = '' } = pairsOf(message);
    // Of allow-nets doctor, and nobody to let in.
    if (user === STRANGER.user) return 'other';
    return user && address !== undefined && times > 0 ? { user, address, reason, times } : 'broken';
  },
};

/** The first value of each name, up to a truncated pair. */
function pairsOf(text: string): Partial<Record<string, string>> {
  const pairs = [...text.matchAll(PAIR)].map(([, name = '', value = '']) => [name, unquote(value)]);
  return Object.fromEntries(pairs.reverse());
}

function unquote(value: string): string {
  try {
    return value.startsWith('"') ? JSON.parse(value) : value;
  } catch {
    return '';
  }
}
