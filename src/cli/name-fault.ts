// Explains why no SASL user name can match a name in the `user` column, and recognises domains without their @.

/** Why a name in the `user` column can match no SASL user name, and the name that was likely meant. */
export interface NameFault {
  readonly problem: string;
  readonly meant: string | null;
}

const EACH_DOMAIN = 'matches nobody: each domain needs an entry of its own';

/** NAME in `message` is replaced. `replacement` for the match gives the name that was meant. The first match counts. */
const NAME_FAULTS: readonly [pattern: RegExp, message: string, replacement: string][] = [
  [/^\s*$/, 'the user is empty', ''],
  [/^\s*@\s*$/, '@ is not a user', ''],
  [/^.*[\0\ufffd].*$/s, 'the user holds a NUL or bytes that are not UTF-8', ''],
  [/^\s+|\s+$/, 'the user QUOTED begins or ends with a space', ''],
  [/@$/, 'NAME has no domain behind the @', ''],
  [/^@\*$/, 'NAME matches nobody: * stands alone, for everybody', '*'],
  [/@\*$/, 'NAME matches nobody: * stands alone, for everybody', ''],
  [/^.*@[.*]+([^@]*)$/s, `NAME ${EACH_DOMAIN}`, '@$1'],
  [/^\*(@[^@]*)$/, 'no user is called NAME', '$1'],
  [/^\*?\.[.*]*/, `NAME ${EACH_DOMAIN}`, '@'],
];

/** Why no SASL user name can match the name, or null if one can. */
export function nameFault(name: string): NameFault | null {
  const fault = NAME_FAULTS.find(([pattern]) => pattern.test(name));
  if (fault === undefined) return null;
  const [pattern, message, replacement] = fault;
  const problem = message.replace('NAME', () => name).replace('QUOTED', () => JSON.stringify(name));
  return { problem, meant: name.replace(pattern, replacement).trim() || null };
}

/** Top-level domains that no login name ends with by chance. */
const TOP_LEVEL = /\.(com|net|org|edu|gov|mil|int|info|biz|eu|arpa|local|lan|internal|example|test|xn--[a-z0-9-]+)$/;

/** Whether a name without `@` is a domain. `maybe`: its end may also be part of a login name, as in wei.li. */
export function isDomainName(name: string): 'yes' | 'maybe' | 'no' {
  if (!/^(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]*[\p{L}\p{N}])?\.)+[\p{L}][\p{L}\p{N}-]+$/u.test(name)) return 'no';
  return TOP_LEVEL.test(name) ? 'yes' : 'maybe';
}
