// Names in the `user` column that can match no SASL user name, or likely another one than was meant.
import { EVERYBODY, isComparable } from './subject';

/** Why a name in the `user` column can match nobody, and the name that was likely meant. */
export interface NameFault {
  readonly problem: string;
  readonly meant: string | null;
}

/** Null for a name that a SASL user name can match. */
export function nameFault(name: string): NameFault | null {
  const trimmed = name.trim();
  const meant = trimmed === '' || trimmed === '@' ? null : trimmed;
  if (trimmed === '') return { problem: 'the user is empty', meant };
  if (trimmed === '@') return { problem: '@ is not a user', meant };
  if (!isComparable(name)) return { problem: 'the user holds a NUL or bytes that are not UTF-8', meant: null };
  if (trimmed !== name) return { problem: `the user ${JSON.stringify(name)} begins or ends with a space`, meant };
  if (name === EVERYBODY) return null;
  const at = name.lastIndexOf('@');
  const [local, domain] = at < 0 ? [name, null] : [name.slice(0, at), name.slice(at + 1)];
  if (domain === '') return { problem: `${name} has no domain behind the @`, meant: local === '' ? null : local };
  if (domain === '*')
    return { problem: `${name} matches nobody: * stands alone, for everybody`, meant: local || EVERYBODY };
  if (domain !== null && /^[.*]/.test(domain)) {
    return {
      problem: `${name} matches nobody: each domain needs an entry of its own`,
      meant: `@${domain.replace(/^[.*]+/, '')}`,
    };
  }
  if (local === EVERYBODY) return { problem: `no user is called ${name}`, meant: `@${domain}` };
  if (/^[*]?\./.test(name)) {
    return {
      problem: `${name} matches nobody: each domain needs an entry of its own`,
      meant: `@${name.replace(/^[.*]+/, '')}`,
    };
  }
  return null;
}

/** Top-level domains that no login name ends with by chance. */
const TOP_LEVEL = /\.(com|net|org|edu|gov|mil|int|info|biz|eu|arpa|local|lan|internal|example|test|xn--[a-z0-9-]+)$/;

/** Whether a name without `@` is one of a domain. Of two letters: a country, or a surname as in wei.li. */
export function isDomainName(name: string): 'yes' | 'maybe' | 'no' {
  if (!/^(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]*[\p{L}\p{N}])?\.)+[\p{L}][\p{L}\p{N}-]+$/u.test(name)) return 'no';
  return TOP_LEVEL.test(name) ? 'yes' : 'maybe';
}
