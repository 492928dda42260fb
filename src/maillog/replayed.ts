// What `replay` found out: how many messages would be allowed and refused, and whose.
import { formatNetwork } from '../rules/network';
import type { DayTotal, Tally } from './tally';

export interface Replayed {
  readonly deliveries: number;
  readonly allowed: number;
  readonly refused: number;
  readonly users: number;
  /** Users about whom the database has no entry, who are refused everywhere. */
  readonly withoutEntry: number;
  /** Those with a refused message, the most first. */
  readonly ofUsers: readonly RefusedUser[];
  /** In local time, as `2026-11-04`, in order. */
  readonly days: readonly ({ readonly day: string } & DayTotal)[];
}

export interface RefusedUser {
  readonly user: string;
  readonly messages: number;
  /** Canonical text, where most were refused first. */
  readonly networks: readonly string[];
  /** Seconds since 1970. */
  readonly last: number;
  readonly hasEntry: boolean;
}

export function replayedOf({ people, withoutEntry, days }: Tally): Replayed {
  const ofUsers: RefusedUser[] = [];
  for (const [user, places] of people) {
    const refused = [...places.values()].filter((seen) => seen.refused > 0);
    if (refused.length === 0) continue;
    const named = refused.map((seen) => ({
      ...seen,
      name: seen.network ? formatNetwork(seen.network) : 'unknown',
    }));
    ofUsers.push({
      user,
      messages: refused.reduce((sum, seen) => sum + seen.refused, 0),
      networks: named.sort((a, b) => b.refused - a.refused || (a.name < b.name ? -1 : 1)).map(({ name }) => name),
      last: Math.max(...refused.map(({ lastRefused }) => lastRefused)),
      hasEntry: !withoutEntry.has(user),
    });
  }
  ofUsers.sort((a, b) => b.messages - a.messages || (a.user < b.user ? -1 : 1));
  const byDay = [...days].map(([day, total]) => ({ day, ...total })).sort((a, b) => (a.day < b.day ? -1 : 1));
  const allowed = byDay.reduce((sum, day) => sum + day.allowed, 0);
  const refused = byDay.reduce((sum, day) => sum + day.refused, 0);
  const [users, without] = [people.size, withoutEntry.size];
  return {
    deliveries: allowed + refused,
    allowed,
    refused,
    users,
    withoutEntry: without,
    ofUsers,
    days: byDay,
  };
}
