// Refusals: the policy program's own lines, added up by user and network. Such a line is `verdict=reject user=U address=A subject=S entry=E reason=R client_name=N ...`, written by
// policy/log-line.ts.
//
// What a client chose (user, HELO name, recipient) stands in values, here and in the lines of every other program. So only a line counts whose program
// is allow-nets, and its pairs are read one after the other as they were written: a value that is not plain is a JSON string.
import { type Address, parseAddress } from '../rules/address';
import { formatNetwork, type Network, truncate } from '../rules/network';
import { foldName } from '../rules/subject';
import type { LineKind } from './head';
import type { Span } from './log-reading';
import { isSpread } from './marks';

export interface RefusalLine {
  readonly user: string;
  readonly address: string;
  readonly reason: string;
  readonly times: number;
}

const PAIR = /([a-z_]+)=("(?:[^"\\]|\\.)*"|[!#-[\]-~]*)(?: |$)/y;

export const REFUSAL_LINES: LineKind<RefusalLine> = {
  marks: ['verdict=reject '],
  isLike: (line) => /allow-nets(?:\[\d+\])?: *verdict=reject /.test(line),
  read({ tag, message, times }) {
    if (!/(?:^|\/)allow-nets$/.test(tag)) return 'other';
    if (!message.startsWith('verdict=reject ')) return 'other';
    const { user, address, reason } = pairsOf(message);
    // The line ends with what came last before it was cut.
    return user && address !== undefined ? { user, address, reason: reason ?? '', times } : 'broken';
  },
};

/** The first value of each name. Ends where a pair is cut off. */
function pairsOf(text: string): Partial<Record<string, string>> {
  const pairs: Record<string, string> = Object.create(null);
  PAIR.lastIndex = 0;
  for (let found = PAIR.exec(text); found !== null; found = PAIR.exec(text)) {
    const [, name = '', value = ''] = found;
    pairs[name] ??= value.startsWith('"') ? unquote(value) : value;
  }
  return pairs;
}

function unquote(value: string): string {
  try {
    return JSON.parse(value);
  } catch {
    return '';
  }
}

/** One user who was refused in one network: an IPv4 address, or an IPv6 /64. Times in seconds since 1970. */
export interface RefusedPlace {
  /** Folded. */
  readonly user: string;
  /** Null: Postfix did not know the address. */
  readonly network: Network | null;
  refusals: number;
  first: number;
  last: number;
  /** Of the last one. */
  address: string;
  reason: string;
}

const V6_SITE = 64;

export class RefusedPlaces {
  private readonly places = new Map<string, RefusedPlace>();

  constructor(private readonly span: Span) {}

  record({ user: name, address, reason, times }: RefusalLine, seconds: number): void {
    const user = foldName(name);
    if (seconds < this.span.since || seconds >= this.span.until || !this.span.isAsked(user)) return;
    const client = parseAddress(address);
    const network = client && siteOf(client);
    const key = `${network === null ? '' : formatNetwork(network)} ${user}`;
    let place = this.places.get(key);
    if (place === undefined) {
      place = { user, network, refusals: 0, first: seconds, last: seconds, address, reason };
      this.places.set(key, place);
    }
    place.refusals += times;
    place.first = Math.min(place.first, seconds);
    if (seconds < place.last) return;
    place.last = seconds;
    place.address = address;
    place.reason = reason;
    // Of two in the same second the one of the later line is the more recent.
    this.places.delete(key);
    this.places.set(key, place);
  }

  /** The most recent last. */
  all(): RefusedPlace[] {
    return [...this.places.values()].sort((a, b) => a.last - b.last);
  }

  /** The users refused in many networks within 24 hours: likely somebody else has the password. */
  spreadUsers(): Set<string> {
    const byUser = new Map<string, RefusedPlace[]>();
    for (const place of this.places.values()) {
      byUser.set(place.user, [...(byUser.get(place.user) ?? []), place]);
    }
    const isSpreadAt = (places: readonly RefusedPlace[], when: 'first' | 'last') =>
      isSpread(places.flatMap((place) => (place.network ? [{ network: place.network, first: place[when] }] : [])));
    const spread = [...byUser].filter(([, places]) => isSpreadAt(places, 'first') || isSpreadAt(places, 'last'));
    return new Set(spread.map(([user]) => user));
  }
}

function siteOf(address: Address): Network {
  return truncate(address, address.family === 4 ? 32 : V6_SITE);
}
