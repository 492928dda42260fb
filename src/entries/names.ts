// Compares a typed user name with those in the database, to find out whether it is likely the name of a user here.

import { withCommand } from '../cli/command-text';
import { isDomainName } from '../cli/name-fault';
import { wrongUsage } from '../failure';
import type { Connection } from '../rules/database';
import { hasRows, namesFrom } from '../rules/entries';
import { EVERYBODY } from '../rules/meaning';

/** Throws Trouble for a new name that looks like a domain without its `@`, unless `force`. */
export function requireUserName(connection: Connection, user: string, force: boolean): void {
  const kind = isDomainName(user);
  if (force || kind === 'no' || hasRows(connection, 'access', user)) return;
  // A name such as john.doe may be either. With a country at its end, or entries as a domain, it is a domain.
  if (kind === 'maybe' && !/\.\p{L}{2}$/u.test(user) && !hasRows(connection, 'access', `@${user}`)) return;
  const hint = `did you mean @${user}? To add a login of that name all the same add --force`;
  throw wrongUsage(`${user} looks like a domain, and no user logs in by it`, hint);
}

/**
 * Hints at users whom an entry of this name does not reach. `isBlock`: whether the entry blocks. `sameCommandFor`: the
 * command that writes the same entry for another name, or null.
 */
export function nameHints(
  connection: Connection,
  user: string,
  isBlock: boolean,
  sameCommandFor: (name: string) => string | null,
): string[] {
  if (user === EVERYBODY || user.startsWith('@')) {
    if (!isBlock) return [];
    const end = user === EVERYBODY ? '' : user;
    const sql = `select count(distinct user) as count, min(user) as first from access
      where user not in (@end, '*') and (@end = '' or substr(user, -length(@end)) = @end)`;
    const { count, first } = connection.prepare(sql).get({ end }) as { count: number; first: string | null };
    const others = count === 1 ? first : `${count} others, such as ${first}`;
    return count === 0 ? [] : [`not blocked, because their own entries decide: ${others}`];
  }
  if (user.includes('@')) {
    const login = user.replace(/@[^@]*$/, '');
    const isOpen = isBlock && !login.includes('@') && hasRows(connection, 'access', login);
    return isOpen ? [withCommand(`${login} has entries too, and is not blocked`, sameCommandFor(login))] : [];
  }
  const own = [...namesFrom(connection, 'access', `${user}@`)].slice(0, 3);
  if (own.length > 0) {
    return own.map((name) =>
      withCommand(`${name} has entries of its own, to which those of ${user} do not apply`, sameCommandFor(name)),
    );
  }
  const sql = "select user from access where typeof(user) = 'text' and user not in (?, '*') limit 1000";
  const names = connection.prepare(sql).pluck().all(user) as string[];
  const example = names.find((name) => name.indexOf('@') > 0);
  if (example === undefined || names.some((name) => !name.includes('@'))) return [];
  return [`${user} means ${user} of every domain; the other entries have names such as ${example}`];
}
