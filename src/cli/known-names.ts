// What the other entries say about the name that somebody typed: whether it is likely the name of a user here.
import { Trouble } from '../failure';
import type { Connection } from '../rules/database';
import { hasRows, namesFrom } from '../rules/entries';
import { isDomainName } from '../rules/name-fault';
import { EVERYBODY } from '../rules/subject';
import { commandText } from './let-in';

/** So many rows show what the names of this server look like. */
const SAMPLE = 1000;

/** Throws Trouble for a domain without its `@`, unless `force`. A login such as john.doe, or wei.li, is one. */
export function requireUserName(connection: Connection, user: string, force: boolean): void {
  const kind = isDomainName(user);
  if (force || kind === 'no' || hasRows(connection, 'access', user)) return;
  const isCountry = /\.\p{L}{2}$/u.test(user);
  const isLikely = kind === 'yes' || (isCountry && !hasPlainLogins(connection, user));
  if (!isLikely && !knowsDomain(connection, user)) return;
  throw new Trouble({
    kind: 'option',
    problem: `${user} is a domain, and no user logs in by it`,
    hint: `did you mean @${user}? To add a login of that name all the same add --force`,
  });
}

function knowsDomain(connection: Connection, domain: string): boolean {
  const sql = 'select 1 from access where substr(user, -length(@end)) = @end limit 1';
  return connection.prepare(sql).get({ end: `@${domain}` }) !== undefined;
}

/** Whether other users log in here by names without a domain. */
function hasPlainLogins(connection: Connection, user: string): boolean {
  return sampleOf(connection).some((name) => !name.includes('@') && name !== EVERYBODY && name !== user);
}

function sampleOf(connection: Connection): string[] {
  const names = connection.prepare('select user from access limit ?').pluck().all(SAMPLE);
  return names.filter((name): name is string => typeof name === 'string');
}

/** What an entry of this name does not reach though somebody may think so. `command`: what was done, and its `words` after the user. */
export function nameHints(
  connection: Connection,
  user: string,
  db: string,
  command: string,
  words: readonly string[],
): string[] {
  if (user.startsWith('@') || user === EVERYBODY) return [];
  const again = (name: string) => {
    const text = commandText(command, [name, ...words], db);
    return text === null ? '' : `: ${text}`;
  };
  const at = user.lastIndexOf('@');
  if (at >= 0) {
    const login = user.slice(0, at);
    const isKnown = login !== '' && !login.includes('@') && hasRows(connection, 'access', login);
    return isKnown && command === 'block' ? [`${login} has entries too, and is not blocked${again(login)}`] : [];
  }
  const own: string[] = [];
  for (const name of namesFrom(connection, 'access', `${user}@`)) if (own.push(name) === 3) break;
  const hints = own.map(
    (name) => `${name} has entries of its own, to which those of ${user} do not apply${again(name)}`,
  );
  const example = sampleOf(connection).find((name) => name.indexOf('@') > 0);
  if (hints.length > 0 || example === undefined || hasPlainLogins(connection, user)) return hints;
  return [`${user} is that user of every domain; the other entries have names such as ${example}`];
}
