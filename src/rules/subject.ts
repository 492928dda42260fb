// The subject of an entry: a user, a domain (`@example.com`) or everybody (`*`); the order in which subjects are looked
// up, and those whose entries decide.
//
// A SASL user name comes from the network, so it is only compared: after folding it must equal a subject exactly.
import type { Address } from './address';
import { expiryMoment } from './expiry';

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
 * The subjects of a SASL user name, folded, narrowest first: `user@domain`, `user`, `@domain`, `*`. The domain starts
 * after the last `@`. A local part that is `*` or contains an `@` is left out, since it would mean another subject.
 */
export function subjectsOf(user: string): string[] {
  const name = foldName(user);
  const at = name.lastIndexOf('@');
  const local = name.slice(0, Math.max(0, at));
  const isUser = !local.includes('@') && local !== EVERYBODY;
  const wider = at < 0 ? [] : [...(isUser ? [local] : []), name.slice(at)];
  return [name, ...wider, EVERYBODY].filter(isComparable);
}

/** An entry of the database. `network`: as stored. `set`: the set that contains the network, or null. */
export interface Entry {
  readonly network: string;
  readonly set: string | null;
  readonly expires: unknown;
}

/** The entries of one subject, expired ones included. There is at least one. */
export interface SubjectRules {
  /** Its entries `none`. */
  readonly blocks: readonly Entry[];
  /** Its entries `inherit`. */
  readonly inherits: readonly Entry[];
  /** Its entries whose networks contain the address. */
  covering(address: Address): Iterable<Entry>;
}

/** The entries that the decision reads, all from one state of the database. */
export interface Rules {
  /** Null if the subject has no entry. An unreadable entry counts as one. */
  of(subject: string): SubjectRules | null;
}

/**
 * The subjects whose entries decide: the narrowest with entries, and after an entry `inherit` also the next wider one.
 */
export function* decidingSubjects(
  user: string,
  rules: Rules,
  now: number,
): Iterable<{ subject: string; entries: SubjectRules }> {
  for (const subject of subjectsOf(user)) {
    const entries = rules.of(subject);
    if (entries === null) continue;
    yield { subject, entries };
    if (!entries.inherits.some(({ expires }) => now < expiryMoment(expires))) return;
  }
}
