// The meaning of a row: for whom it is (`user`, in network_set `name`), from where (`network`) and until when
// (`expires`).
import { type Address, contains, formatNetwork, isCertain, type Network, parseNetwork } from './network';
import type { Table } from './schema';

export const EVERYBODY = '*';

/** Folds a name for case-insensitive comparison: Unicode NFC, lower case. */
export function foldName(name: string): string {
  // Lower-casing can undo NFC: H with a line below has no composed form, but its small letter has one.
  return name.normalize('NFC').toLowerCase().normalize('NFC');
}

/** Whether a name can be compared. NUL ends a name for some SQLite clients, and U+FFFD stands for any invalid UTF-8. */
export function isComparable(name: string): boolean {
  return name !== '' && !name.includes('\0') && !name.includes('\ufffd');
}

/**
 * `any`: all IPv4 and IPv6 addresses. `inherit`: also what the next wider subject allows. `none`: nobody may send for whom
 * the entries of this subject decide.
 */
export type Word = 'any' | 'inherit' | 'none';

/** The word in a `network` column, or null. */
export function wordOf(network: unknown): Word | null {
  const word = typeof network === 'string' ? network.trim().toLowerCase() : '';
  return word === 'any' || word === 'inherit' || word === 'none' ? word : null;
}

export type Meaning =
  | { readonly kind: 'network'; readonly network: Network }
  | { readonly kind: 'set'; readonly name: string }
  | { readonly kind: Word };

/**
 * The meaning of a `network` column, or null if it is unreadable and so grants nothing. With `address`, a network that
 * does not contain it is null, too, which saves most calls of ip-cidr.
 */
export function meaningOf(table: Table, network: unknown, address?: Address): Meaning | null {
  const meaning = readMeaning(table, network);
  if (meaning?.kind !== 'network') return meaning;
  if (address !== undefined && !contains(meaning.network, address)) return null;
  return isCertain(String(network).trim(), meaning.network) ? meaning : null;
}

function readMeaning(table: Table, network: unknown): Meaning | null {
  if (typeof network !== 'string') return null;
  const text = network.trim();
  const parsed = parseNetwork(text);
  if (parsed !== null) return { kind: 'network', network: parsed.network };
  const word = wordOf(text);
  if (table === 'network_set') return word === 'any' ? { kind: word } : null;
  if (word !== null) return { kind: word };
  const name = foldName(text.slice(1));
  return text.startsWith('@') && isComparable(name) ? { kind: 'set', name } : null;
}

/** The text that commands store. */
export function meaningText(meaning: Meaning): string {
  if (meaning.kind === 'network') return formatNetwork(meaning.network);
  return meaning.kind === 'set' ? `@${meaning.name}` : meaning.kind;
}

const ISO =
  /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?:(:\d\d)(?:\.\d+)?)?)?(?:Z|([+-](?:[01]\d|2[0-3]))(?::?([0-5]\d))?)?$/i;

const DAY = 86_400_000;

/**
 * Parses the `expires` column. Returns ms since 1970; from then on the entry has expired. Accepts ISO 8601 with `T` or
 * a space; UTC without an offset, as SQLite's datetime() writes it; an offset in hours, as PostgreSQL writes it. A date
 * alone means the end of that day. Null never expires. An unreadable time counts as long past, so it never widens
 * access; for a block use hasExpired.
 */
export function expiryMoment(expires: unknown): number {
  if (expires === null || expires === undefined) return Number.POSITIVE_INFINITY;
  const moment = typeof expires === 'string' ? parseInstant(expires) : null;
  if (moment === null) return Number.NEGATIVE_INFINITY;
  return isDate(expires as string) ? moment + DAY : moment;
}

/** Whether an entry has expired. An unreadable time has not: a block with such a time stays in force. */
export function hasExpired(expires: unknown, now: number): boolean {
  const moment = expiryMoment(expires);
  return Number.isFinite(moment) && moment <= now;
}

/**
 * The expiry that an entry keeps if it is added again without one, as formatInstant writes it. Null if it has expired.
 */
export function keptExpiry(expires: unknown, now: number): string | null {
  const moment = expiryMoment(expires);
  return Number.isFinite(moment) && moment > now ? formatInstant(moment) : null;
}

/** Whether the text is a date without a time. */
export function isDate(text: string): boolean {
  return !/\d[T ]\d/i.test(text.trim());
}

/** Parses ISO 8601 text to ms since 1970, or null. Missing parts are zero; a missing offset means UTC. */
export function parseInstant(text: string): number | null {
  const [, day, time, second = ':00', hours, minutes] = ISO.exec(text.trim()) ?? [];
  // A date with two more digits (2026-12-24-12) is a typo, not an offset.
  if (day === undefined || (time === undefined && hours !== undefined && minutes === undefined)) return null;
  const local = `${day}T${time ?? '00:00'}${second}`;
  const moment = Date.parse(`${local}Z`);
  // Date.parse turns February 30 into a day in March.
  if (Number.isNaN(moment) || !new Date(moment).toISOString().startsWith(local)) return null;
  return hours === undefined ? moment : Date.parse(`${local}${hours}:${minutes ?? '00'}`);
}

/** The first and the last moment of a year with four digits. Many lists have 9999-12-31 for "never". */
const FIRST = Date.parse('0000-01-01T00:00:00Z');
const LAST = Date.parse('9999-12-31T23:59:59Z');

/** As the commands store it: `2026-12-24T18:00:00Z`. A moment beyond the year 9999 becomes its last second. */
export function formatInstant(moment: number): string {
  return `${new Date(Math.max(FIRST, Math.min(LAST, moment))).toISOString().slice(0, -'.000Z'.length)}Z`;
}
