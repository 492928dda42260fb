// What `replay` found out: how many messages would be allowed and refused, and whose.
import { formatNetwork, truncate } from '../rules/network';
import type { Seen } from './seen-columns';
import type { Tally } from './tally';

export interface Refusals {
  readonly deliveries: number;
  readonly allowed: number;
  readonly refused: number;
  readonly users: number;
  /** Users about whom no entry of the database is, and who so are refused everywhere. */
  readonly withoutEntry: number;
  /** Those with a refused message, the most first. */
  readonly ofUsers: readonly RefusedUser[];
  /** By day number (local-day), in order. */
  readonly days: readonly { day: number; allowed: number; refused: number }[];
}

export interface RefusedUser {
  readonly user: string;
  readonly messages: number;
  /** Canonical text, where most were refused first. IPv6 addresses are told by their /64: a device has many of them. */
  readonly networks: readonly string[];
  /** Seconds since 1970. */
  readonly last: number;
  readonly hasEntry: boolean;
}

const V6_SITE = 64;

/** The tally must be one of whole addresses. */
export function refusalsOf(tally: Tally): Refusals {
  const ofUsers: RefusedUser[] = [];
  let [deliveries, allowed, users, withoutEntry] = [0, 0, 0, 0];
  for (const [person, user] of tally.people.entries()) {
    const refused = new Map<string, number>();
    let [messages, last, all] = [0, 0, 0];
    for (const seen of tally.seen.of(person, user)) {
      all += seen.messages;
      allowed += seen.allowed;
      const count = seen.messages - seen.allowed;
      if (count === 0) continue;
      messages += count;
      last = Math.max(last, seen.last);
      const from = placeName(seen);
      refused.set(from, (refused.get(from) ?? 0) + count);
    }
    // With a time limit a user may be known of whom nothing counts.
    if (all === 0) continue;
    users++;
    deliveries += all;
    const hasEntry = !tally.withoutEntry.has(person);
    if (!hasEntry) withoutEntry++;
    const networks = [...refused].sort(byCount).map(([network]) => network);
    if (messages > 0) ofUsers.push({ user, messages, networks, last, hasEntry });
  }
  ofUsers.sort((a, b) => b.messages - a.messages || (a.user < b.user ? -1 : 1));
  const days = [...tally.days].map(([day, total]) => ({ day, ...total })).sort((a, b) => a.day - b.day);
  return { deliveries, allowed, refused: deliveries - allowed, users, withoutEntry, ofUsers, days };
}

function placeName({ network }: Seen): string {
  if (network === null) return 'unknown';
  return formatNetwork(network.family === 4 ? network : truncate(network, V6_SITE));
}

function byCount([a, times]: readonly [string, number], [b, others]: readonly [string, number]): number {
  return others - times || (a < b ? -1 : 1);
}
