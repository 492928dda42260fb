// The rules that a database holds for a user, and the subjects whose entries decide.
import type { Address } from './address';
import { expiryMoment } from './expiry';
import { subjectsOf } from './subject';

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
): Iterable<{ subject: string; own: SubjectRules }> {
  for (const subject of subjectsOf(user)) {
    const own = rules.of(subject);
    if (own === null) continue;
    yield { subject, own };
    if (!own.inherits.some(({ expires }) => now < expiryMoment(expires))) return;
  }
}
