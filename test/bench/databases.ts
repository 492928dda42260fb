// The databases that are measured on, made by the commands of the program itself, each once in a run when first asked for.
import { mustRun, PROGRAM } from '../rig/run';
import { newFile, newPath } from '../rig/scratch';
import { made } from './drivers';
import type { Ask } from './requests';

export const MILLION = 1_000_000;
export const SET_SIZE = 100_000;

export type Family = 4 | 6;

/** The command line of the program as it is shipped, with absolute paths. */
export function allowNets(...args: string[]): string[] {
  return [process.execPath, PROGRAM, ...args];
}

/** The policy program on a database. */
export function policy(database: string, ...args: string[]): string[] {
  return allowNets('--db', database, ...args);
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

/** A new database as `allow-nets init` makes it. */
export function emptyDatabase(): string {
  const path = newPath();
  mustRun(['init', '--db', path]);
  return path;
}

/** A database with these rows: user, network. */
function imported(rows: readonly string[]): string {
  const path = emptyDatabase();
  mustRun(['import', newFile(`user,network\n${rows.join('\n')}\n`, 'rows.csv'), '--db', path]);
  return path;
}

/** The two users of the blog post from which the idea comes. */
export const seedUsers = made(() => imported(['test1,127.0.0.1/32', 'test2,172.31.27.95/32']));

/** One user with one network, wide enough for an address of its own in every request. */
export function oneNetwork(family: Family): string {
  return imported([`${userName(0)},${family === 4 ? '10.0.0.0/8' : '2001:db8::/32'}`]);
}

/** A million users with a network each, and `*`: the rows as `import` takes them. */
export function* millionRows(): Iterable<string> {
  yield 'user,network\n*,2001:db8:ffff::/48\n';
  for (let n = 1; n < MILLION; n++) yield `${userName(n)},${network(n, familyOf(n))}\n`;
}

/** Requests about the users of the seed: one in 20 is refused, and each has a recipient of its own. */
export function seedAsks(count: number): Ask[] {
  const asks = ['127.0.0.1', '172.31.27.95'].map((address, i) => ({ user: `test${i + 1}`, address, allowed: true }));
  const refused = { user: 'test2', address: '127.0.0.1', allowed: false };
  return Array.from({ length: count }, (_, i) => (i % 20 === 19 ? refused : asks[i % 2]) ?? refused);
}
