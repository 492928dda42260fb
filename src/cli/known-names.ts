// Compares a typed name with the other entries to find out whether it is likely the name of a user here.
import { Trouble } from '../failure';
import type { Connection } from '../rules/database';
import { hasRows, namesFrom } from '../rules/entries';
import { isDomainName } from '../rules/row-fault';
import { EVERYBODY } from '../rules/subject';
import { commandText } from './command-text';

/**
 * Throws Trouble for a domain without its `@`, unless `force`. A name such as wei.li may be either, so the other
 * entries decide.
 */
export function requireUserName(connection: Connection, user: string, force: boolean): void {
  const kind = isDomainName(user);
  if (force || kind === 'no' || hasRows(connection, 'access', user)) return;
  const isCountry = /\.\p{L}{2}$/u.test(user) && !hasPlainLogins(connection, user);
  if (kind !== 'yes' && !isCountry && !hasDomain(connection, user)) return;
  throw new Trouble({
    kind: 'option',
    problem: `${user} is a domain, and no user logs in by it`,
    hint: `did you mean @${user}? To add a login of that name all the same add --force`,
  });
}

function hasDomain(connection: Connection, domain: string): boolean {
  const sql = 'select 1 from access where substr(user, -length(@end)) = @end limit 1';
  return connection.prepare(sql).get({ end: `@${domain}` }) !== undefined;
}

/** Whether other users here have login names without a domain. */
function hasPlainLogins(connection: Connection, user: string): boolean {
  return namesHere(connection).some((name) => !name.includes('@') && name !== EVERYBODY && name !== user);
}

/** The names of a sample of entries. */
function namesHere(connection: Connection): string[] {
  return connection.prepare("select user from access where typeof(user) = 'text' limit 1000").pluck().all() as string[];
}

/** Hints at users whom an entry of this name does not cover. `words`: the arguments of `command` after the user. */
export function nameHints(
  connection: Connection,
  user: string,
  db: string,
  command: 'add' | 'block',
  words: readonly string[],
): string[] {
  const again = (name: string) => {
    const text = commandText(command, [name, ...words], db);
    return text === null ? '' : `: ${text}`;
  };
  if (user === EVERYBODY || user.startsWith('@')) return [];
  if (user.includes('@')) {
    const login = user.replace(/@[^@]*$/, '');
    const isOpen = command === 'block' && !login.includes('@') && hasRows(connection, 'access', login);
    return isOpen ? [`${login} has entries too, and is not blocked${again(login)}`] : [];
  }
  const own = [...namesFrom(connection, 'access', `${user}@`)].slice(0, 3);
  if (own.length > 0) {
    return own.map((name) => `${name} has entries of its own, to which those of ${user} do not apply${again(name)}`);
  }
  const example = namesHere(connection).find((name) => name.indexOf('@') > 0);
  if (example === undefined || hasPlainLogins(connection, user)) return [];
  return [`${user} is that user of every domain; the other entries have names such as ${example}`];
}
