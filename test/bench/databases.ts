// The databases that are measured on. Each is made once in a run, when first asked for, on the schema that `allow-nets init`
// made, with the product's own functions for what a command would have stored.
import Database from 'better-sqlite3';
import { formatNetwork, networkKey, parseNetwork } from '../../src/rules/network';
import { foldName } from '../../src/rules/subject';
import { runClean } from './clean-process';
import { allowNets } from './product';
import { type Ask, randomNumbers } from './requests';
import { scratchPath } from './scratch';

export const MILLION = 1_000_000;
export const SET_SIZE = 100_000;

export type Family = 4 | 6;

interface Content {
  access: Iterable<readonly [user: string, network: string]>;
  sets?: Iterable<readonly [name: string, network: string]>;
}

/** What `number` (0 to 4,194,303) stands for as a network, no two of them touching: 10.x.y.z/32 or 2001:db8:x:y::/64. */
export function network(number: number, family: Family): string {
  return family === 4 ? `${ipv4(10, 2 * number)}/32` : `${ipv6('2001:db8', 2 * number)}::/64`;
}

/** An address in that network; `host` tells those in one IPv6 network apart. */
export function inside(number: number, family: Family, host = 0): string {
  return family === 4 ? ipv4(10, 2 * number) : `${ipv6('2001:db8', 2 * number)}::${(host + 1).toString(16)}`;
}

/** An address in none of them: `near`, in the gap between that one and the next, or far away from all. */
export function outside(number: number, family: Family, near: boolean, host = 0): string {
  if (family === 4) return near ? ipv4(10, 2 * number + 1) : ipv4(11, 2 * number);
  const first = near ? ipv6('2001:db8', 2 * number + 1) : ipv6('2001:db9', 2 * number);
  return `${first}::${(host + 1).toString(16)}`;
}

function ipv4(first: number, rest: number): string {
  return `${first}.${rest >> 16}.${(rest >> 8) & 255}.${rest & 255}`;
}

function ipv6(first: string, rest: number): string {
  // One is added because `2001:db8:0:0::1` is not the canonical text of an address, which Postfix sends.
  return `${first}:${((rest >> 16) + 1).toString(16)}:${((rest & 0xffff) + 1).toString(16)}`;
}

export function userName(number: number): string {
  return `user${number.toString().padStart(7, '0')}@example.com`;
}

/** Even numbers are IPv4, odd ones IPv6, wherever a database holds both. */
export function familyOf(number: number): Family {
  return number % 2 === 0 ? 4 : 6;
}

const made = new Map<string, Promise<string>>();

function once(name: string, content: () => Content): Promise<string> {
  const known = made.get(name);
  if (known) return known;
  const path = fill(name, content());
  made.set(name, path);
  return path;
}

/** A new database as `allow-nets init` makes it. */
export async function emptyDatabase(name: string): Promise<string> {
  const path = scratchPath(`${name}.db`);
  await runClean(allowNets('init', '--db', path));
  return path;
}

async function fill(name: string, { access, sets = [] }: Content): Promise<string> {
  const path = await emptyDatabase(name);
  const database = new Database(path);
  // Nobody reads it yet, and a machine that fails now loses nothing.
  database.pragma('synchronous = off');
  database.pragma('journal_mode = memory');
  const insert = (table: string, name: string) => {
    const statement = database.prepare(`insert into ${table} (${name}, network, key) values (?, ?, ?)`);
    return (rows: Iterable<readonly [string, string]>) => {
      for (const [who, text] of rows) statement.run(foldName(who), ...stored(text));
    };
  };
  database.transaction(() => {
    insert('access', 'user')(access);
    insert('network_set', 'name')(sets);
  })();
  database.pragma('journal_mode = delete');
  database.close();
  return path;
}

function stored(text: string): [network: string, key: Uint8Array] {
  if (text === 'any' || text.startsWith('@')) return [text, Buffer.from(`\0${text}`)];
  const parsed = parseNetwork(text);
  if (!parsed) throw new Error(`${text} is no network`);
  return [formatNetwork(parsed.network), networkKey(parsed.network)];
}

function* rows(count: number, row: (number: number) => readonly [string, string]) {
  for (let number = 0; number < count; number++) yield row(number);
}

/** The two users of the blog post from which the idea comes. */
export function seedUsers(): Promise<string> {
  return once('seed', () => ({
    access: [
      ['test1', '127.0.0.1/32'],
      ['test2', '172.31.27.95/32'],
    ],
  }));
}

/** One user with one network, wide enough for an address of its own in every request. */
export function oneNetwork(family: Family): Promise<string> {
  return once(`one-${family}`, () => ({
    access: [[userName(0), family === 4 ? '10.0.0.0/8' : '2001:db8::/32']],
  }));
}

/** The request that takes the longest way through `millionUsers`: IPv6, and only the last of its four subjects has an entry. */
export const LONGEST_WAY: Ask = { user: 'nobody@example.net', address: '2001:db8:ffff::25', allowed: true };

/** A million users with a network each; `*` has an entry, too, and decides for all who are not among them. */
export function millionUsers(): Promise<string> {
  return once('million-users', () => ({
    access: (function* () {
      yield ['*', '2001:db8:ffff::/48'] as const;
      yield* rows(MILLION, (number) => [userName(number), network(number, familyOf(number))]);
    })(),
  }));
}

export function millionNetworks(): Promise<string> {
  return once('million-networks', () => ({
    access: rows(MILLION, (number) => [userName(0), network(number, familyOf(number))]),
  }));
}

export function bigSet(): Promise<string> {
  return once('big-set', () => ({
    access: [[userName(0), '@office']],
    sets: rows(SET_SIZE, (number) => ['office', network(number, familyOf(number))]),
  }));
}

/** 2,000 users with one to eight networks each, and requests about them, no two alike; one in `refuseEvery` is refused. */
export function people(): Promise<string> {
  return once('people', () => ({
    access: (function* () {
      for (let user = 0; user < 2000; user++) {
        for (let i = 0; i <= user % 8; i++) yield [userName(user), peopleNetwork(user, i)] as const;
      }
    })(),
  }));
}

function peopleNetwork(user: number, i: number): string {
  const [high, low] = [user >> 8, user & 255];
  return i % 4 === 3 ? `2001:db8:${user.toString(16)}:${i}::/64` : `${10 + i * 20 + high}.${low}.0.0/16`;
}

export function askPeople(count: number, refuseEvery = Number.POSITIVE_INFINITY): Ask[] {
  const random = randomNumbers(count);
  return Array.from({ length: count }, (_, serial) => {
    const user = random(2000);
    const i = random((user % 8) + 1);
    const allowed = serial % refuseEvery !== refuseEvery - 1;
    const host = `${serial >> 8}.${serial & 255}`;
    const [first = ''] = peopleNetwork(user, i).split('/');
    const address = i % 4 === 3 ? `${first}${(serial + 1).toString(16)}` : first.replace(/0\.0$/, host);
    return { user: userName(user), address: allowed ? address : `203.0.${host}`, allowed };
  });
}
